#include "broker/journal/disk_room.h"

#include <algorithm>

namespace cidbus {
namespace {

constexpr const char* reserve_name = "/reserve";

}  // namespace

const char* to_text(Room room) {
  switch (room) {
    case Room::Roomy:
      return "roomy";
    case Room::Low:
      return "low";
    case Room::Full:
      return "full";
  }
  return "";
}

Result<DiskRoom> DiskRoom::open(FileSystem& files, const std::string& folder, const DiskMarks& marks) {
  DiskRoom room(files, folder, marks);
  if (Status status = room.reserve(); !status) return tl::unexpected(status.error());
  if (auto checked = room.check(0); !checked) return tl::unexpected(checked.error());
  return room;
}

Status DiskRoom::reserve() {
  const std::string path = folder_ + reserve_name;
  auto file = files_->open(path);
  if (!file && file.error().kind == FaultKind::NotFound) file = files_->create(path);
  Status status;
  if (file) {
    status = (*file)->preallocate(marks_.reserve_bytes);
    if (status) status = (*file)->sync();
  } else {
    status = tl::unexpected(file.error());
  }
  reserved_ = status.has_value();
  if (status || status.error().kind != FaultKind::TryAgain) return status;
  if (file) return files_->remove(path);
  return {};
}

ByteCount DiskRoom::soft_mark(ByteCount newest_snapshot_bytes) const {
  const ByteCount share = space_.capacity / 100 * marks_.soft_percent;
  return std::max(std::min(share, marks_.soft_bytes), newest_snapshot_bytes / 2 * 3);
}

Result<Room> DiskRoom::check(ByteCount newest_snapshot_bytes) {
  const auto space = files_->space(folder_);
  if (!space) return tl::unexpected(space.error());
  space_ = *space;
  const ByteCount soft = soft_mark(newest_snapshot_bytes);
  if (!reserved_ && space_.free >= soft + marks_.reserve_bytes) {
    if (Status status = reserve(); !status) return tl::unexpected(status.error());
    if (reserved_) space_.free -= std::min(space_.free, marks_.reserve_bytes);
  }
  const ByteCount mark = room_ == Room::Roomy ? soft : soft + soft / 8;
  room_ = !reserved_ ? Room::Full : space_.free < mark ? Room::Low : Room::Roomy;
  return room_;
}

Result<bool> DiskRoom::release() {
  if (!reserved_) return false;
  reserved_ = false;
  room_ = Room::Full;
  if (Status status = files_->remove(folder_ + reserve_name); !status) return tl::unexpected(status.error());
  return true;
}

}  // namespace cidbus
