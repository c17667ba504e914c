#include "observer/core/run_tracker.h"

#include "shared/base/limits/web_page.h"

namespace cidbus {

std::optional<EndedRun> RunTracker::on_event(WallTime now, const TaskEvent& event) {
  if (event.state == TaskState::Processing) {
    running_.insert_or_assign(
        event.task, Running{std::string(event.type), std::string(event.worker), event.attempts, now, true});
    if (running_.size() > limits::watched_runs) running_.erase(running_.begin());
    return std::nullopt;
  }
  if (event.state == TaskState::Assigned) return std::nullopt;
  const auto known = running_.find(event.task);
  if (event.state == TaskState::Pending && known == running_.end()) return std::nullopt;
  EndedRun run{event.task,  std::string(event.type), std::string(event.worker), {}, now,
               event.state, event.attempts};
  if (known != running_.end()) {
    if (run.worker.empty()) run.worker = known->second.worker;
    if (known->second.attempts == event.attempts) run.began = known->second.began;
    running_.erase(known);
  }
  return run;
}

void RunTracker::on_loss() {
  for (auto& [task, run] : running_) run.sure = false;
}

}  // namespace cidbus
