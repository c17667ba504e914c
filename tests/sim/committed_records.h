// The committed records of a group, in order, each once, as seen from outside: from the batches that brokers
// hand to their disks, and from how far each has applied them.
//
// The first broker that applies a record says what is committed there (I4 holds every other one to it). So
// whoever reads here sees what the group has promised, whoever leads and whoever has died.
//
// Invariants: 1. a record is given to the reader once, in the order of the index.
// 2. With durability `memory` a batch may be applied before any disk is given it: it is read once one is.
//
// Thread rule: one thread. Limits: memory; the batches of a run.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>

#include "broker/consensus/log_window.h"
#include "broker/journal/batch.h"
#include "tests/sim/base/checkers.h"

namespace cidbus::sim {

class CommittedRecords {
 public:
  using Reader = std::function<void(const RecordView&)>;
  CommittedRecords(Checkers& checkers, Reader reader) : checkers_(checkers), reader_(std::move(reader)) {}

  void on_batch(const BatchBytes& batch);
  // A broker in `epoch` has applied everything up to here.
  void on_applied(Epoch epoch, const group::LogPosition& position);
  [[nodiscard]] LogIndex last() const { return end_.last; }

 private:
  struct Position {
    std::uint64_t index;
    std::uint64_t epoch;
    bool operator==(const Position&) const = default;
  };
  struct PositionHash {
    std::size_t operator()(const Position& position) const {
      return static_cast<std::size_t>(mix_bits(position.index ^ mix_bits(position.epoch)));
    }
  };
  struct EndHash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint32_t>& end) const {
      return static_cast<std::size_t>(mix_bits(end.first ^ mix_bits(end.second)));
    }
  };
  void read_up_to(const ChainEnd& end);

  Checkers& checkers_;
  Reader reader_;
  std::unordered_map<Position, ChainEnd, PositionHash> ends_;  // by the last record
  std::unordered_map<std::pair<std::uint64_t, std::uint32_t>, BatchBytes, EndHash>
      batches_;                                                // by index and CRC
  std::optional<std::pair<Epoch, group::LogPosition>> ahead_;  // applied last, and given to no disk yet
  ChainEnd end_;                                               // of what was read
};

}  // namespace cidbus::sim
