#include "broker/consensus/log_window.h"

#include <gtest/gtest.h>

#include "broker/journal/batch_builder.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {
namespace {

SharedBatch batch_behind(const ChainEnd& before, std::uint64_t epoch, std::size_t records = 1,
                         std::size_t payload = 0) {
  BatchBuilder builder({epoch}, before);
  for (std::size_t at = 0; at < records; ++at) builder.append(1, 1, {}, Bytes(payload));
  return builder.seal();
}

// Batches 1/1-3, 1/4, 3/5-6, 3/7 on disk.
LogWindow some_log() {
  LogWindow log{ChainEnd{}};
  for (const auto& [epoch, records] : {std::pair{1, 3}, {1, 1}, {3, 2}, {3, 1}}) {
    log.append(batch_behind(log.end(), static_cast<std::uint64_t>(epoch), static_cast<std::size_t>(records)));
    log.on_persisted(log.end());
  }
  return log;
}

TEST(LogWindow, HoldsWhatWasAppendedAndTheBeginning) {
  const LogWindow log = some_log();
  EXPECT_TRUE(log.has({{0}, {0}}));
  EXPECT_TRUE(log.has({{1}, {4}}));
  EXPECT_TRUE(log.has({{3}, {7}}));
  EXPECT_FALSE(log.has({{2}, {4}}));
  EXPECT_FALSE(log.has({{3}, {4}}));
  EXPECT_FALSE(log.has({{3}, {8}}));
  EXPECT_EQ(log.epoch_at({5}), Epoch{3});
  EXPECT_EQ(log.last(), (LogPosition{{3}, {7}}));
}

TEST(LogWindow, NamesTheHighestPositionBelowOneThatItDoesNotHold) {
  const LogWindow log = some_log();
  const auto highest = [&](std::uint64_t epoch, std::uint64_t index) {
    return log.highest_at_or_below({{epoch}, {index}});
  };
  EXPECT_EQ(highest(9, 100), (LogPosition{{3}, {7}}));
  EXPECT_EQ(highest(3, 6), (LogPosition{{3}, {6}}));
  EXPECT_EQ(highest(2, 100), (LogPosition{{1}, {4}})) << "no office of epoch 2: the end of the one below";
  EXPECT_EQ(highest(3, 5), (LogPosition{{1}, {4}})) << "5 lies inside a batch";
  EXPECT_EQ(highest(1, 2), (LogPosition{{0}, {0}}));
}

TEST(LogWindow, CutsBackToAPositionAndGoesOnFromThere) {
  LogWindow log = some_log();
  log.cut_after({{1}, {4}}, 0);
  EXPECT_EQ(log.last(), (LogPosition{{1}, {4}}));
  EXPECT_EQ(log.durable(), LogIndex{4});
  EXPECT_FALSE(log.has({{3}, {6}}));
  log.append(batch_behind(log.end(), 5));
  EXPECT_TRUE(log.has({{5}, {5}}));
  EXPECT_EQ(log.epoch_at({4}), Epoch{1});
}

TEST(LogWindow, WordsOfTheDiskAboutCutBatchesAreIgnored) {
  LogWindow log = some_log();
  log.append(batch_behind(log.end(), 3));
  const ChainEnd cut_away = log.end();
  const SharedBatch same = batch_behind({{7}, {3}, some_log().end().crc}, 3);
  log.cut_after({{3}, {7}}, 0);
  log.append(same);  // the very batch comes back, before the disk has cut the first one
  ASSERT_EQ(log.end(), cut_away);
  log.on_persisted(cut_away);
  EXPECT_EQ(log.durable(), LogIndex{7}) << "it is on disk, and about to be cut";
  log.on_cut_done();
  log.on_persisted(cut_away);
  EXPECT_EQ(log.durable(), LogIndex{8});
}

TEST(LogWindow, GivesBatchesFromMemoryWithinLimits) {
  const LogWindow log = some_log();
  std::vector<SharedBatch> out;
  EXPECT_TRUE(log.collect({3}, 2, 1 << 20, out));
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(peek_batch_header(*out[0])->first, LogIndex{4});
  out.clear();
  EXPECT_TRUE(log.collect({0}, 9, 1, out)) << "one always fits";
  EXPECT_EQ(out.size(), 1u);
  out.clear();
  EXPECT_TRUE(log.collect({7}, 9, 1, out));
  EXPECT_TRUE(out.empty());
}

TEST(LogWindow, ForgetsOldBatchesButNeverOnesThatAreNotOnDisk) {
  LogWindow log{ChainEnd{}};
  const std::size_t payload = 200'000;
  std::size_t made = 0;
  for (; made * payload < limits::log_cached_bytes * 2; ++made)
    log.append(batch_behind(log.end(), 1, 1, payload));
  EXPECT_GT(log.cached_bytes(), limits::log_cached_bytes * 3 / 2) << "nothing of it is on disk";
  std::vector<SharedBatch> out;
  EXPECT_TRUE(log.collect({0}, 1, 1, out));
  log.on_persisted(log.end());
  EXPECT_LE(log.cached_bytes(), limits::log_cached_bytes);
  EXPECT_FALSE(log.collect({0}, 1, 1, out)) << "only on disk now";
  EXPECT_TRUE(log.collect({made - 2}, 1, 1, out));
}

TEST(LogWindow, KnowsEveryPositionOfALongLogByItsOffices) {
  LogWindow log{ChainEnd{}};
  for (std::uint64_t at = 1; at <= limits::log_ends * 2; ++at) {
    log.append(batch_behind(log.end(), 1 + at / 5000));
    log.on_persisted(log.end());
  }
  EXPECT_TRUE(log.has({{1}, {17}}));
  EXPECT_FALSE(log.has({{2}, {17}}));
  EXPECT_EQ(log.highest_at_or_below({{1}, {999'999}}), (LogPosition{{1}, {4999}}));
  log.cut_after({{1}, {17}}, 99);
  EXPECT_EQ(log.end(), (ChainEnd{{17}, {1}, 99}));
}

TEST(LogWindow, BeginsBehindASnapshotAndAfterWhatWasFreed) {
  LogWindow log = some_log();
  log.on_freed({5});
  EXPECT_EQ(log.base(), (LogPosition{{1}, {4}}));
  EXPECT_FALSE(log.has({{1}, {3}}));
  EXPECT_TRUE(log.has({{3}, {6}}));
  log.begin_anew({{100}, {9}, 7});
  EXPECT_EQ(log.base(), (LogPosition{{9}, {100}}));
  EXPECT_EQ(log.durable(), LogIndex{100});
  log.append(batch_behind(log.end(), 9));
  EXPECT_TRUE(log.has({{9}, {101}}));
}

TEST(LogWindowDeathTest, RefusesABatchThatDoesNotFollow) {
  LogWindow log = some_log();
  EXPECT_DEATH(log.append(batch_behind({{8}, {3}, 1}, 3)), "batch does not follow");
  EXPECT_DEATH(log.cut_after({{2}, {4}}, 0), "cut behind");
}

}  // namespace
}  // namespace cidbus::group
