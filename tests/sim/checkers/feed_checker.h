// The checker of the feed: an observer that misses nothing, and holds what it was told against what is.
//
// Invariants it checks
//  1. The messages of a topic are numbered from 1 without gaps in each life of the broker.
//  2. The journal index that state events follow from never goes back.
//  3. What was told last of a task, in this office, is the state it is in.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>

#include "broker/tasks/state_machine.h"
#include "shared/wire/codec.h"

namespace cidbus::sim {

class FeedChecker {
 public:
  // The broker starts anew: another publisher.
  void begin_life();
  void on_frame(FeedTopic topic, ByteView frame);
  // REQUIRES: the broker has ended its turn.
  void check(const StateMachine& state) const;
  [[nodiscard]] std::uint64_t task_events() const { return task_events_; }
  [[nodiscard]] std::uint64_t refused_messages() const { return refused_messages_; }

 private:
  void on_event(const FeedEvent& event);

  Decoder decoder_;
  std::map<FeedTopic, std::uint64_t> numbers_;
  LogIndex applied_;
  Epoch office_;                        // the newest that was told of
  std::map<TaskId, TaskState> told_;  // in it
  bool skipped_ = false;
  std::uint64_t task_events_ = 0;
  std::uint64_t refused_messages_ = 0;  // in this life
};

}  // namespace cidbus::sim
