#include "broker/journal/disk_thread.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "shared/io/posix_file_system.h"
#include "tests/support/journal_support.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

using journal_test::bytes_of;
using journal_test::contents;
using journal_test::end_of;
using journal_test::make_batch;

class DiskThreadTest : public testing::Test {
 protected:
  Result<DataDirectory> open() {
    DataDirectoryOptions options;
    options.folder = folder_ + "/b1";
    options.cluster = "kitchen";
    options.node = "b1";
    options.journal = {1 << 20, 64 << 10};
    options.marks.soft_bytes = 0;
    options.marks.reserve_bytes = 1 << 20;
    return DataDirectory::open(files_, options);
  }

  // The next completion; waits for the disk as a reactor does.
  static DiskCompletion wait_for(DiskThread& disk) {
    while (true) {
      if (auto completion = disk.poll()) return std::move(*completion);
      pollfd ready{disk.ready_fd(), POLLIN, 0};
      ENSURE(::poll(&ready, 1, 60'000) == 1, "the disk says nothing");
    }
  }

  PosixFileSystem files_;
  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.path();
};

TEST_F(DiskThreadTest, KeepsOnARealDiskWhatItSaysItKeeps) {
  std::vector<BatchBytes> all;
  {
    auto directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    DiskThread disk(std::move(*directory));
    disk.submit(PersistVote{Epoch{1}, "b1"});
    EXPECT_EQ(std::get<VotePersisted>(wait_for(disk)).epoch, Epoch{1});
    ChainEnd end;
    ChainEnd persisted;
    for (std::size_t k = 0; k < 2000; ++k) {
      all.push_back(make_batch(end, Epoch{1}, 1 + k % 5, 200 + k % 700));
      end = end_of(all.back());
      disk.submit(WriteBatch{{all.back(), Epoch{1}}});
      while (end.last.value - persisted.last.value > 100) persisted = std::get<Persisted>(wait_for(disk)).end;
    }
    while (persisted != end) persisted = std::get<Persisted>(wait_for(disk)).end;

    SnapshotInfo info;
    info.cluster = cluster_id("kitchen");
    info.last = end;
    disk.submit(SnapshotBegin{info});
    for (int k = 0; k < 5; ++k) disk.submit(SnapshotChunk{Bytes(256 << 10, 3)});
    disk.submit(SnapshotFinish{});
    for (int k = 0; k < 5; ++k) EXPECT_TRUE(std::holds_alternative<SnapshotChunkWritten>(wait_for(disk)));
    EXPECT_EQ(std::get<SnapshotDone>(wait_for(disk)).last, end.last);
    disk.stop();
    EXPECT_FALSE(disk.poll());
  }
  const auto directory = open();
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_TRUE(directory->notices().empty());
  EXPECT_EQ(contents(directory->journal(), LogIndex{1}), bytes_of(all));
  EXPECT_EQ(directory->newest_snapshot()->info.last, end_of(all.back()));
}

TEST_F(DiskThreadTest, StopDoesWhatWasSubmittedBefore) {
  const BatchBytes batch = make_batch({}, Epoch{1}, 1, 10);
  {
    DiskThread disk(std::move(*open()));
    disk.submit(WriteBatch{{batch, Epoch{1}}});
    disk.stop();
    EXPECT_EQ(std::get<Persisted>(*disk.poll()).end, end_of(batch));
    disk.stop();
  }
  EXPECT_EQ(open()->journal().end(), end_of(batch));
}

TEST_F(DiskThreadTest, AnotherProcessIsRefusedWhileItRuns) {
  DiskThread disk(std::move(*open()));
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, FaultKind::TryAgain);
  EXPECT_NE(second.error().message.find("is in use by another process"), std::string::npos);
}

}  // namespace
}  // namespace cidbus
