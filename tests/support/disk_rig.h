// What the tests of a broker's disk share: its options, and a disk that keeps a record of what it told.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "tests/support/journal_support.h"
#include "tests/support/stepped_disk.h"

namespace cidbus::journal_test {

inline DataDirectoryOptions some_options(OnDamage on_damage = OnDamage::Refuse) {
  DataDirectoryOptions options;
  options.folder = "data";
  options.cluster = "kitchen";
  options.node = "b1";
  options.journal = journal_test::few_identifiers();
  options.marks.reserve_bytes = 256 << 10;
  options.on_damage = on_damage;
  return options;
}

// A broker's disk, and a record of what it was told.
class Rig {
 public:
  explicit Rig(SimulatedDisk& files, OnDamage on_damage = OnDamage::Refuse) : disk_(open(files, on_damage)) {}

  static DataDirectory open(SimulatedDisk& files, OnDamage on_damage) {
    auto directory = DataDirectory::open(files, some_options(on_damage));
    EXPECT_TRUE(directory) << (directory ? "" : directory.error().message);
    return std::move(*directory);
  }

  void write(const std::vector<BatchBytes>& batches) {
    for (const BatchBytes& batch : batches) disk_.submit(WriteBatch{{batch, Epoch{1}}});
  }
  void run() {
    disk_.run();
    while (auto completion = disk_.poll()) told_.push_back(std::move(*completion));
  }
  void snapshot(const ChainEnd& last, std::size_t chunks = 3) {
    SnapshotInfo info;
    info.cluster = cluster_id("kitchen");
    info.last = last;
    disk_.submit(SnapshotBegin{info});
    for (std::size_t k = 0; k < chunks; ++k) disk_.submit(SnapshotChunk{Bytes(1000, 1)});
    disk_.submit(SnapshotFinish{});
  }
  // The next completion, which must be of this kind.
  template <typename Kind>
  Kind expect() {
    if (told_.empty() || !std::holds_alternative<Kind>(told_.front())) {
      ADD_FAILURE() << "another completion was expected; next is "
                    << (told_.empty() ? -1 : static_cast<int>(told_.front().index()));
      return {};
    }
    Kind kind = std::get<Kind>(std::move(told_.front()));
    told_.pop_front();
    return kind;
  }
  void expect_nothing_else() { EXPECT_TRUE(told_.empty()) << "kind " << told_.front().index(); }
  [[nodiscard]] std::size_t count_of_persisted() const {
    std::size_t count = 0;
    for (const DiskCompletion& completion : told_)
      count += std::holds_alternative<Persisted>(completion) ? 1 : 0;
    return count;
  }

  SteppedDisk& disk() { return disk_; }
  std::deque<DiskCompletion>& told() { return told_; }

 private:
  SteppedDisk disk_;
  std::deque<DiskCompletion> told_;
};

}  // namespace cidbus::journal_test
