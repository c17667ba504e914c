// I9: the same records give the same state, on every broker and after every restart.
#pragma once

#include <array>
#include <unordered_map>

#include "shared/base/ids.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class EqualStates {
 public:
  using Digest = std::array<std::uint64_t, 2>;
  // A broker's state after the record.
  void on_state(LogIndex applied, const Digest& digest) {
    const auto [found, is_new] = digests_.emplace(applied.value, digest);
    check(is_new || found->second == digest, "I9 equal states", "after record ", applied.value);
  }
  [[nodiscard]] std::size_t count() const { return digests_.size(); }

 private:
  std::unordered_map<std::uint64_t, Digest> digests_;
};

}  // namespace cidbus::sim
