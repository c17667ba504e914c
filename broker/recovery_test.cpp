#include "broker/recovery.h"

#include <gtest/gtest.h>

#include "broker/tasks/snapshot.h"
#include "tests/support/disk_rig.h"

namespace cidbus {
namespace {

using journal_test::end_of;
using journal_test::make_batches;
using journal_test::Rig;

const group::GroupConfig three({{"b1", "b1:1", 0}, {"b2", "b2:1", 0}, {"b3", "b3:1", 0}}, "b1");

// A snapshot that can be loaded: of a state with nothing in it.
void take_snapshot(Rig& rig, const ChainEnd& last) {
  SnapshotInfo info;
  info.cluster = cluster_id("kitchen");
  info.last = last;
  StateMachine state({}, 1);
  SnapshotWalk walk(state);
  Bytes rows;
  ASSERT_TRUE(walk.slice(1000, 1 << 20, rows));
  rig.disk().submit(SnapshotBegin{info});
  rig.disk().submit(SnapshotChunk{rows});
  rig.disk().submit(SnapshotFinish{});
  rig.run();
}

TEST(Recovery, AJournalWhoseBeginningWasFreedIsHeldByPositionsThatOthersKnow) {
  SimulatedDisk files;
  const auto batches = make_batches({}, 60, 100, {7});
  {
    Rig rig(files);
    rig.write(batches);
    rig.run();
    take_snapshot(rig, end_of(batches[40]));
    take_snapshot(rig, end_of(batches[50]));
    rig.disk().submit(DropBefore{next(end_of(batches[40]).last)});
    rig.run();
    ASSERT_TRUE(rig.disk().close());
  }
  auto directory = Rig::open(files, OnDamage::Refuse);
  ASSERT_GT(directory.journal().first(), LogIndex{1});
  const auto recovered = recover(directory, three, 1);
  ASSERT_TRUE(recovered) << recovered.error().message;
  const group::LogWindow& log = recovered->group.log;
  EXPECT_EQ(log.base().epoch, Epoch{7});
  EXPECT_TRUE(log.has(log.base()));
  EXPECT_TRUE(log.has(group::position_of(end_of(batches[50]))));
  EXPECT_EQ(log.last(), group::position_of(end_of(batches.back())));
}

}  // namespace
}  // namespace cidbus
