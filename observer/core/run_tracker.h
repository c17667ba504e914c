// Runs of tasks as the feed tells them: which are under way and since when, and how each that ended did.
//
// The feed tells that a run began only when it has not ended a moment later, and above its rate it leaves
// events out. So a beginning may be unknown, and a run under way may have ended unheard.
//
// Invariants
//  1. A run is told as under way only if everything since its beginning was heard.
//  2. A beginning is one that was told, of this attempt, or nothing.
//
// Thread rule: pure; one owner. Limits: limits::watched_runs; the task submitted first is forgotten first.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "shared/core/feed.h"

namespace cidbus {

struct EndedRun {
  TaskId task;
  std::string type;
  std::string worker;  // empty: nobody ran it
  std::optional<WallTime> began;
  WallTime ended;
  TaskState state = TaskState::Completed;  // Pending: it is to be handed out again
  std::uint32_t attempts = 0;
};

class RunTracker {
 public:
  struct Running {
    std::string type;
    std::string worker;
    std::uint32_t attempts = 0;
    WallTime began;
    bool sure = true;  // nothing was lost since
  };

  // The run that this event ends, if it ends one.
  std::optional<EndedRun> on_event(WallTime now, const TaskEvent& event);
  // Events were lost, or left out.
  void on_loss();
  // Those that are not sure are not under way for certain.
  [[nodiscard]] const std::map<TaskId, Running>& running() const { return running_; }

 private:
  std::map<TaskId, Running> running_;
};

}  // namespace cidbus
