// What is told of alerts to those who are to be woken: what the engine says, but for what somebody silenced.
//
// Invariants
//  1. Of one alert, sinks hear raised, then worse at most once, then resolved; nothing of one that was
//     silenced all along.
//  2. An alert that is there, or got worse, in its silence is told when that ends. One that somebody has
//     acknowledged is told no more, but that it is over.
//
// Thread rule: pure; one owner. Limits: those of AlertEngine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "observer/core/alert_engine.h"
#include "observer/core/silence.h"

namespace cidbus {

class AlertDesk {
 public:
  explicit AlertDesk(std::vector<AlertRule> rules) : engine_(std::move(rules)) {}

  AlertEngine& engine() { return engine_; }
  [[nodiscard]] const AlertEngine& engine() const { return engine_; }
  // As the engine's; `told`: how bad it is as far as sinks know, nothing when they know nothing of it.
  void restore(const Alert& alert, std::optional<AlertLevel> told) {
    engine_.restore(alert);
    if (told) told_[alert.id] = *told;
  }
  struct Said {
    std::vector<AlertNotice> all;
    std::vector<AlertNotice> told;  // to sinks
  };
  Said on_tick(WallTime now, std::string_view cluster, bool blind, const AlertMarks& marks);

 private:
  AlertEngine engine_;
  std::map<std::string, AlertLevel> told_;  // ids of raised alerts that sinks know, and how bad they know it
};

}  // namespace cidbus
