#include "tests/support/stepped_disk.h"

#include <gtest/gtest.h>

#include "tests/support/journal_support.h"

namespace cidbus {
namespace {

SteppedDisk open(SimulatedDisk& files) {
  DataDirectoryOptions options;
  options.folder = "data";
  options.cluster = "kitchen";
  options.node = "b1";
  options.journal = journal_test::small_segments();
  return SteppedDisk(DataDirectory::open(files, options).value());
}

TEST(SteppedDisk, CompletionsComeOneByOneAndOnlyWhenDelivered) {
  SimulatedDisk files;
  SteppedDisk disk = open(files);
  disk.submit(PersistVote{Epoch{1}, "b1"});
  disk.submit(WriteBatch{{journal_test::make_batch({}, Epoch{1}, 1, 10), Epoch{1}}});
  EXPECT_EQ(disk.step(), 2U);
  EXPECT_FALSE(disk.poll());
  disk.deliver(1);
  EXPECT_TRUE(std::holds_alternative<VotePersisted>(*disk.poll()));
  EXPECT_FALSE(disk.poll());
  disk.deliver(5);
  EXPECT_TRUE(std::holds_alternative<Persisted>(*disk.poll()));
  EXPECT_FALSE(disk.poll());
}

// A simulated run must give the same disk, byte for byte, for the same seed.
TEST(SteppedDisk, TheSameCommandsGiveTheSameFiles) {
  const auto run = [] {
    SimulatedDisk files;
    SteppedDisk disk = open(files);
    for (const BatchBytes& batch : journal_test::make_batches({}, 50, 700)) {
      disk.submit(WriteBatch{{batch, Epoch{1}}});
      disk.run();
    }
    Prng prng(3);
    files.crash(prng);
    std::vector<Bytes> contents;
    for (const std::string& path : files.paths()) contents.push_back(files.contents(path));
    return contents;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace cidbus
