// What workers say and are told: credit, dispatch, leases and completion (CONSENSUS section 11).
//
// Thread rule: values. Limits and invariants: message.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/core/task.h"

namespace cidbus {

struct Credit {
  std::uint32_t tasks = 0;  // so many more tasks may be sent; adds up
};
struct DispatchItem {
  AttemptId attempt;
  std::string_view type;
  std::chrono::milliseconds time_limit{0};
  ByteView work;
  bool strict = false;  // begins only once a renewal is answered, and ends before its lease does
  std::chrono::milliseconds lease{0};
};
struct Dispatch {
  std::vector<DispatchItem> items;
};
struct Renew {
  std::vector<AttemptId> attempts;
  std::uint64_t number = 0;  // the worker's own; the answer repeats it
};
struct Renewed {
  std::vector<AttemptId> attempts;  // leases that run on from when the Renew of this number was sent
  std::vector<AttemptId> lost;      // no longer this worker's
  std::uint64_t number = 0;
};
struct Progress {
  AttemptId attempt;
  std::uint32_t permille = 0;
  std::string_view note;
};
struct CompleteItem {
  AttemptId attempt;
  Outcome outcome = Outcome::Completed;
  ByteView result;
  std::string_view error;
  std::chrono::microseconds elapsed{0};
  ByteView log = {};  // the end of what it said (attempt_history.h); empty for none
};
struct Complete {
  std::vector<CompleteItem> items;
};
struct CompleteAck {
  std::vector<AttemptId> attempts;  // recorded, or known to be stale: the worker may forget them
};
struct Revoke {
  std::vector<AttemptId> attempts;  // stop these; answered with Complete, outcome Cancelled
};

}  // namespace cidbus
