// Damage in a broker that has peers: holes are refilled by identity, a lost journal is set aside and brought
// up again (CONSENSUS D1 to D3).
#include <gtest/gtest.h>

#include "tests/support/disk_rig.h"

namespace cidbus {
namespace {

using namespace journal_test;

std::string segment_path(std::uint64_t number) { return "data/journal/" + segment_name(number); }

// Forty batches in three segments, written and closed in order.
class Holes : public testing::Test {
 protected:
  Holes() : all_(make_batches({}, 40, 100)) {
    Rig rig(files_);
    rig.write(all_);
    rig.run();
    EXPECT_TRUE(rig.disk().close());
  }
  // One bit of each of these batches; several stand in each segment, in order, at multiples of 512.
  void damage(std::uint64_t segment, std::initializer_list<unsigned> places) {
    files_.kill();
    for (const unsigned place : places) {
      const Bytes bytes = files_.contents(segment_path(segment));
      const auto identifier =
          decode_identifier(ByteView(bytes).subspan(identifier_offset(place), identifier_bytes)).found;
      ASSERT_TRUE(identifier);
      files_.flip_bit(segment_path(segment), identifier->offset + 50);
    }
  }
  [[nodiscard]] BatchBytes batch_with(LogIndex first) const {
    for (const BatchBytes& batch : all_)
      if (peek_batch_header(*batch)->first == first) return batch;
    return nullptr;
  }

  SimulatedDisk files_;
  std::vector<BatchBytes> all_;
};

TEST_F(Holes, AreReadUpToAndRefilledByExactlyTheirIdentity) {
  damage(1, {2, 7});
  damage(2, {0});
  Rig rig(files_, OnDamage::Keep);
  LogIndex from{1};
  std::size_t refilled = 0;
  std::vector<Bytes> read;
  while (true) {
    rig.disk().submit(ReadBatches{0, from, 1 << 20});
    rig.run();
    const auto piece = rig.expect<BatchesRead>();
    for (const BatchBytes& batch : piece.batches) {
      read.push_back(*batch);
      from = next(end_of(batch).last);
    }
    if (piece.stopped == BatchesRead::Stopped::AtEnd) break;
    if (piece.stopped != BatchesRead::Stopped::AtHole) continue;
    const BatchBytes lost = batch_with(from);
    ASSERT_NE(lost, nullptr);
    rig.disk().submit(RefillHole{lost});
    rig.run();
    EXPECT_EQ(rig.expect<HoleRefilled>().end, end_of(lost));
    ++refilled;
  }
  EXPECT_EQ(refilled, 3U);
  EXPECT_EQ(read, bytes_of(all_));
  files_.crash_losing_all();
  EXPECT_EQ(contents(Rig::open(files_, OnDamage::Refuse).journal()), bytes_of(all_))
      << "what was told refilled survives a power cut";
}

TEST_F(Holes, DoNotHinderWhatIsAppendedBehindThem) {
  damage(1, {3});
  const BatchBytes lost = all_[3];
  {
    Rig rig(files_, OnDamage::Keep);
    const auto more = make_batches(end_of(all_.back()), 5, 50, {2});
    rig.write(more);
    rig.disk().submit(RefillHole{lost});
    rig.run();
    EXPECT_EQ(rig.expect<Persisted>().end, end_of(more.back()));
    rig.expect<HoleRefilled>();
    all_.insert(all_.end(), more.begin(), more.end());
    EXPECT_TRUE(rig.disk().close());
  }
  EXPECT_EQ(contents(Rig::open(files_, OnDamage::Refuse).journal()), bytes_of(all_));
}

TEST_F(Holes, GoWithTheRecordsThatALeaderCuts) {
  damage(2, {1});
  DataDirectory directory = Rig::open(files_, OnDamage::Keep);
  ASSERT_EQ(directory.journal().holes().size(), 1U);
  ASSERT_TRUE(directory.journal().cut_from(peek_batch_header(*all_[5])->first));
  EXPECT_TRUE(directory.journal().holes().empty());
  EXPECT_EQ(directory.journal().end(), end_of(all_[4]));
}

// As what was acknowledged in it is: the epoch of an office outlives the journal (CONSENSUS D3).
TEST_F(Holes, OfTheWholeJournalLeaveTheNewestOfficeKnown) {
  files_.kill();
  {
    Rig rig(files_);
    rig.disk().submit(WriteBatch{{make_batches(end_of(all_.back()), 1, 50, {6})[0], Epoch{7}}});
    rig.run();
    rig.expect<Persisted>();
  }
  files_.kill();
  for (const std::string& path : files_.paths())
    if (path.starts_with("data/journal/")) files_.remove_file(path);
  const DataDirectory directory = Rig::open(files_, OnDamage::Keep);
  EXPECT_TRUE(directory.repairing());
  EXPECT_EQ(directory.highest_epoch(), Epoch{7});
  EXPECT_EQ(directory.votes().state().voted, "");
}

TEST_F(Holes, ARefillForAHoleThatWasFreedDoesNothing) {
  damage(1, {3});
  Rig rig(files_, OnDamage::Keep);
  rig.disk().submit(CutFrom{peek_batch_header(*all_[2])->first});
  rig.disk().submit(RefillHole{all_[3]});
  rig.run();
  rig.expect<CutDone>();
  EXPECT_EQ(rig.expect<HoleRefilled>().end, end_of(all_[3]));
  EXPECT_TRUE(rig.disk().close());
}

TEST_F(Holes, ABrokerAloneStillRefusesToStart) {
  damage(1, {2});
  const auto refused = DataDirectory::open(files_, some_options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, FaultKind::BadData);
}

// A lost segment, a lost header, a batch lost together with its identifier: nothing says what was there.
class LostJournal : public Holes, public testing::WithParamInterface<int> {};

TEST_P(LostJournal, IsSetAsideAndTheBrokerRepairsUntilToldOtherwise) {
  if (GetParam() == 2) damage(1, {5});
  files_.kill();
  if (GetParam() == 0) files_.remove_file(segment_path(2));
  if (GetParam() == 1) files_.flip_bit(segment_path(2), 20);
  if (GetParam() == 2) files_.flip_bit(segment_path(1), identifier_offset(5) + 8);
  {
    Rig rig(files_, OnDamage::Keep);
    std::size_t aside = 0;
    for (const std::string& path : files_.paths()) aside += path.ends_with(".damaged") ? 1 : 0;
    EXPECT_GE(aside, 2U);
    rig.disk().submit(PersistVote{Epoch{9}, ""});
    rig.run();
  }
  files_.crash_losing_all();
  {
    const DataDirectory again = Rig::open(files_, OnDamage::Keep);
    EXPECT_TRUE(again.repairing()) << "a restart does not end it";
    EXPECT_EQ(again.journal().end(), ChainEnd{});
    EXPECT_EQ(again.highest_epoch(), Epoch{9});
  }
  files_.kill();
  EXPECT_FALSE(DataDirectory::open(files_, some_options(OnDamage::Refuse)));
  {
    Rig rig(files_, OnDamage::Keep);
    rig.write(all_);
    rig.disk().submit(PersistRepaired{});
    rig.run();
    rig.expect<RepairedPersisted>();
    while (rig.count_of_persisted() > 1) rig.told().pop_front();
    EXPECT_EQ(rig.expect<Persisted>().end, end_of(all_.back()));
  }
  files_.crash_losing_all();
  const DataDirectory whole = Rig::open(files_, OnDamage::Refuse);
  EXPECT_FALSE(whole.repairing());
  EXPECT_EQ(contents(whole.journal()), bytes_of(all_));
}

INSTANTIATE_TEST_SUITE_P(Kinds, LostJournal, testing::Values(0, 1, 2));

}  // namespace
}  // namespace cidbus
