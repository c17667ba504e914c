// The checker of task types declared strict: at no moment do two workers run the same task, and none begins
// before its lease is committed.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>
#include <string>

#include "shared/base/ensure.h"
#include "tests/sim/journal_checker.h"

namespace cidbus::sim {

class StrictChecker {
 public:
  // `journal`: what is durable; null when commits do not wait for the disk. It outlives the checker.
  explicit StrictChecker(const JournalChecker* journal) : journal_(journal) {}

  void begin(const AttemptId& attempt) {
    const auto [other, is_alone] = running_.emplace(attempt.task, attempt.attempt);
    ENSURE(is_alone, "two strict attempts at once", to_text(attempt.task), attempt.attempt, other->second);
    // A task that was cancelled in the meantime has no lease any more; its order to stop is on the way.
    ENSURE(journal_ == nullptr || journal_->is_final(attempt.task) ||
               journal_->lease_of(attempt.task) == attempt.attempt,
           "a strict attempt without a committed lease", to_text(attempt.task), attempt.attempt);
    ++runs_;
  }
  void end(const AttemptId& attempt) { running_.erase(attempt.task); }
  [[nodiscard]] std::uint64_t runs() const { return runs_; }

 private:
  const JournalChecker* journal_;
  std::map<TaskId, std::uint32_t> running_;  // and which attempt
  std::uint64_t runs_ = 0;
};

}  // namespace cidbus::sim
