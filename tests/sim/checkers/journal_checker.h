// The checker of what the journal says: each truth of the tasks, read from the records alone, with no help
// from the state machine that is being checked.
//
// Invariants it checks, of every sequence of records that became committed
//  1. A run has one lease at a time: between two leases of a task stands a requeue of the first (I8).
//  2. A task is recorded final once: a result, a cancel or an expiry that came first (W5); of a strict
//     type, a result of the attempt that has the lease.
//  3. A submission makes one task (submitted_once.h).
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "broker/journal/batch.h"
#include "broker/tasks/records.h"
#include "tests/sim/checkers/submitted_once.h"

namespace cidbus::sim {

class JournalChecker {
 public:
  // A record that is committed, the next one.
  void on_record(const RecordView& record);
  [[nodiscard]] LogIndex last() const { return last_; }
  [[nodiscard]] bool has_task(TaskId task) const { return tasks_.contains(task); }
  [[nodiscard]] bool is_final(TaskId task) const;
  // The attempt that has the lease; 0 when none has.
  [[nodiscard]] std::uint32_t lease_of(TaskId task) const;
  [[nodiscard]] std::uint64_t leases() const { return leases_; }
  [[nodiscard]] std::uint64_t requeues() const { return requeues_; }

 private:
  struct Task {
    bool leased = false;
    std::uint32_t attempt = 0;
    bool final = false;
    std::string type;
    Bytes work;
  };
  void on_lease(const LeaseRecord& lease);
  void on_requeue(const RequeueRecord& requeue);
  void on_result(const ResultRecord& result);
  void on_final(TaskId task);

  LogIndex last_;
  std::map<TaskId, Task> tasks_;
  std::set<std::string, std::less<>> strict_types_;
  SubmittedOnce submitted_once_;
  std::uint64_t leases_ = 0;
  std::uint64_t requeues_ = 0;
};

}  // namespace cidbus::sim
