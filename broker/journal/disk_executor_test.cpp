#include "broker/journal/disk_executor.h"

#include <gtest/gtest.h>

#include "tests/support/disk_rig.h"

namespace cidbus {
namespace {

using journal_test::bytes_of;
using journal_test::contents;
using journal_test::end_of;
using journal_test::make_batch;
using journal_test::make_batches;
using journal_test::Rig;
using journal_test::some_options;

TEST(DiskExecutor, BatchesThatWaitTogetherArePersistedTogether) {
  SimulatedDisk files;
  Rig rig(files);
  const auto batches = make_batches({}, 5, 10);
  rig.write(batches);
  rig.run();
  EXPECT_EQ(rig.expect<Persisted>().end, end_of(batches.back()));
  rig.expect_nothing_else();
}

TEST(DiskExecutor, NothingIsToldBeforeTheDiskWasStepped) {
  SimulatedDisk files;
  Rig rig(files);
  rig.write(make_batches({}, 1, 10));
  EXPECT_TRUE(rig.disk().has_work());
  EXPECT_FALSE(rig.disk().poll());
  EXPECT_EQ(rig.disk().step(), 1U);
  EXPECT_FALSE(rig.disk().poll()) << "not delivered yet";
  rig.disk().deliver();
  EXPECT_TRUE(rig.disk().poll());
}

TEST(DiskExecutor, AVoteOvertakesBatchesAndIsThereAfterAPowerCut) {
  SimulatedDisk files;
  {
    Rig rig(files);
    rig.write(make_batches({}, 2, 10));
    rig.disk().submit(PersistVote{Epoch{4}, "b1"});
    rig.run();
    const auto vote = rig.expect<VotePersisted>();
    EXPECT_EQ(vote.epoch, Epoch{4});
    EXPECT_EQ(vote.voted, "b1");
    rig.expect<Persisted>();
    rig.expect_nothing_else();
  }
  files.crash_losing_all();
  const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
  EXPECT_EQ(directory.votes().state().epoch, Epoch{4});
  EXPECT_EQ(directory.votes().state().voted, "b1");
  EXPECT_FALSE(directory.votes().wants_mirror());
}

// CONSENSUS D4.
TEST(DiskExecutor, OnlyAVoteThatFoundsTheGroupProvesANewFolder) {
  SimulatedDisk files;
  DataDirectoryOptions options = some_options(OnDamage::Keep);
  options.new_is_unproven = true;
  ASSERT_TRUE(DataDirectory::open(files, options));
  for (const bool founds : {false, true}) {
    {
      Rig rig(files, OnDamage::Keep);
      rig.disk().submit(PersistVote{Epoch{4}, "b1", founds});
      rig.run();
      rig.expect<VotePersisted>();
    }
    files.crash_losing_all();
    const DataDirectory directory = Rig::open(files, OnDamage::Keep);
    EXPECT_EQ(directory.is_new(), !founds);
    EXPECT_EQ(directory.repairing(), !founds);
    EXPECT_EQ(directory.votes().state().voted, "b1");
  }
}

TEST(DiskExecutor, ACutTakesBackWhatIsWrittenAndWhatWaits) {
  SimulatedDisk files;
  Rig rig(files);
  const auto old = make_batches({}, 6, 10);
  rig.write({old.begin(), old.begin() + 3});
  rig.run();
  rig.expect<Persisted>();
  rig.write({old.begin() + 3, old.end()});
  rig.disk().submit(CutFrom{peek_batch_header(*old[2])->first});
  const auto fresh = make_batches(end_of(old[1]), 2, 10, Epoch{2});
  rig.write(fresh);
  rig.run();
  EXPECT_EQ(rig.expect<CutDone>().end, end_of(old[1]));
  EXPECT_EQ(rig.expect<Persisted>().end, end_of(fresh.back()));
  rig.expect_nothing_else();
}

TEST(DiskExecutor, ACutOfWhatWaitsAloneLeavesWhatWasBefore) {
  SimulatedDisk files;
  Rig rig(files);
  const auto old = make_batches({}, 6, 10);
  rig.write(old);
  rig.disk().submit(CutFrom{peek_batch_header(*old[4])->first});
  rig.run();
  EXPECT_EQ(rig.expect<Persisted>().end, end_of(old[3]));
  EXPECT_EQ(rig.expect<CutDone>().end, end_of(old[3]));
  rig.expect_nothing_else();
}

TEST(DiskExecutor, LargeGroupsAreSplitSoThatNoSyncTakesLong) {
  SimulatedDisk files;
  DataDirectoryOptions options = some_options();
  options.journal = {};
  SteppedDisk disk(DataDirectory::open(files, options).value());
  ChainEnd end;
  for (int k = 0; k < 20; ++k) {
    const BatchBytes batch = make_batch(end, Epoch{1}, 1, record_payload_bytes);
    end = end_of(batch);
    disk.submit(WriteBatch{{batch, Epoch{1}}});
  }
  disk.step();
  disk.deliver();
  EXPECT_EQ(std::get<Persisted>(*disk.poll()).end.last, LogIndex{8});
}

// ---- snapshots

TEST(DiskExecutor, ASnapshotIsWrittenBetweenBatchesAndSaysWhatMayBeFreed) {
  SimulatedDisk files;
  Rig rig(files);
  const auto batches = make_batches({}, 60, 10);
  rig.write(batches);
  rig.run();
  rig.told().clear();
  rig.snapshot(end_of(batches[20]));
  rig.run();
  for (int k = 0; k < 3; ++k) EXPECT_EQ(rig.expect<SnapshotChunkWritten>().bytes, 1000U);
  const auto first = rig.expect<SnapshotDone>();
  EXPECT_EQ(first.last, end_of(batches[20]).last);
  EXPECT_EQ(first.droppable_before, LogIndex{1});
  rig.disk().submit(DropBefore{end_of(batches[20]).last});
  rig.run();
  EXPECT_EQ(rig.expect<Dropped>().first, LogIndex{1}) << "one snapshot alone frees nothing";
  rig.snapshot(end_of(batches[50]), 0);
  rig.run();
  EXPECT_EQ(rig.expect<SnapshotDone>().droppable_before, next(end_of(batches[20]).last));
  rig.disk().submit(DropBefore{{~0ULL}});
  rig.run();
  const LogIndex first_kept = rig.expect<Dropped>().first;
  EXPECT_EQ(first_kept, peek_batch_header(*batches[15])->first) << "whole segments before the older snapshot";
  rig.expect_nothing_else();
}

TEST(DiskExecutor, BatchesAreNotHeldUpByASnapshotOfManyChunks) {
  SimulatedDisk files;
  Rig rig(files);
  const auto batches = make_batches({}, 10, 10);
  rig.write({batches[0]});
  rig.run();
  rig.told().clear();
  rig.snapshot(end_of(batches[0]), 50);
  for (std::size_t k = 1; k < batches.size(); ++k) {
    rig.write({batches[k]});
    rig.disk().step();
    rig.disk().deliver();
    bool persisted = false;
    while (const auto completion = rig.disk().poll())
      persisted |= std::holds_alternative<Persisted>(*completion);
    EXPECT_TRUE(persisted) << k;
  }
  EXPECT_TRUE(rig.disk().has_work());
}

TEST(DiskExecutor, ASnapshotCountsOnlyOnceTheJournalHoldsWhatItWasTakenOf) {
  SimulatedDisk files;
  Rig rig(files);
  const auto batches = make_batches({}, 2, 10);
  rig.snapshot(end_of(batches[1]), 0);
  rig.run();
  rig.expect_nothing_else();
  rig.write(batches);
  rig.run();
  rig.expect<Persisted>();
  rig.expect<SnapshotDone>();
  rig.expect_nothing_else();
}

TEST(DiskExecutor, AnAbandonedSnapshotLeavesNothingAndAnotherMayFollow) {
  SimulatedDisk files;
  Rig rig(files);
  const auto batches = make_batches({}, 2, 10);
  rig.write(batches);
  SnapshotInfo info;
  info.cluster = cluster_id("kitchen");
  info.last = end_of(batches[1]);
  rig.disk().submit(SnapshotBegin{info});
  rig.disk().submit(SnapshotChunk{Bytes(10, 1)});
  rig.disk().submit(SnapshotAbandon{});
  rig.run();
  rig.expect<Persisted>();
  rig.expect<SnapshotChunkWritten>();
  rig.expect_nothing_else();
  rig.snapshot(end_of(batches[1]), 0);
  rig.run();
  rig.expect<SnapshotDone>();
}

// ---- no room

TEST(DiskExecutor, NoRoomAtAnyOperationLosesAndReordersNothing) {
  for (std::uint64_t operation = 0;; ++operation) {
    SimulatedDisk files;
    const auto batches = make_batches({}, 40, 100);
    bool reached = false;
    {
      Rig rig(files);
      files.plan(operation, DiskAccident::NoRoom);
      for (std::size_t k = 0; k < batches.size(); k += 4) {
        rig.write({batches.begin() + static_cast<std::ptrdiff_t>(k),
                   batches.begin() + static_cast<std::ptrdiff_t>(k) + 4});
        if (k == 20) rig.snapshot(end_of(batches[10]));
        rig.run();
        rig.disk().submit(CheckRoom{});
      }
      rig.run();
      reached = files.accident_happened();
      LogIndex persisted;
      bool failed = false;
      for (const DiskCompletion& completion : rig.told()) {
        if (const auto* told = std::get_if<Persisted>(&completion)) {
          EXPECT_GT(told->end.last, persisted);
          persisted = told->end.last;
        }
        failed |= std::holds_alternative<DiskFailed>(completion);
      }
      // A sync, or a removal, that finds no room is a failed disk.
      EXPECT_TRUE(failed || persisted == end_of(batches.back()).last) << operation;
      files.crash_losing_all();
      const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
      const auto held = contents(directory.journal());
      EXPECT_GE(directory.journal().end().last, persisted);
      EXPECT_TRUE(std::equal(held.begin(), held.end(), bytes_of(batches).begin()));
    }
    if (!reached) return;
  }
}

TEST(DiskExecutor, AFullDiskIsToldTheReserveIsSpentAndAllGoesOnWhenThereIsRoomAgain) {
  SimulatedDisk files(4 << 20);
  Rig rig(files);
  std::vector<BatchBytes> all;
  const auto write_some = [&] {
    const auto more = make_batches(all.empty() ? ChainEnd{} : end_of(all.back()), 15, 1500);
    all.insert(all.end(), more.begin(), more.end());
    rig.write(more);
    rig.run();
  };
  write_some();
  rig.told().clear();
  files.set_capacity(files.used());
  // The reserve is given up for the next segments, then nothing more can be written.
  bool full = false;
  for (int k = 0; k < 10; ++k) {
    write_some();
    for (const DiskCompletion& completion : rig.told())
      if (const auto* told = std::get_if<RoomChanged>(&completion)) full |= told->room == Room::Full;
  }
  EXPECT_TRUE(full);
  EXPECT_FALSE(files.exists("data/reserve"));
  rig.told().clear();
  // What waits for room holds up neither a vote nor the look for room.
  rig.disk().submit(PersistVote{Epoch{9}, "b1"});
  rig.disk().submit(CheckRoom{});
  rig.run();
  rig.expect<VotePersisted>();
  rig.expect_nothing_else();
  EXPECT_FALSE(rig.disk().has_work());

  files.set_capacity(4 << 20);
  rig.disk().submit(CheckRoom{});
  rig.run();
  EXPECT_GE(rig.count_of_persisted(), 1U);
  EXPECT_EQ(rig.expect<RoomChanged>().room, Room::Roomy);
  EXPECT_TRUE(files.exists("data/reserve"));
  files.crash_losing_all();
  EXPECT_EQ(contents(Rig::open(files, OnDamage::Refuse).journal()), bytes_of(all));
}

TEST(DiskExecutor, WhatWaitsForRoomCanBeCut) {
  SimulatedDisk files(4 << 20);
  Rig rig(files);
  const auto held = make_batches({}, 2, 10);
  rig.write(held);
  rig.run();
  files.set_capacity(files.used());
  const auto waiting = make_batches(end_of(held.back()), 300, 1500);
  rig.write(waiting);
  rig.run();
  rig.told().clear();
  EXPECT_FALSE(rig.disk().has_work());
  rig.disk().submit(CutFrom{peek_batch_header(*held[1])->first});
  const BatchBytes fresh = make_batch(end_of(held[0]), Epoch{2}, 1, 10);
  rig.write({fresh});
  rig.run();
  EXPECT_EQ(rig.expect<CutDone>().end, end_of(held[0]));
  EXPECT_EQ(rig.expect<Persisted>().end, end_of(fresh));
}

TEST(DiskExecutor, ASnapshotThatFindsNoRoomIsGivenUpAndTakesNone) {
  SimulatedDisk files(4 << 20);
  Rig rig(files);
  const auto batches = make_batches({}, 2, 10);
  rig.write(batches);
  rig.run();
  rig.told().clear();
  const ByteCount used = files.used();
  files.set_capacity(used + 4096);
  SnapshotInfo info;
  info.cluster = cluster_id("kitchen");
  info.last = end_of(batches[1]);
  rig.disk().submit(SnapshotBegin{info});
  for (int k = 0; k < 3; ++k) rig.disk().submit(SnapshotChunk{Bytes(20'000, 1)});
  rig.disk().submit(SnapshotFinish{});
  rig.run();
  EXPECT_EQ(rig.expect<SnapshotFailed>().why.kind, FaultKind::TryAgain);
  EXPECT_EQ(rig.expect<RoomChanged>().room, Room::Full);
  rig.expect_nothing_else();
  EXPECT_LE(files.used(), used) << "the reserve is given up, so that the next may fit";
  rig.snapshot(end_of(batches[1]));
  rig.run();
  EXPECT_TRUE(std::holds_alternative<SnapshotDone>(rig.told().back()));
}

// ---- a failing disk

TEST(DiskExecutor, AFailingDiskAtAnyOperationIsToldOnceAndNothingAfterIt) {
  for (std::uint64_t operation = 0;; ++operation) {
    SimulatedDisk files;
    const auto batches = make_batches({}, 40, 100);
    Rig rig(files);
    files.plan(operation, DiskAccident::Broken);
    rig.disk().submit(PersistVote{Epoch{2}, "b1"});
    for (std::size_t k = 0; k < batches.size(); k += 4) {
      rig.write({batches.begin() + static_cast<std::ptrdiff_t>(k),
                 batches.begin() + static_cast<std::ptrdiff_t>(k) + 4});
      if (k == 20) rig.snapshot(end_of(batches[10]));
      rig.run();
    }
    LogIndex persisted;
    Epoch voted;
    for (std::size_t k = 0; k < rig.told().size(); ++k) {
      const DiskCompletion& completion = rig.told()[k];
      if (const auto* told = std::get_if<Persisted>(&completion)) persisted = told->end.last;
      if (const auto* told = std::get_if<VotePersisted>(&completion)) voted = told->epoch;
      if (std::holds_alternative<DiskFailed>(completion)) {
        EXPECT_EQ(k + 1, rig.told().size());
      }
    }
    if (!files.accident_happened()) return;
    EXPECT_TRUE(std::holds_alternative<DiskFailed>(rig.told().back())) << operation;
    EXPECT_FALSE(rig.disk().has_work());
    Prng prng(operation);
    files.crash(prng);
    const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
    EXPECT_GE(directory.journal().end().last, persisted);
    EXPECT_GE(directory.votes().state().epoch, voted);
    const auto held = contents(directory.journal());
    EXPECT_TRUE(std::equal(held.begin(), held.end(), bytes_of(batches).begin()));
  }
}

TEST(DiskExecutor, APowerCutAtAnyOperationLosesNothingThatWasTold) {
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      SimulatedDisk files;
      const auto batches = make_batches({}, 60, 100);
      Rig rig(files);
      files.plan(operation, DiskAccident::PowerCut);
      for (std::size_t k = 0; k < batches.size(); k += 6) {
        rig.write({batches.begin() + static_cast<std::ptrdiff_t>(k),
                   batches.begin() + static_cast<std::ptrdiff_t>(k) + 6});
        if (k == 24) rig.snapshot(end_of(batches[16]));
        if (k == 36) rig.snapshot(end_of(batches[33]));
        if (k == 48) rig.disk().submit(DropBefore{end_of(batches[33]).last});
        rig.disk().submit(PersistVote{Epoch{k}, "b1"});
        rig.run();
      }
      reached = files.accident_happened();
      LogIndex persisted;
      LogIndex snapshot;
      Epoch voted;
      for (const DiskCompletion& completion : rig.told()) {
        if (const auto* told = std::get_if<Persisted>(&completion)) persisted = told->end.last;
        if (const auto* told = std::get_if<VotePersisted>(&completion)) voted = told->epoch;
        if (const auto* told = std::get_if<SnapshotDone>(&completion)) snapshot = told->last;
      }
      Prng prng(seed);
      files.crash(prng);
      const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
      ASSERT_GE(directory.journal().end().last, persisted) << operation;
      ASSERT_GE(directory.votes().state().epoch, voted);
      ASSERT_GE(directory.replay_from(), next(snapshot));
      const auto held = contents(directory.journal(), directory.replay_from());
      const auto all = bytes_of(batches);
      const LogIndex from = directory.replay_from();
      std::size_t begin = 0;
      while (begin < batches.size() && peek_batch_header(*batches[begin])->last() < from) ++begin;
      ASSERT_TRUE(std::equal(held.begin(), held.end(), all.begin() + static_cast<std::ptrdiff_t>(begin)));
    }
    if (!reached) return;
  }
}

TEST(DiskExecutor, ClosedWellItKnowsALossOfTheNewestBatch) {
  SimulatedDisk files;
  {
    Rig rig(files);
    rig.write(make_batches({}, 3, 10));
    rig.run();
    ASSERT_TRUE(rig.disk().close());
  }
  files.crash_losing_all();
  files.flip_bit("data/journal/segment-0000000001", some_options().journal.head_bytes + 2 * 512 + 70);
  const auto directory = DataDirectory::open(files, some_options());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().kind, FaultKind::BadData);
}

}  // namespace
}  // namespace cidbus
