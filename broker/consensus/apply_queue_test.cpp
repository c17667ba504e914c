#include "broker/consensus/apply_queue.h"

#include <gtest/gtest.h>

#include "broker/journal/batch_builder.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {
namespace {

// Batches of one record each, found on disk at a restart: nothing of them is in memory.
class ApplyQueueTest : public testing::Test {
 protected:
  ApplyQueueTest() {
    ChainEnd end;
    for (std::size_t at = 0; at < on_disk; ++at) {
      BatchBuilder builder({1}, end);
      builder.append(1, 1, {}, {});
      batches.push_back(builder.seal());
      end = peek_batch_header(*batches.back())->end();
      log.recovered(end);
    }
  }

  // Batches `first` to `last`, as the disk reads them.
  void read(std::size_t first, std::size_t last) {
    queue.on_read({first}, commit,
                  {batches.begin() + static_cast<std::ptrdiff_t>(first - 1),
                   batches.begin() + static_cast<std::ptrdiff_t>(last)});
  }
  // How many are given for one record wanted, and from where on a read is asked for; 0: none is.
  std::pair<std::size_t, std::uint64_t> take() {
    Effects effects;
    const std::size_t given = queue.take(log, commit, 1, effects).size();
    std::uint64_t from = 0;
    for (const Effect& effect : effects.all()) from = std::get<ReadBatches>(effect).from.value;
    return {given, from};
  }

  static constexpr std::size_t on_disk = 9;
  static constexpr LogIndex commit{on_disk};
  std::vector<SharedBatch> batches;
  LogWindow log{ChainEnd{}};
  ApplyQueue queue{LogIndex{}};
};

using Taken = std::pair<std::size_t, std::uint64_t>;

TEST_F(ApplyQueueTest, ReadsOnePieceWhileTheOneBeforeIsApplied) {
  EXPECT_EQ(take(), Taken(0, 1)) << "nothing is in memory";
  EXPECT_FALSE(queue.has(commit));
  read(1, 3);
  EXPECT_EQ(take(), Taken(1, 4)) << "the next piece is asked for with the first batch of this one";
  EXPECT_EQ(take(), Taken(1, 0)) << "one read at a time";
  read(4, 6);
  EXPECT_EQ(take(), Taken(1, 7)) << "the piece before is used up";
  read(7, 9);
  EXPECT_EQ(take(), Taken(1, 0));
  EXPECT_TRUE(queue.lags(log, commit));
  for (std::size_t at = 5; at <= on_disk; ++at) EXPECT_EQ(take(), Taken(1, 0)) << at;
  EXPECT_EQ(queue.given(), commit);
  EXPECT_FALSE(queue.lags(log, commit));
}

// Each read waits behind a sync, and after a steady trickle of tasks a batch holds a few records.
TEST_F(ApplyQueueTest, AsksForAsManyBatchesAsFitNotForAsManyAsAMessageHolds) {
  Effects effects;
  queue.take(log, commit, 1, effects);
  EXPECT_EQ(std::get<ReadBatches>(effects.all().front()).batches, limits::apply_batches);
}

TEST_F(ApplyQueueTest, HoldsNoMoreThanTwoPieces) {
  take();
  read(1, 3);
  EXPECT_EQ(take(), Taken(1, 4));
  read(4, 6);
  EXPECT_EQ(take(), Taken(1, 0)) << "2 of the first piece; 3 is left of it";
  EXPECT_EQ(take(), Taken(1, 7));
}

TEST_F(ApplyQueueTest, TakesNoAnswerToWhatItDoesNotAsk) {
  take();
  read(4, 6);
  EXPECT_FALSE(queue.has(commit));
  queue.begin_anew({3});
  read(1, 3);
  EXPECT_EQ(take(), Taken(0, 4));
}

}  // namespace
}  // namespace cidbus::group
