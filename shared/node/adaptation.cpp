#include "shared/node/adaptation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

std::string percent(double share) { return std::to_string(std::lround(share * 100)) + " %"; }

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

bool Adaptation::Pressure::is_over(const AdaptedNumber& number) const {
  if (number.takes_memory && memory.value_or(0) >= memory_low) return false;
  return !number.takes_processors || stalled.value_or(0) < stalled_low || own_cores < own_cores_least;
}

Adaptation::Adaptation(const std::vector<AdaptedNumber>& numbers) {
  for (const AdaptedNumber& number : numbers) {
    ENSURE(number.least <= number.given, number.what, number.least, number.given);
    states_.push_back({.number = number});
  }
}

Adaptation::Pressure Adaptation::pressure(Monotonic now, const Machine& machine) {
  Pressure is;
  if (machine.memory_bytes != 0) {
    is.memory =
        1 - static_cast<double>(machine.memory_available_bytes) / static_cast<double>(machine.memory_bytes);
  }
  if (seen_ && seen_->stalled && machine.cpu_stalled && now > seen_->at) {
    const double time = seconds(now - seen_->at);
    is.stalled = seconds(*machine.cpu_stalled - *seen_->stalled) / time;
    is.own_cores = seconds(machine.own_cpu_used - seen_->own) / time;
  }
  seen_ = Seen{now, machine.cpu_stalled, machine.own_cpu_used};
  is.memory_stays = std::exchange(memory_was_high_, is.on_memory()) && is.on_memory();
  is.processors_stay = std::exchange(processors_were_busy_, is.on_processors()) && is.on_processors();
  return is;
}

// Empty: nothing says so.
std::string Adaptation::why_lower(const AdaptedNumber& number, const Pressure& is) {
  if (number.takes_memory && is.memory_stays) return percent(*is.memory) + " of the memory is used";
  if (!number.takes_processors || !is.processors_stay) return {};
  std::array<char, 16> own{};
  std::snprintf(own.data(), own.size(), "%.1f", is.own_cores);
  return "processors are waited for in " + percent(std::min(*is.stalled, 1.0)) +
         " of the time, and its tasks take " + own.data() + " of them";
}

std::vector<Adaptation::Move> Adaptation::measure(Monotonic now, const Machine& machine,
                                                  const std::vector<std::uint64_t>& values) {
  ENSURE(values.size() == states_.size(), values.size(), states_.size());
  next_ = now + every;
  const Pressure is = pressure(now, machine);
  std::vector<Move> moves;
  if (!is.memory && !is.stalled) return moves;  // nothing could be measured
  for (std::size_t place = 0; place < states_.size(); ++place) {
    State& state = states_[place];
    const AdaptedNumber& number = state.number;
    const std::uint64_t value = values[place];
    const Duration rested = state.moved ? now - *state.moved : Duration::max();
    std::string reason = why_lower(number, is);
    if (!reason.empty() && value > number.least && rested >= lower_cool_down) {
      if (std::exchange(state.returned_last, false))
        state.return_after = std::min(2 * state.return_after, longest_return);
      moves.push_back({place, std::max(value / 2, number.least), std::move(reason)});
    } else if (value < number.given && rested >= state.return_after && is.is_over(number)) {
      state.returned_last = true;
      const std::uint64_t up = number.returns_by_one ? value + 1 : 2 * value;
      moves.push_back({place, std::min(up, number.given), "there is room again"});
    } else {
      continue;
    }
    state.moved = now;
  }
  return moves;
}

}  // namespace cidbus
