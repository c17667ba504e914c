// Keeps the history in memory on disk as well: what changed goes to the file's own thread every few seconds,
// so that the observer never waits for a disk.
//
// When a write fails (the disk is full, say) history goes on in memory and this is logged, once; it is tried
// again from time to time, with all that the file lacks and memory still has, and logged when it works again.
//
// Invariants
//  1. One write is under way at most, so that a slow disk costs memory for one.
//  2. What was not written is part of the next write, as long as memory holds it.
//
// Thread rule: the owner's thread; the file is its own thread's from the start to the end.
// Limits: limits/observer.h.
#pragma once

#include <memory>
#include <string>

#include "observer/core/history.h"
#include "observer/history_file.h"
#include "shared/io/file_system.h"
#include "shared/io/log.h"

namespace cidbus {

class HistoryKeeper {
 public:
  // Makes the folder when it is not there, and gives `history` back what its file holds. TryAgain when
  // another process keeps its history there. REQUIRES: history and log outlive it.
  static Result<std::unique_ptr<HistoryKeeper>> open(const std::string& folder, ByteCount most, Now now,
                                                     History& history, Log& log);
  // Writes what is missing, if it can, and ends the thread.
  ~HistoryKeeper();
  HistoryKeeper(const HistoryKeeper&) = delete;
  HistoryKeeper& operator=(const HistoryKeeper&) = delete;

  // Alerts that an earlier start had not done with.
  [[nodiscard]] const std::vector<LeftAlert>& left_alerts() const;
  // About once a second: what happened, and what sinks have been told of it. It is written at once, or with
  // the next write that can be.
  void on_tick(Now now, const std::vector<AlertNotice>& happened, const std::vector<AlertNotice>& told);

 private:
  struct State;
  explicit HistoryKeeper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
