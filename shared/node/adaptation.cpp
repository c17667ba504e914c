#include "shared/node/adaptation.h"

#include <algorithm>
#include <cmath>

namespace cidbus {

std::optional<SlotAdaptation::Move> SlotAdaptation::measure(Monotonic now, const Machine& machine,
                                                            std::uint32_t slots) {
  next_ = now + every;
  slots_ = slots;
  if (machine.memory_bytes == 0) return std::nullopt;  // it could not be measured
  const double used =
      1 - static_cast<double>(machine.memory_available_bytes) / static_cast<double>(machine.memory_bytes);
  const bool is_high = used >= high;
  const bool stays_high = is_high && was_high_;
  was_high_ = is_high;
  const Duration rested = moved_ ? now - *moved_ : Duration::max();
  if (stays_high && slots_ > 1 && rested >= close_cool_down) return move(now, slots_ / 2, used);
  if (used < low && slots_ < given_ && rested >= open_cool_down) return move(now, slots_ + 1, used);
  return std::nullopt;
}

std::optional<SlotAdaptation::Move> SlotAdaptation::move(Monotonic now, std::uint32_t to, double used) {
  moved_ = now;
  return Move{slots_, to, std::to_string(std::lround(used * 100)) + " % of the memory is used"};
}

}  // namespace cidbus
