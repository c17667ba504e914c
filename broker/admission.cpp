#include "broker/admission.h"

#include "shared/base/limits/brokers.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
constexpr Duration room_checked_every = 1s;

}  // namespace

void Admission::on_room(const RoomChanged& changed, Log& log) {
  room_ = changed.room;
  log.warning(std::string("room on the disk is ") + to_text(room_) +
              (roomy() ? ": submissions are taken again" : ": new submissions are refused"));
}

Monotonic Admission::check_room(Now now, Disk& disk) {
  if (now.monotonic >= next_check_) {
    disk.submit(CheckRoom{});
    next_check_ = now.monotonic + room_checked_every;
  }
  return next_check_;
}

std::string_view Admission::refusal(std::size_t uncommitted_bytes) const {
  if (!roomy()) return "the broker's disk is full; make room on it";
  if (uncommitted_bytes > limits::unsynced_bytes) return "the brokers' disks are slower than what arrives";
  return {};
}

}  // namespace cidbus
