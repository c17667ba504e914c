// What is told of alerts to those who are to be woken: what the engine says, but for what somebody silenced.
//
// Invariants
//  1. Of one alert, sinks hear raised, then worse at most once, then resolved; nothing of one that was
//     silenced all along.
//  2. An alert that is there when its silence ends is told then. One that somebody has acknowledged is
//     told no more, but that it is over.
//
// Thread rule: pure; one owner. Limits: those of AlertEngine.
#pragma once

#include <set>
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
  // As the engine's; `told`: sinks know of it already.
  void restore(const Alert& alert, bool told) {
    engine_.restore(alert);
    if (told) told_.insert(alert.id);
  }
  struct Said {
    std::vector<AlertNotice> all;
    std::vector<AlertNotice> told;  // to sinks
  };
  Said on_tick(WallTime now, std::string_view cluster, bool blind, const AlertMarks& marks);

 private:
  AlertEngine engine_;
  std::set<std::string> told_;  // ids of raised alerts that sinks know
};

}  // namespace cidbus
