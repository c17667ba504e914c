// I7: nothing is told before it is committed: no acceptance, no result, no dispatch.
//
// With durability `memory` what is committed is not seen as it happens, and nothing is checked.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include "tests/sim/base/check.h"
#include "tests/sim/checkers/journal_checker.h"

namespace cidbus::sim {

class ToldAfterCommit {
 public:
  // `journal`: what is committed; null when that is not seen as it happens.
  explicit ToldAfterCommit(const JournalChecker* journal) : journal_(journal) {}

  void on_accepted(TaskId task) const { check_known(task, "accepted"); }
  void on_dispatched(TaskId task) const { check_known(task, "dispatched"); }
  void on_result(TaskId task) const {
    check(journal_ == nullptr || journal_->is_final(task), "I7 told after commit", "a result of ",
          to_text(task), " is told and not committed");
  }

 private:
  void check_known(TaskId task, const char* what) const {
    check(journal_ == nullptr || journal_->has_task(task), "I7 told after commit", to_text(task), " is ",
          what, " and not committed");
  }
  const JournalChecker* journal_;
};

}  // namespace cidbus::sim
