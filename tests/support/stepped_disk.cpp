#include "tests/support/stepped_disk.h"

#include <algorithm>
#include <utility>

namespace cidbus {

std::optional<DiskCompletion> SteppedDisk::poll() {
  if (delivered_.empty()) return std::nullopt;
  DiskCompletion first = std::move(delivered_.front());
  delivered_.pop_front();
  return first;
}

std::size_t SteppedDisk::step() {
  executor_.step(done_);
  return done_.size();
}

void SteppedDisk::deliver(std::size_t count) {
  const auto end = done_.begin() + static_cast<std::ptrdiff_t>(std::min(count, done_.size()));
  delivered_.insert(delivered_.end(), std::make_move_iterator(done_.begin()), std::make_move_iterator(end));
  done_.erase(done_.begin(), end);
}

void SteppedDisk::run() {
  while (has_work()) step();
  deliver();
}

}  // namespace cidbus
