// Brings alerts to those who want to know: a program with the alert on its standard input, or an HTTP POST.
//
// Each sink is an actor with a thread of its own, so that one that hangs holds up nobody. What fails is tried
// again with back-off, in order; what cannot be delivered after all its tries is dropped, and logged. When
// all that want an alert have it, or dropped it, that is told back, so that it is written down: what was
// still on the way when the observer ended is told by its next start.
//
// Thread rule: the owner's thread. Limits: alerts_on_the_way, alert_tries, alert_sink_time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "observer/core/alert_engine.h"
#include "observer/rules_file.h"
#include "shared/io/log.h"
#include "shared/io/mailbox.h"

namespace cidbus {

// {"cluster","observer","change","id","rule","node","series","level","value","text","raised_at","time"}
std::string alert_json(const std::string& cluster, const std::string& observer, const AlertNotice& notice);

class AlertSinks {
 public:
  // REQUIRES: the log outlives it.
  AlertSinks(const std::vector<AlertSink>& sinks, std::string cluster, std::string observer, Log& log);
  // What is still on the way gets no further try.
  ~AlertSinks();
  AlertSinks(const AlertSinks&) = delete;
  AlertSinks& operator=(const AlertSinks&) = delete;

  void tell(const std::vector<AlertNotice>& notices);
  // Those that no sink waits for any longer, each once.
  std::vector<AlertNotice> take_told();

 private:
  class Runner;
  struct OnTheWay {
    AlertNotice notice;
    std::size_t sinks = 0;  // that have it still before them
  };
  void settle(std::uint64_t number);

  std::string cluster_;
  std::string observer_;
  std::uint64_t number_ = 0;  // of the newest notice; only grows
  std::map<std::uint64_t, OnTheWay> on_the_way_;
  std::vector<AlertNotice> told_;
  Mailbox<std::uint64_t> settled_;                // numbers, once for each sink
  std::vector<std::unique_ptr<Runner>> runners_;  // last: they use the mailbox
};

}  // namespace cidbus
