// How long tasks of each type run, learned from their ends, and how much of it a worker may have before it.
//
// A worker grants credit by the rate at which tasks end, whatever their type. After a thousand short ones it
// would be sent a thousand long ones, which others with free slots never see. So the leader holds credit
// back: beyond one task a slot, a worker is sent no more than `ahead` of expected work for each. That is long
// against the way there and back, so slots do not idle, and short against what people wait for, so nothing is
// hoarded.
//
// What is expected is an average that the newest eighth of a type moves. A type that has not ended anywhere
// yet is expected to take a quarter of `ahead`, and all of it once one was seen to run so long. Rejected: the
// longest seen, by which one slow task would idle slots for good.
//
// Thread rule: pure; one owner. Limits: limits::task_types.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "broker/tasks/slots.h"
#include "shared/base/time.h"

namespace cidbus {

class RunTimes {
 public:
  using Time = std::chrono::microseconds;
  static constexpr Time ahead = std::chrono::milliseconds(250);
  static constexpr Time longest = std::chrono::hours(1);  // more makes no difference

  // An attempt ran so long.
  void ended(TypeNumber type, Time elapsed) {
    const Time seen = std::clamp(elapsed, Time(1), longest);
    Time& known = at(type);
    known = known == Time(0) ? seen : std::max(known + (seen - known) / 8, Time(1));
  }
  // One goes on for so long that its worker says so.
  void goes_on(TypeNumber type) {
    if (at(type) == Time(0)) at(type) = ahead;
  }
  [[nodiscard]] Time of(TypeNumber type) const {
    const Time known = type < times_.size() ? times_[type] : Time(0);
    return known == Time(0) ? ahead / 4 : known;
  }

 private:
  Time& at(TypeNumber type) {
    if (type >= times_.size()) times_.resize(type + std::size_t{1});
    return times_[type];
  }
  std::vector<Time> times_;  // by type; 0: not known
};

}  // namespace cidbus
