// I2: equal (index, epoch) means equal prefix. A batch's checksum covers that of the batch before it, so the
// last batch stands for the whole prefix.
#pragma once

#include <unordered_map>

#include "broker/consensus/log_window.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class LogMatching {
 public:
  void on_batch(const ChainEnd& end) {
    const std::uint64_t key = mix_bits(end.epoch.value) ^ end.last.value;
    const auto [found, is_new] = ends_.emplace(key, end);
    check(is_new || found->second == end, "I2 log matching", "two batches end with record ", end.last.value,
          " of epoch ", end.epoch.value);
  }

 private:
  std::unordered_map<std::uint64_t, ChainEnd> ends_;
};

}  // namespace cidbus::sim
