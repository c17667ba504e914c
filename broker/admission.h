// Whether a broker takes new work: not without room on its disk, nor while the group's disks lag behind.
//
// Thread rule: the driver's. Limits: limits::unsynced_bytes.
#pragma once

#include <string_view>

#include "broker/journal/disk.h"
#include "shared/io/log.h"

namespace cidbus {

class Admission {
 public:
  void on_room(const RoomChanged& changed, Log& log);
  // Asks the disk when it is due; when to call again at the latest.
  Monotonic check_room(Now now, Disk& disk);
  [[nodiscard]] bool roomy() const { return room_ == Room::Roomy; }
  // Why no new work is taken, with so much waiting for the group's disks; empty: it is taken.
  [[nodiscard]] std::string_view refusal(std::size_t uncommitted_bytes) const;

 private:
  Room room_ = Room::Roomy;
  Monotonic next_check_{};
};

}  // namespace cidbus
