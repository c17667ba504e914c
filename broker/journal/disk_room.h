// DiskRoom: how much room the broker's disk has left, and a reserve for when it has none (CONSENSUS section
// 8).
//
// Below the soft mark new work is refused while everything that frees room goes on. When the disk is full the
// reserve, a file that only takes room, is given up, so that what frees room can still be written; the broker
// is unfit until the reserve is back.
//
// Invariants
//  1. Full exactly while the reserve is not in place.
//  2. Low is left only at 9/8 of the soft mark: a broker at the mark does not change its mind each second.
//
// Thread rule: one owner; calls block. Limits: none.
#pragma once

#include <string>

#include "shared/base/bytes.h"
#include "shared/base/result.h"
#include "shared/io/file_system.h"

namespace cidbus {

struct DiskMarks {
  // Soft: the smaller of the two first, and never less than one and a half of the newest snapshot.
  unsigned soft_percent = 10;
  ByteCount soft_bytes = 2ULL << 30;
  // Hard: what the reserve takes.
  ByteCount reserve_bytes = 256ULL << 20;
};

enum class Room {
  Roomy,
  Low,   // new work is refused
  Full,  // and this broker is unfit
};
const char* to_text(Room room);

class DiskRoom {
 public:
  // Puts the reserve in place if there is room for it.
  static Result<DiskRoom> open(FileSystem& files, const std::string& folder, const DiskMarks& marks);

  // Asks the disk, and puts the reserve back once there is room for it and for the soft mark.
  [[nodiscard]] Result<Room> check(ByteCount newest_snapshot_bytes);
  // Gives up the reserve; gives whether there was one.
  [[nodiscard]] Result<bool> release();

  [[nodiscard]] Room room() const { return room_; }
  [[nodiscard]] const DiskSpace& space() const { return space_; }  // as last asked

 private:
  DiskRoom(FileSystem& files, std::string folder, const DiskMarks& marks)
      : files_(&files), folder_(std::move(folder)), marks_(marks) {}
  [[nodiscard]] Status reserve();
  [[nodiscard]] ByteCount soft_mark(ByteCount newest_snapshot_bytes) const;

  FileSystem* files_;  // borrowed; a pointer so that this can be moved
  std::string folder_;
  DiskMarks marks_;
  DiskSpace space_;
  bool reserved_ = false;
  Room room_ = Room::Roomy;
};

}  // namespace cidbus
