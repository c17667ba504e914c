#include "broker/journal/snapshot_receiver.h"

#include <gtest/gtest.h>

#include "broker/tasks/test_support.h"
#include "tests/support/disk_rig.h"

namespace cidbus {
namespace {

using namespace journal_test;

// A broker with a journal of forty batches and a snapshot of the first thirty; its state is that of some
// tasks.
class SnapshotTransfer : public testing::Test {
 protected:
  SnapshotTransfer() : sender_(sender_files_), all_(make_batches({}, 40, 100)) {
    sender_.write(all_);
    sender_.run();
    testing_tasks::Journal tasks;
    tasks.open_session(1);
    for (std::uint64_t seq = 1; seq <= 50; ++seq) tasks.submit(1, seq, {}, 1, "echo");
    digest_ = tasks.state.digest();
    SnapshotInfo info;
    info.cluster = cluster_id("kitchen");
    info.last = at_snapshot_ = end_of(all_[29]);
    sender_.disk().submit(SnapshotBegin{info});
    sender_.disk().submit(SnapshotChunk{testing_tasks::whole_snapshot(tasks.state)});
    sender_.disk().submit(SnapshotFinish{});
    sender_.run();
    sender_.told().clear();
  }

  SnapshotRead read(LogIndex last, ByteCount offset, ByteCount most) {
    sender_.disk().submit(ReadSnapshot{0, last, offset, most});
    sender_.run();
    return sender_.expect<SnapshotRead>();
  }
  // Sends all of it; `spoil` may change a piece on its way; `replaces`: a state that is wrong.
  void transfer(Rig& receiver, const std::function<void(SnapshotRead&)>& spoil = {}, bool replaces = false) {
    SnapshotRead piece = read({}, 0, 1000);
    const SnapshotFile file = piece.file;
    receiver.disk().submit(ReceiveBegin{file});
    while (true) {
      if (spoil) spoil(piece);
      const ByteCount next = piece.offset + piece.bytes.size();
      receiver.disk().submit(ReceivePiece{piece.offset, piece.bytes});
      if (next >= file.bytes) break;
      piece = read(file.last, next, 1000);
    }
    receiver.disk().submit(ReceiveFinish{7, replaces});
    receiver.run();
    while (!receiver.told().empty() && std::holds_alternative<PieceReceived>(receiver.told().front()))
      receiver.told().pop_front();
  }

  SimulatedDisk sender_files_;
  Rig sender_;
  std::vector<BatchBytes> all_;
  ChainEnd at_snapshot_;
  Digest digest_;
};

TEST_F(SnapshotTransfer, GivesTheReceiverTheStateAndAJournalThatGoesOnBehindIt) {
  SimulatedDisk files;
  {
    Rig receiver(files, OnDamage::Keep);
    receiver.write({all_.begin(), all_.begin() + 3});
    receiver.run();
    receiver.told().clear();
    transfer(receiver);
    const auto installed = receiver.expect<SnapshotInstalled>();
    EXPECT_EQ(installed.info.last, at_snapshot_);
    EXPECT_EQ(installed.journal_end, at_snapshot_);
    ASSERT_NE(installed.state, nullptr);
    EXPECT_TRUE(installed.state->digest() == digest_);
    receiver.write({all_.begin() + 30, all_.end()});
    receiver.run();
    EXPECT_EQ(receiver.expect<Persisted>().end, end_of(all_.back()));
  }
  files.crash_losing_all();
  const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
  ASSERT_NE(directory.newest_snapshot(), nullptr);
  EXPECT_EQ(directory.newest_snapshot()->info.last, at_snapshot_);
  EXPECT_EQ(directory.journal().first(), next(at_snapshot_.last));
  EXPECT_EQ(contents(directory.journal()), bytes_of({all_.begin() + 30, all_.end()}));
}

// A journal that begins behind it holds no batch of that office yet.
TEST_F(SnapshotTransfer, LetsTheReceiverKnowTheOfficeItEndsIn) {
  SimulatedDisk files;
  {
    Rig receiver(files, OnDamage::Keep);
    transfer(receiver);
    receiver.expect<SnapshotInstalled>();
  }
  files.crash_losing_all();
  EXPECT_EQ(Rig::open(files, OnDamage::Keep).highest_epoch(), at_snapshot_.epoch);
}

TEST_F(SnapshotTransfer, KeepsASuffixOfTheJournalThatFitsBehindIt) {
  SimulatedDisk files;
  Rig receiver(files, OnDamage::Keep);
  receiver.write({all_.begin(), all_.begin() + 35});
  receiver.run();
  receiver.told().clear();
  transfer(receiver);
  const auto installed = receiver.expect<SnapshotInstalled>();
  EXPECT_EQ(installed.journal_end, end_of(all_[34]));
  receiver.expect_nothing_else();
}

// CONSENSUS R7: its own snapshots were taken of the wrong state, one of them of the very record; its journal
// is right.
TEST_F(SnapshotTransfer, InThePlaceOfAWrongStateSetsItsSnapshotsAsideAndKeepsTheJournal) {
  SimulatedDisk files;
  {
    Rig receiver(files, OnDamage::Keep);
    receiver.write({all_.begin(), all_.begin() + 35});
    for (const std::size_t taken_at : {9, 29}) {
      SnapshotInfo info;
      info.cluster = cluster_id("kitchen");
      info.last = end_of(all_[taken_at]);
      StateMachine wrong;
      receiver.disk().submit(SnapshotBegin{info});
      receiver.disk().submit(SnapshotChunk{testing_tasks::whole_snapshot(wrong)});
      receiver.disk().submit(SnapshotFinish{});
      receiver.run();
    }
    receiver.told().clear();
    transfer(receiver, {}, true);
    const auto installed = receiver.expect<SnapshotInstalled>();
    EXPECT_EQ(installed.journal_end, end_of(all_[34]));
    EXPECT_TRUE(installed.state->digest() == digest_);
    receiver.expect_nothing_else();
  }
  files.crash_losing_all();
  const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
  ASSERT_EQ(directory.snapshots().kept().size(), 1U);
  EXPECT_EQ(directory.newest_snapshot()->info.last, at_snapshot_);
  EXPECT_EQ(contents(directory.journal()), bytes_of({all_.begin(), all_.begin() + 35}));
  std::size_t aside = 0;
  for (const std::string& path : files.paths()) aside += path.ends_with(".damaged") ? 1 : 0;
  EXPECT_EQ(aside, 2U);
}

TEST_F(SnapshotTransfer, DropsAJournalThatWentAnotherWay) {
  SimulatedDisk files;
  Rig receiver(files, OnDamage::Keep);
  receiver.write(make_batches({}, 40, 100, {1}, 9));
  receiver.run();
  receiver.told().clear();
  transfer(receiver);
  EXPECT_EQ(receiver.expect<SnapshotInstalled>().journal_end, at_snapshot_);
}

TEST_F(SnapshotTransfer, IsResumedByOffsetAndTakesNoPieceTwice) {
  SimulatedDisk files;
  Rig receiver(files, OnDamage::Keep);
  const SnapshotRead first = read({}, 0, 1000);
  receiver.disk().submit(ReceiveBegin{first.file});
  for (int again = 0; again < 2; ++again) receiver.disk().submit(ReceivePiece{0, first.bytes});
  receiver.disk().submit(ReceivePiece{5000, Bytes(10)});
  receiver.run();
  EXPECT_EQ(receiver.expect<PieceReceived>().next, 0U);
  for (int told = 0; told < 3; ++told) EXPECT_EQ(receiver.expect<PieceReceived>().next, 1000U);
  const SnapshotRead rest = read(first.file.last, 1000, 1 << 20);
  receiver.disk().submit(ReceivePiece{1000, rest.bytes});
  receiver.disk().submit(ReceiveFinish{7});
  receiver.run();
  EXPECT_EQ(receiver.expect<PieceReceived>().next, first.file.bytes);
  EXPECT_TRUE(receiver.expect<SnapshotInstalled>().state->digest() == digest_);
}

TEST_F(SnapshotTransfer, OneFlippedBitAnywhereLeavesTheReceiverAsItWas) {
  const ByteCount bytes = read({}, 0, 1).file.bytes;
  for (ByteCount flipped = 0; flipped < bytes; flipped += 97) {
    SimulatedDisk files;
    Rig receiver(files, OnDamage::Keep);
    receiver.write({all_.begin(), all_.begin() + 3});
    receiver.run();
    receiver.told().clear();
    transfer(receiver, [flipped](SnapshotRead& piece) {
      if (flipped >= piece.offset && flipped < piece.offset + piece.bytes.size())
        piece.bytes[flipped - piece.offset] ^= 1;
    });
    EXPECT_EQ(receiver.expect<ReceiveFailed>().why.kind, FaultKind::BadData) << flipped;
    receiver.expect_nothing_else();
    files.kill();
    const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
    EXPECT_EQ(directory.journal().end(), end_of(all_[2]));
    EXPECT_EQ(directory.newest_snapshot(), nullptr);
  }
}

// The journal is begun anew before the snapshot gets its name; a power cut at any operation leaves one or the
// other, whole.
TEST_F(SnapshotTransfer, APowerCutAtAnyMomentLeavesTheOldStateOrTheNew) {
  std::size_t old_states = 0;
  std::size_t new_states = 0;
  for (std::uint64_t operation = 0;; ++operation) {
    SimulatedDisk files;
    {
      Rig receiver(files, OnDamage::Keep);
      receiver.write({all_.begin(), all_.begin() + 3});
      receiver.run();
      files.plan(operation, DiskAccident::PowerCut);
      receiver.told().clear();
      transfer(receiver);
    }
    if (!files.accident_happened()) break;
    Prng chance(operation);
    files.crash(chance);
    const DataDirectory directory = Rig::open(files, OnDamage::Refuse);
    if (directory.newest_snapshot() == nullptr) {
      ++old_states;
      EXPECT_EQ(contents(directory.journal()), bytes_of({all_.begin(), all_.begin() + 3})) << operation;
    } else {
      ++new_states;
      EXPECT_EQ(directory.newest_snapshot()->info.last, at_snapshot_);
      EXPECT_EQ(directory.journal().end(), at_snapshot_) << operation;
    }
  }
  EXPECT_GT(old_states, 5U);
  EXPECT_GT(new_states, 1U);
}

TEST_F(SnapshotTransfer, WithoutRoomItIsGivenUpAndTheBrokerGoesOn) {
  SimulatedDisk files;
  Rig receiver(files, OnDamage::Keep);
  files.set_capacity(files.used() + 2048);
  transfer(receiver);
  EXPECT_EQ(receiver.expect<ReceiveFailed>().why.kind, FaultKind::TryAgain);
  files.set_capacity(ByteCount{1} << 40);
  receiver.told().clear();
  transfer(receiver);
  receiver.expect<SnapshotInstalled>();
}

}  // namespace
}  // namespace cidbus
