#include "broker/journal/journal.h"

#include <gtest/gtest.h>

#include "tests/support/journal_support.h"

namespace cidbus {
namespace {

using namespace journal_test;

void append(Journal& journal, const std::vector<BatchBytes>& batches) {
  const Status status = journal.append(as_new(batches));
  ASSERT_TRUE(status) << status.error().message;
}

TEST(Journal, ReplayGivesBackEveryBatchByteForByteOverManySegments) {
  SimulatedDisk disk;
  Prng prng(1);
  std::vector<BatchBytes> all;
  {
    Journal journal = opened(disk, small_segments());
    EXPECT_EQ(journal.first(), LogIndex{1});
    for (int k = 0; k < 200; ++k) {
      const auto group = make_batches(journal.end(), prng.between(1, 5), prng.below(3000), Epoch{1}, 7);
      append(journal, group);
      all.insert(all.end(), group.begin(), group.end());
      EXPECT_EQ(journal.end(), end_of(all.back()));
    }
    EXPECT_EQ(contents(journal), bytes_of(all));
  }
  EXPECT_GT(disk.paths().size(), 5U);
  disk.kill();
  const Journal journal = opened(disk, small_segments());
  EXPECT_EQ(contents(journal), bytes_of(all));
  EXPECT_EQ(journal.end(), end_of(all.back()));
}

TEST(Journal, ABatchOfTheLargestSizeGoesThroughASegmentOfTheUsualSize) {
  SimulatedDisk disk;
  const JournalOptions options;
  Journal journal = opened(disk, options);
  std::vector<BatchBytes> all;
  for (int k = 0; k < 3; ++k) {
    all.push_back(make_batch(journal.end(), Epoch{1}, 1, record_payload_bytes, static_cast<std::uint8_t>(k)));
    EXPECT_EQ(all.back()->size(), limits::batch_bytes);
    append(journal, {all.back()});
  }
  EXPECT_EQ(contents(journal), bytes_of(all));
  disk.crash_losing_all();
  EXPECT_EQ(contents(opened(disk, options)), bytes_of(all));
}

TEST(Journal, SeveralBatchesAreMadeDurableByOneSync) {
  SimulatedDisk disk;
  Journal journal = opened(disk, small_segments());
  append(journal, make_batches(journal.end(), 1, 100));  // finds zeros to be written ahead
  const std::uint64_t before = disk.operations();
  append(journal, make_batches(journal.end(), 1, 100));
  const std::uint64_t for_one = disk.operations() - before;
  append(journal, make_batches(journal.end(), 20, 100));
  EXPECT_EQ(disk.operations() - before, 2 * for_one);
}

TEST(Journal, ASegmentThatRunsOutOfIdentifiersIsFull) {
  SimulatedDisk disk;
  Journal journal = opened(disk, few_identifiers());
  std::vector<BatchBytes> all = make_batches(journal.end(), 50, 10);
  append(journal, all);
  EXPECT_EQ(disk.paths().size(), 4U);  // 15 batches each, and one identifier kept for a cut
  disk.crash_losing_all();
  EXPECT_EQ(contents(opened(disk, few_identifiers())), bytes_of(all));
}

TEST(Journal, TheNextSegmentIsMadeAheadSoThatRollingTakesNoRoom) {
  SimulatedDisk disk;
  Journal journal = opened(disk, few_identifiers());
  EXPECT_FALSE(journal.wants_spare());
  append(journal, make_batches(journal.end(), 9, 10));
  EXPECT_TRUE(journal.wants_spare());
  ASSERT_TRUE(journal.make_spare());
  EXPECT_FALSE(journal.wants_spare());
  disk.set_capacity(disk.used());
  append(journal, make_batches(journal.end(), 9, 10));
  disk.set_capacity(1 << 30);
  disk.crash_losing_all();
  EXPECT_EQ(contents(opened(disk, few_identifiers())).size(), 18U);
}

TEST(Journal, ASpareSegmentIsFoundAgainAndUsed) {
  SimulatedDisk disk;
  {
    Journal journal = opened(disk, few_identifiers());
    append(journal, make_batches(journal.end(), 9, 10));
    ASSERT_TRUE(journal.make_spare());
  }
  disk.crash_losing_all();
  Journal journal = opened(disk, few_identifiers());
  EXPECT_FALSE(journal.wants_spare());
  const auto files = disk.paths().size();
  append(journal, make_batches(journal.end(), 9, 10));
  EXPECT_EQ(disk.paths().size(), files);
}

TEST(Journal, AReaderBeginsInTheBatchThatHoldsARecordAndGoesOnWithWhatIsAppended) {
  SimulatedDisk disk;
  Journal journal = opened(disk, few_identifiers());
  std::vector<BatchBytes> all = make_batches(journal.end(), 40, 10);
  append(journal, all);
  for (std::uint64_t index = 1; index <= journal.end().last.value; ++index) {
    JournalReader reader(journal, LogIndex{index});
    const auto batch = reader.next_batch();
    ASSERT_TRUE(batch && *batch);
    EXPECT_LE((*batch)->header().first, LogIndex{index});
    EXPECT_GE((*batch)->header().last(), LogIndex{index});
  }
  JournalReader reader(journal, next(journal.end().last));
  EXPECT_FALSE(*reader.next_batch());
  for (int k = 0; k < 30; ++k) {
    const auto more = make_batches(journal.end(), 2, 700);
    append(journal, more);
    for (const BatchBytes& expected : more) {
      const auto batch = reader.next_batch();
      ASSERT_TRUE(batch && *batch);
      EXPECT_TRUE(equal((*batch)->bytes(), *expected));
    }
    EXPECT_FALSE(*reader.next_batch());
  }
}

// ---- cutting

TEST(Journal, ACutTakesBatchesOutAndOthersTakeTheirPlaceForGood) {
  for (const std::uint64_t keep : {0U, 1U, 7U, 13U, 14U, 15U, 29U, 39U}) {
    SimulatedDisk disk;
    std::vector<BatchBytes> expected;
    {
      Journal journal = opened(disk, few_identifiers());
      const auto old = make_batches(journal.end(), 40, 10);
      append(journal, old);
      expected.assign(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(keep));
      ASSERT_TRUE(journal.cut_from(peek_batch_header(*old[keep])->first));
      EXPECT_EQ(contents(journal), bytes_of(expected));
      const auto fresh = make_batches(journal.end(), 20, 30, Epoch{2}, 9);
      append(journal, fresh);
      expected.insert(expected.end(), fresh.begin(), fresh.end());
      EXPECT_EQ(contents(journal), bytes_of(expected));
    }
    disk.crash_losing_all();
    EXPECT_EQ(contents(opened(disk, few_identifiers())), bytes_of(expected)) << keep;
  }
}

TEST(Journal, CutsAndAppendsInAnyOrderGiveWhatTheySay) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SimulatedDisk disk;
    Prng prng(seed);
    std::vector<BatchBytes> expected;
    auto journal = std::make_unique<Journal>(opened(disk, few_identifiers()));
    for (std::uint64_t round = 1; round < 40; ++round) {
      if (prng.chance(2, 3) || expected.empty()) {
        const auto group = make_batches(journal->end(), prng.between(1, 12), prng.below(2000), Epoch{round});
        append(*journal, group);
        expected.insert(expected.end(), group.begin(), group.end());
      } else {
        const auto keep = prng.below(expected.size());
        ASSERT_TRUE(journal->cut_from(peek_batch_header(*expected[keep])->first));
        expected.resize(keep);
      }
      if (prng.chance(1, 4)) {
        ASSERT_TRUE(journal->make_spare());
      }
      if (prng.chance(1, 5)) {
        journal.reset();
        disk.crash_losing_all();
        journal = std::make_unique<Journal>(opened(disk, few_identifiers()));
      }
      ASSERT_EQ(contents(*journal), bytes_of(expected)) << "seed " << seed << " round " << round;
    }
  }
}

TEST(JournalDeathTest, ACutWithinABatchIsABug) {
  SimulatedDisk disk;
  Journal journal = opened(disk, small_segments());
  append(journal, {make_batch(journal.end(), Epoch{1}, 3, 10)});
  EXPECT_DEATH((void)journal.cut_from(LogIndex{2}), "a cut within a batch");
}

TEST(JournalDeathTest, ABatchThatDoesNotFollowIsABug) {
  SimulatedDisk disk;
  Journal journal = opened(disk, small_segments());
  EXPECT_DEATH((void)journal.append(as_new({make_batch({{5}, {1}, 3}, Epoch{1}, 1, 10)})), "follows");
}

// ---- freeing

TEST(Journal, SegmentsAreFreedOldestFirstAndOnlyWhollyBeforeTheIndex) {
  SimulatedDisk disk;
  Journal journal = opened(disk, few_identifiers());
  const auto all = make_batches(journal.end(), 50, 10);
  append(journal, all);
  const LogIndex in_second = peek_batch_header(*all[20])->first;
  EXPECT_EQ(journal.drop_one_before(in_second).value(), false);
  EXPECT_EQ(journal.first(), peek_batch_header(*all[15])->first);
  EXPECT_EQ(journal.drop_one_before(in_second).value(), false);
  EXPECT_EQ(contents(journal), bytes_of({all.begin() + 15, all.end()}));
  disk.crash_losing_all();
  Journal again = opened(disk, few_identifiers());
  EXPECT_EQ(again.first(), peek_batch_header(*all[15])->first);
  EXPECT_EQ(contents(again), bytes_of({all.begin() + 15, all.end()}));
  while (again.drop_one_before({~0ULL}).value()) continue;
  EXPECT_EQ(again.end(), end_of(all.back()));
  EXPECT_LE(again.first(), again.end().last);
}

TEST(Journal, TheLastSegmentThatHoldsSomethingIsNeverFreed) {
  SimulatedDisk disk;
  Journal journal = opened(disk, few_identifiers());
  append(journal, make_batches(journal.end(), 15, 10));
  append(journal, make_batches(journal.end(), 1, 10));
  ASSERT_TRUE(journal.cut_from(journal.end().last));  // the second segment is empty now
  EXPECT_EQ(journal.drop_one_before({~0ULL}).value(), false);
  EXPECT_EQ(journal.first(), LogIndex{1});
}

TEST(Journal, BegunAnewItHoldsNothingAndGoesOnAfterTheSnapshot) {
  SimulatedDisk disk;
  const ChainEnd base{{1000}, {7}, 0xabcdef};
  std::vector<BatchBytes> fresh;
  {
    Journal journal = opened(disk, few_identifiers());
    append(journal, make_batches(journal.end(), 40, 10));
    ASSERT_TRUE(journal.make_spare());
    ASSERT_TRUE(journal.begin_anew(base));
    EXPECT_EQ(journal.end(), base);
    EXPECT_EQ(journal.first(), LogIndex{1001});
  }
  disk.crash_losing_all();
  {
    Journal journal = opened(disk, few_identifiers());
    EXPECT_EQ(journal.end(), base);
    fresh = make_batches(base, 20, 10, Epoch{7});
    append(journal, fresh);
  }
  disk.crash_losing_all();
  EXPECT_EQ(contents(opened(disk, few_identifiers())), bytes_of(fresh));
}

TEST(Journal, TheHighestOfficeEverWrittenIsRemembered) {
  SimulatedDisk disk;
  Journal journal = opened(disk, small_segments());
  const BatchBytes batch = make_batch(journal.end(), Epoch{3}, 1, 10);
  const std::vector<NewBatch> sent{{batch, Epoch{9}}};  // an old batch, sent on by a later office
  ASSERT_TRUE(journal.append(sent));
  disk.crash_losing_all();
  JournalRecovery recovery;
  ASSERT_TRUE(open_journal(disk, small_segments(), recovery));
  EXPECT_EQ(recovery.highest_office, Epoch{9});
  EXPECT_EQ(recovery.claim, end_of(batch));
}

// ---- no room, failing disk

TEST(Journal, ABatchThatFindsNoRoomIsNotInTheJournalAndMayBeGivenAgain) {
  for (std::uint64_t operation = 0; operation < 12; ++operation) {
    SimulatedDisk disk;
    Journal journal = opened(disk, few_identifiers());
    const auto before = make_batches(journal.end(), 13, 10);
    append(journal, before);
    const auto group = make_batches(journal.end(), 5, 600);  // over the change of segments
    disk.plan(operation, DiskAccident::NoRoom);
    const Status status = journal.append(as_new(group));
    if (!disk.accident_happened()) break;
    std::vector<Bytes> expected = bytes_of(before);
    if (!status) {
      if (status.error().kind != FaultKind::TryAgain)
        continue;  // a sync that fails is the end, whatever it says
      const auto held = contents(journal);
      ASSERT_GE(held.size(), before.size());
      ASSERT_EQ(journal.end().last.value + 1,
                peek_batch_header(*group[held.size() - before.size()])->first.value);
      append(journal,
             {group.begin() + static_cast<std::ptrdiff_t>(held.size() - before.size()), group.end()});
    }
    for (const Bytes& bytes : bytes_of(group)) expected.push_back(bytes);
    EXPECT_EQ(contents(journal), expected);
    disk.crash_losing_all();
    EXPECT_EQ(contents(opened(disk, few_identifiers())), expected) << operation;
  }
}

TEST(Journal, WhatFoundNoRoomAndWasNotGivenAgainIsThereByWholeBatchesOrNotAfterARestart) {
  for (std::uint64_t operation = 0; operation < 2; ++operation) {
    SimulatedDisk disk;
    Journal journal = opened(disk, small_segments());
    std::vector<BatchBytes> all = make_batches(journal.end(), 3, 10);
    append(journal, all);
    disk.plan(operation, DiskAccident::NoRoom);
    const auto group = make_batches(journal.end(), 4, 5000);
    ASSERT_FALSE(journal.append(as_new(group)));
    EXPECT_EQ(journal.end(), end_of(all.back()));
    EXPECT_EQ(contents(journal), bytes_of(all));
    disk.kill();
    all.insert(all.end(), group.begin(), group.end());
    const auto held = contents(opened(disk, small_segments()));
    ASSERT_GE(held.size(), 3U);
    ASSERT_LE(held.size(), 7U);
    EXPECT_EQ(held, bytes_of({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(held.size())}));
  }
}

TEST(Journal, AFailedSyncIsAFaultOfItsOwnAndTheFileNeverSyncsAgain) {
  SimulatedDisk disk;
  Journal journal = opened(disk, small_segments());
  const auto before = make_batches(journal.end(), 3, 10);
  append(journal, before);
  disk.plan(2, DiskAccident::Broken);  // data, identifiers, sync
  const auto group = make_batches(journal.end(), 2, 10);
  const Status status = journal.append(as_new(group));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, FaultKind::Failed);
  EXPECT_EQ(journal.close().error().kind, FaultKind::Failed);
  disk.crash_losing_all();
  EXPECT_EQ(contents(opened(disk, small_segments())), bytes_of(before));
}

}  // namespace
}  // namespace cidbus
