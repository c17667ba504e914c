// C4 and I6, the numbers that results have: within a session each number belongs to one task, whichever
// broker leads and however often it is told, each task has one number, and results are called back in order.
//
// Thread rule: one owner, a client. Limits: none.
#pragma once

#include <map>
#include <utility>

#include "shared/core/client_messages.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class ResultOrder {
 public:
  // They have come; what is called back before on_handled() is of them.
  void on_told(const Results& results) {
    session_ = results.session;
    for (const ResultItem& item : results.items) {
      const auto [task, is_first] = tasks_.emplace(std::pair(session_, item.rseq), item.info.task);
      check(task->second == item.info.task, "C4 one order of results", "number ", item.rseq, " was ",
            to_text(task->second), " and is ", to_text(item.info.task));
      const auto [number, is_new] = numbers_.emplace(std::pair(session_, item.info.task), item.rseq);
      check(number->second == item.rseq, "C4 one order of results", to_text(item.info.task), " had number ",
            number->second, " and has ", item.rseq);
    }
  }
  void on_handled() { session_ = {}; }
  // One that was asked for by its task has no number, and no order.
  void on_called_back(TaskId task) {
    const auto number = numbers_.find(std::pair(session_, task));
    if (number == numbers_.end()) return;
    std::uint64_t& last = called_back_[session_];
    check(number->second > last, "C4 one order of results", to_text(task), ", number ", number->second,
          ", is called back after ", last);
    last = number->second;
  }

 private:
  SessionId session_;  // of what has just come
  std::map<std::pair<SessionId, std::uint64_t>, TaskId> tasks_;
  std::map<std::pair<SessionId, TaskId>, std::uint64_t> numbers_;
  std::map<SessionId, std::uint64_t> called_back_;  // the highest number; only grows
};

}  // namespace cidbus::sim
