#include "shared/node/adaptation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace cidbus {
namespace {

std::string percent(double share) { return std::to_string(std::lround(share * 100)) + " %"; }

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

SlotAdaptation::Pressure SlotAdaptation::pressure(Monotonic now, const Machine& machine) {
  Pressure pressure;
  if (machine.memory_bytes != 0) {
    pressure.memory =
        1 - static_cast<double>(machine.memory_available_bytes) / static_cast<double>(machine.memory_bytes);
  }
  if (seen_ && seen_->stalled && machine.cpu_stalled && now > seen_->at) {
    const double time = seconds(now - seen_->at);
    pressure.stalled = seconds(*machine.cpu_stalled - *seen_->stalled) / time;
    pressure.own_cores = seconds(machine.own_cpu_used - seen_->own) / time;
  }
  seen_ = Seen{now, machine.cpu_stalled, machine.own_cpu_used};
  return pressure;
}

std::optional<SlotAdaptation::Move> SlotAdaptation::measure(Monotonic now, const Machine& machine,
                                                            std::uint32_t slots) {
  next_ = now + every;
  slots_ = slots;
  const Pressure is = pressure(now, machine);
  const bool memory_stays = std::exchange(memory_was_high_, is.on_memory()) && is.on_memory();
  const bool processors_stay = std::exchange(processors_were_busy_, is.on_processors()) && is.on_processors();
  if (!is.memory && !is.stalled) return std::nullopt;  // nothing could be measured
  const Duration rested = moved_ ? now - *moved_ : Duration::max();
  if (slots_ > 1 && rested >= close_cool_down) {
    if (memory_stays) return move(now, slots_ / 2, percent(*is.memory) + " of the memory is used");
    if (processors_stay) {
      if (std::exchange(opened_last_, false))
        open_cool_down_ = std::min(2 * open_cool_down_, longest_open_cool_down);
      std::array<char, 16> own{};
      std::snprintf(own.data(), own.size(), "%.1f", is.own_cores);
      return move(now, slots_ / 2,
                  "processors are waited for in " + percent(std::min(*is.stalled, 1.0)) +
                      " of the time, and its tasks take " + own.data() + " of them");
    }
  }
  if (is.is_over() && slots_ < given_ && rested >= open_cool_down_) {
    opened_last_ = true;
    return move(now, slots_ + 1, "there is room again");
  }
  return std::nullopt;
}

SlotAdaptation::Move SlotAdaptation::move(Monotonic now, std::uint32_t to, std::string reason) {
  moved_ = now;
  return {slots_, to, std::move(reason)};
}

}  // namespace cidbus
