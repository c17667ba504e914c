// OfficeHistory: the last ten offices, as the journal tells them (CONSENSUS H1).
//
// The driver hands in OPEN and HANDOVER records as they are applied: brokers that run as long know the same.
// It is in no snapshot: a restarted broker knows those behind its newest one.
//
// Thread rule: pure; one owner. Limits: ten offices.
#pragma once

#include <chrono>
#include <deque>

#include "shared/base/time.h"
#include "shared/core/group_messages.h"

namespace cidbus::group {

class OfficeHistory {
 public:
  static constexpr std::size_t kept = 10;
  static constexpr std::chrono::milliseconds short_office = std::chrono::seconds(300);

  // OPEN of this leader, at its record's time.
  void on_open(Seat leader, WallTime time) {
    if (!offices_.empty()) offices_.back().ended = time;
    offices_.push_back({leader, time, {}, false});
    if (offices_.size() > kept) offices_.pop_front();
  }
  void on_handover() {
    if (!offices_.empty()) offices_.back().handed_over = true;
  }
  // Offices of this broker that ended soon, and not by its own will.
  [[nodiscard]] std::uint32_t flaps(Seat broker) const {
    std::uint32_t count = 0;
    for (const Office& office : offices_) {
      const bool ended = office.ended != WallTime{};
      if (office.leader == broker && ended && !office.handed_over &&
          office.ended - office.opened < short_office)
        ++count;
    }
    return count;
  }

 private:
  struct Office {
    Seat leader = nobody;
    WallTime opened;
    WallTime ended;  // 0: not yet
    bool handed_over = false;
  };
  std::deque<Office> offices_;
};

}  // namespace cidbus::group
