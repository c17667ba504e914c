#include "shared/io/move_record.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "shared/base/limits/roles.h"
#include "shared/io/posix_file_system.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

class MoveRecordTest : public testing::Test {
 protected:
  MoveRecord open() { return {files, folder, log}; }

  const TemporaryFolder temporary;
  const std::string folder = temporary.path();
  PosixFileSystem files;
  const std::unique_ptr<Log> owned = make_stderr_log("test", LogLevel::Error);
  Log& log = *owned;
};

TEST_F(MoveRecordTest, WhatWasMovedIsKnownAfterARestart) {
  open().add(WallTime{1000}, "slots", "4", "2", "81 % of the memory\tis\nused");
  const MoveRecord record = open();
  ASSERT_EQ(record.moves().size(), 1U);
  const Move move = record.moves().front();
  EXPECT_EQ(move.at.milliseconds, 1000);
  EXPECT_EQ(move.what, "slots");
  EXPECT_EQ(move.from, "4");
  EXPECT_EQ(move.to, "2");
  EXPECT_EQ(move.reason, "81 % of the memory\\x09is\\x0aused");
}

TEST_F(MoveRecordTest, TheNewestAreKeptAndLongTextsAreCut) {
  MoveRecord record = open();
  for (std::size_t number = 1; number <= limits::moves_kept + 3; ++number)
    record.add(WallTime{static_cast<std::int64_t>(number)}, "slots", "1", "2", std::string(1000, 'x'));
  for (const auto& moves : {record.moves(), open().moves()}) {
    ASSERT_EQ(moves.size(), limits::moves_kept);
    EXPECT_EQ(moves.front().at.milliseconds, 4);
    EXPECT_EQ(moves.back().reason.size(), limits::move_reason);
  }
}

TEST_F(MoveRecordTest, LinesThatAreNoneAreLeftOut) {
  std::ofstream(folder + "/moves") << "rubbish\n7\tslots\t1\t2\twhy\n\xff\t\t\t\t\n9\tslots\t2";
  ASSERT_EQ(open().moves().size(), 1U);
  EXPECT_EQ(open().moves().front().at.milliseconds, 7);
}

}  // namespace
}  // namespace cidbus
