// Adaptation at work in a node that runs: measures the machine when that is due, moves the numbers that the
// rule (shared/node/adaptation.h) names, and says so: in the log, in the node's record of moves, to the
// leader, in the metrics.
//
// Invariants
//  1. What is told of a number is what its component says, after the move too, never what was meant.
//  2. What a lower number let go of is given back to the machine at once.
//
// Thread rule: one owner. Limits: limits/roles.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shared/io/bus_link.h"
#include "shared/io/move_record.h"
#include "shared/metrics/registry.h"
#include "shared/node/adaptation.h"

namespace cidbus {

class NodeAdaptation {
 public:
  struct Number {
    AdaptedNumber rule;
    std::string (*text)(std::uint64_t) = nullptr;  // as people read it
    std::function<std::uint64_t()> read;           // of the component
    std::function<void(std::uint64_t)> move;       // likewise
  };
  // `folder`: of the record; empty: it is kept as long as the node runs. REQUIRES: what is referred to
  // outlives it.
  NodeAdaptation(FileSystem& files, const std::string& folder, Log& log, Registry& registry,
                 std::vector<Number> numbers);

  // Whether anything moved; then the leader is to be told.
  bool turn(Now now);
  [[nodiscard]] Monotonic next() const { return rule_.next(); }
  void tell(BusLink& link) const;

 private:
  [[nodiscard]] std::vector<std::uint64_t> values() const;

  const std::string folder_;
  Log& log_;
  Registry& registry_;
  MoveRecord record_;
  const std::vector<Number> numbers_;
  Adaptation rule_;
};

// "4"; "32 MiB", "95.4 MiB".
std::string count_text(std::uint64_t count);
std::string mebibytes_text(std::uint64_t bytes);

}  // namespace cidbus
