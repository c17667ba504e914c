// The checker of the feed: an observer at one broker, which hears that broker and what it passes on of
// others, and holds what it was told against what is.
//
// Invariants it checks
//  1. A broker's own messages of a topic are numbered from 1 without gaps in each of its lives. What it
//     passes on of another may lack some, but comes once and in order.
//  2. The journal index that a broker's own state events follow from never goes back.
//  3. What was told last of a task, in this office, is the state it is in, unless some message was missed.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>

#include "broker/tasks/state_machine.h"
#include "shared/wire/codec.h"

namespace cidbus::sim {

class FeedChecker {
 public:
  // The broker starts anew, and whoever listens to it.
  void begin_life(const std::string& broker);
  enum class Publisher { Itself, Other };
  Publisher on_frame(FeedTopic topic, ByteView frame);
  // What was heard of the leader. REQUIRES: it has ended its turn, and nothing is under way.
  void check(const std::string& leader, Epoch epoch, const StateMachine& state) const;
  [[nodiscard]] std::uint64_t task_events() const { return task_events_; }

 private:
  struct Heard {
    Incarnation incarnation;
    std::map<FeedTopic, std::uint64_t> numbers;
    LogIndex applied;
    Epoch office;                      // of its newest message about tasks
    std::map<TaskId, TaskState> told;  // in it
    bool missed = false;               // some of it
  };
  void on_tasks(Heard& heard, const Header& header, const Feed& feed, bool gap);

  std::string broker_;
  Decoder decoder_;
  std::map<std::string, Heard> heard_;  // by publisher
  std::uint64_t task_events_ = 0;       // of its own
};

}  // namespace cidbus::sim
