// Alerts as the observer runs them: rules on what it measures, silences from its folder, sinks and log.
//
// Thread rule: the owner's thread. Limits: those of AlertEngine and AlertSinks.
#pragma once

#include <string>
#include <vector>

#include "observer/alert_sinks.h"
#include "observer/alert_table.h"
#include "observer/core/alert_desk.h"
#include "observer/rules_file.h"
#include "shared/io/log.h"

namespace cidbus {

class AlertWatch {
 public:
  // `folder` is where silences are; empty for none. REQUIRES: the log outlives it.
  AlertWatch(AlertSetup setup, std::string cluster, const std::string& observer, std::string folder,
             Log& log);

  // What an earlier start had not done with. Before any sample. An alert whose rule is there no longer is
  // over with the next tick.
  void restore(const std::vector<LeftAlert>& alerts);
  void on_sample(const Sample& sample, const History& history) { desk_.engine().on_sample(sample, history); }
  // Tells sinks and log what is to be told; gives all that happened.
  std::vector<AlertNotice> on_tick(WallTime now, bool blind);
  // What sinks have been told since, each once.
  std::vector<AlertNotice> take_told() { return sinks_.take_told(); }

  [[nodiscard]] std::vector<Alert> raised() const { return desk_.engine().raised(); }
  [[nodiscard]] const AlertMarks& marks() const { return marks_; }

 private:
  void read_marks_if_changed();
  [[nodiscard]] bool has_rule(const std::string& name) const;

  AlertDesk desk_;
  AlertSinks sinks_;
  AlertMarks marks_;
  std::vector<LeftAlert> ruleless_;  // restored; until the next tick
  const std::string cluster_;
  const std::string folder_;
  Log& log_;
  std::string marks_stamp_;  // of the file that was read
};

}  // namespace cidbus
