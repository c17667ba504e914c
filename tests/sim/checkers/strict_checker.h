// The checker of task types declared strict: at no moment do two workers run the same task, and none begins
// before its lease is committed.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>
#include <string>

#include "tests/sim/base/check.h"
#include "tests/sim/checkers/journal_checker.h"

namespace cidbus::sim {

class StrictChecker {
 public:
  // `journal`: what is durable; null when commits do not wait for the disk. It outlives the checker.
  explicit StrictChecker(const JournalChecker* journal) : journal_(journal) {}

  void begin(const AttemptId& attempt) {
    go_on(attempt);
    // A task that was cancelled in the meantime has no lease any more; its order to stop is on the way.
    check(journal_ == nullptr || journal_->is_final(attempt.task) ||
              journal_->lease_of(attempt.task) == attempt.attempt,
          "W3 strict alone", to_text(attempt.task), ": attempt ", attempt.attempt,
          " begins without a committed lease");
    ++runs_;
  }
  // After end(): its process only stood still.
  void go_on(const AttemptId& attempt) {
    const auto [other, is_alone] = running_.emplace(attempt.task, attempt.attempt);
    check(is_alone, "W3 strict alone", to_text(attempt.task), ": attempt ", attempt.attempt, " runs while ",
          other->second, " does");
  }
  void end(const AttemptId& attempt) {
    const auto found = running_.find(attempt.task);
    if (found != running_.end() && found->second == attempt.attempt) running_.erase(found);
  }
  [[nodiscard]] std::uint64_t runs() const { return runs_; }

 private:
  const JournalChecker* journal_;
  std::map<TaskId, std::uint32_t> running_;  // and which attempt
  std::uint64_t runs_ = 0;
};

}  // namespace cidbus::sim
