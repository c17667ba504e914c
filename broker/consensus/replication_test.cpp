#include "broker/consensus/replication.h"

#include <gtest/gtest.h>

#include "broker/journal/batch_builder.h"

namespace cidbus::group {
namespace {

constexpr Seat other{1};

struct Leader {
  explicit Leader(Durability durability = Durability::Quorum)
      : config({{"b1", "h:1", 1}, {"b2", "h:2", 1}}, "b1"), replication(config) {
    config.durability = durability;
    replication.begin(now, log, {1}, {}, now);
  }
  void propose(std::size_t payload = 0) {
    BatchBuilder builder({1}, log.end());
    builder.append(1, 1, {}, Bytes(payload));
    log.append(builder.seal());
    replication.pump(now, log, out);
  }
  // Batches that the effects since the last call sent to the other.
  std::size_t sent() {
    std::size_t batches = 0;
    for (const Effect& effect : out.all())
      if (const auto* send = std::get_if<Send>(&effect))
        if (const auto* append = std::get_if<Append>(&send->message)) batches += append->batches.size();
    out.clear();
    return batches;
  }

  GroupConfig config;
  Monotonic now{std::chrono::seconds(10)};
  LogWindow log{ChainEnd{}};
  Replication replication;
  Effects out;
};

TEST(Replication, SendsNoMoreThanTheWindowWithoutAnAnswer) {
  Leader leader;
  for (std::size_t count = 0; count < limits::window_batches + 5; ++count) leader.propose();
  EXPECT_EQ(leader.sent(), limits::window_batches);
  leader.replication.on_ack(leader.now, leader.log, other, AppendAck{true, false, {}, {3}, {3}, {}},
                            leader.out);
  EXPECT_EQ(leader.sent(), 3u);
}

TEST(Replication, BoundsTheWindowInBytesToo) {
  Leader leader;
  for (int count = 0; count < 40; ++count) leader.propose(1'000'000);
  EXPECT_LE(leader.replication.follower(other).bytes_in_flight, limits::window_bytes_in_flight + 1'000'100);
}

// A lost acknowledgement must not hold up a leader that has nothing new to propose.
TEST(Replication, TheAnswerToABeatStandsInForALostAcknowledgement) {
  Leader leader;
  for (std::size_t count = 0; count < limits::window_batches + 2; ++count) leader.propose();
  leader.sent();
  BeatAck ack;
  ack.durable = {limits::window_batches};
  leader.replication.on_beat_ack(leader.now, leader.log, other, ack, leader.out);
  EXPECT_EQ(leader.sent(), 2u);
}

TEST(Replication, CountsOnlyWhatIsOnDiskUnlessReceivedIsEnough) {
  for (const bool memory : {false, true}) {
    Leader leader(memory ? Durability::Memory : Durability::Quorum);
    leader.propose();
    leader.replication.on_ack(leader.now, leader.log, other, AppendAck{true, false, {}, {1}, {0}, {}},
                              leader.out);
    EXPECT_EQ(leader.replication.committed(leader.log), LogIndex{memory ? 1U : 0U});
    leader.log.on_persisted(leader.log.end());
    leader.replication.on_ack(leader.now, leader.log, other, AppendAck{true, false, {}, {1}, {1}, {}},
                              leader.out);
    EXPECT_EQ(leader.replication.committed(leader.log), LogIndex{1});
  }
}

TEST(Replication, BelievesNobodyWhoSaysItHoldsWhatDoesNotExist) {
  Leader leader;
  leader.propose();
  leader.log.on_persisted(leader.log.end());
  leader.replication.on_ack(leader.now, leader.log, other, AppendAck{true, false, {}, {9}, {9}, {}},
                            leader.out);
  BeatAck ack;
  ack.durable = {9};
  leader.replication.on_beat_ack(leader.now, leader.log, other, ack, leader.out);
  EXPECT_EQ(leader.replication.committed(leader.log), LogIndex{0});
}

TEST(Replication, AsksAgainAFollowerThatIsSilentWithSomethingUnderWay) {
  Leader leader;
  leader.propose();
  leader.sent();
  leader.now += leader.config.timers.suspicion;
  EXPECT_EQ(leader.replication.deadline(), leader.now);
  leader.replication.tick(leader.now, leader.out);
  ASSERT_EQ(leader.out.all().size(), 1u);
  EXPECT_EQ(leader.sent(), 0u) << "a question, and no batches";
  leader.replication.on_ack(leader.now, leader.log, other, AppendAck{false, false, {1}, {}, {}, {}},
                            leader.out);
  leader.replication.on_ack(leader.now, leader.log, other, AppendAck{true, false, {0}, {0}, {0}, {}},
                            leader.out);
  EXPECT_EQ(leader.sent(), 1u) << "it was lost, and is sent again";
}

}  // namespace
}  // namespace cidbus::group
