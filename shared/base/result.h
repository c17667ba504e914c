// Result<T>: what can go wrong outside the pure rooms, named by what the caller can do about it.
//
// A Fault travels up to the first place that can act on it; at the edge it becomes one line (what, why, what
// to do) and an exit code (DESIGN: 0 done, 1 failed, 2 usage, 65 bad data, 69 unavailable, 75 try again, 77
// not allowed, 124 timed out). Bugs are not faults (ensure.h); answers are not faults (enums).
//
// Thread rule: values. Limits: none.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace cidbus {

enum class FaultKind {
  Failed,       // the work itself failed; doing it again gives the same
  BadUsage,     // the caller asked for something that makes no sense
  BadData,      // what was read is not what it claims to be
  NotFound,     // nobody has it
  Unavailable,  // no broker reachable, or no quorum: reconnect
  TryAgain,     // out of room or credit for now: retry later
  NotAllowed,   // refused by rights
  TimedOut,     // the time given ran out
};

struct [[nodiscard]] Fault {
  FaultKind kind = FaultKind::Failed;
  std::string message;  // what, why, what to do; one line, no full stop at the end
};

// The exit code of a program that ends with this fault (sysexits(3) where one fits).
constexpr int exit_code(FaultKind kind) {
  switch (kind) {
    case FaultKind::Failed:
      return 1;
    case FaultKind::NotFound:
      return 1;
    case FaultKind::BadUsage:
      return 2;
    case FaultKind::BadData:
      return 65;
    case FaultKind::Unavailable:
      return 69;
    case FaultKind::TryAgain:
      return 75;
    case FaultKind::NotAllowed:
      return 77;
    case FaultKind::TimedOut:
      return 124;
  }
  return 1;
}

template <typename T>
using Result = tl::expected<T, Fault>;

using Status = Result<void>;

inline tl::unexpected<Fault> fault(FaultKind kind, std::string message) {
  return tl::unexpected<Fault>(Fault{kind, std::move(message)});
}

}  // namespace cidbus
