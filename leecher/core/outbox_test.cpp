#include "leecher/core/outbox.h"

#include <gtest/gtest.h>

#include "shared/base/limits/leecher.h"
#include "shared/base/limits/times.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

SessionId session(std::uint8_t number) {
  SessionId id;
  id.bytes[0] = number;
  return id;
}

TaskId queue(Outbox& outbox, std::uint64_t seq, std::uint8_t of = 1, WallTime now = {1000}) {
  SubmitItem item{seq, "echo", {}, as_bytes("work")};
  item.options.delay = std::chrono::milliseconds(5);
  return outbox.queue(now, session(of), item, "key");
}

Outbox replayed(const std::vector<Bytes>& entries) {
  Outbox outbox;
  for (const Bytes& entry : entries) EXPECT_TRUE(outbox.replay(entry));
  outbox.check_invariants();
  return outbox;
}

TEST(OutboxTest, IsTheSameAfterItsEntriesAreReplayedAndAfterItsImageIs) {
  Prng chance(5);
  Outbox outbox;
  std::vector<Bytes> file;
  std::uint64_t seq = 0;
  for (int step = 0; step < 500; ++step) {
    const TaskId next = outbox.next();
    switch (chance.between(0, 5)) {
      case 0:
        if (next != TaskId{}) outbox.hand_in({2000}, next, {chance.between(1, 99)});
        break;
      case 1:
        if (next != TaskId{}) outbox.refuse({2000}, next, "no");
        break;
      case 2:
        if (next != TaskId{}) outbox.cancel({2000}, next);
        break;
      case 3:
        if (next != TaskId{}) outbox.drop(next);
        break;
      default:
        queue(outbox, ++seq);
    }
    for (Bytes& entry : outbox.take_entries()) file.push_back(std::move(entry));
    outbox.check_invariants();
  }
  EXPECT_EQ(replayed(file).image(), outbox.image());
  EXPECT_EQ(replayed(outbox.image()).image(), outbox.image());
}

TEST(OutboxTest, KeepsAllThatASubmissionSaid) {
  Outbox outbox;
  queue(outbox, 3);
  const Outbox again = replayed(outbox.take_entries());
  const Outbox::Item& item = *again.find(outbox_item(1));
  EXPECT_EQ(item.type, "echo");
  EXPECT_EQ(item.key, "key");
  EXPECT_EQ(as_text(item.work), "work");
  EXPECT_EQ(item.options.delay, std::chrono::milliseconds(5));
  EXPECT_EQ(item.queued_at, WallTime{1000});
  EXPECT_EQ(again.find(session(1), 3), outbox_item(1));
}

TEST(OutboxTest, UsesNoNumberTwice) {
  Outbox outbox;
  outbox.drop(queue(outbox, 1));
  EXPECT_EQ(queue(outbox, 2), outbox_item(2));
  outbox.drop(outbox_item(2));
  Outbox again = replayed(outbox.image());
  EXPECT_EQ(queue(again, 1), outbox_item(3));
}

TEST(OutboxTest, ForgetsSettledItemsBeyondItsBoundButNoneThatMayBeAskedFor) {
  Outbox outbox;
  const std::size_t most = limits::outbox_settled;
  for (std::uint64_t seq = 1; seq <= most + 2; ++seq) outbox.hand_in({1000}, queue(outbox, seq), {seq});
  outbox.clear_away({1000});
  EXPECT_EQ(outbox.items().size(), most + 2);
  outbox.close_session(session(1));
  queue(outbox, 1, 2);
  outbox.clear_away({1000});
  EXPECT_EQ(outbox.items().size(), most + 1);
  EXPECT_EQ(outbox.find(outbox_item(2)), nullptr);
  EXPECT_NE(outbox.find(outbox_item(3)), nullptr);
  EXPECT_EQ(outbox.next(), outbox_item(most + 3));
}

TEST(OutboxTest, ForgetsWhatNobodyClosedOnceItsSessionHasExpired) {
  Outbox outbox;
  for (std::uint64_t seq = 1; seq <= limits::outbox_settled + 1; ++seq)
    outbox.hand_in({1000}, queue(outbox, seq), {seq});
  outbox.clear_away(WallTime{1000} + limits::session_ttl);
  EXPECT_EQ(outbox.items().size(), limits::outbox_settled);
}

TEST(OutboxTest, RefusesEntriesThatAreNoneOrSayWhatCannotBe) {
  Outbox outbox;
  queue(outbox, 1);
  const Bytes good = outbox.take_entries().front();
  for (std::size_t length = 0; length < 60; ++length)
    EXPECT_FALSE(Outbox().replay(ByteView(good).first(length))) << length;
  EXPECT_FALSE(outbox.replay(good));  // a second item of that number
  EXPECT_FALSE(Outbox().replay(encode(HandedInEntry{1, {}, {7}})));
  EXPECT_FALSE(Outbox().replay(Bytes{1, 9}));
  Prng chance(1);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = good;
    for (int change = 0; change < 3; ++change)
      bytes[chance.between(0, bytes.size() - 1)] = static_cast<std::uint8_t>(chance());
    Outbox other;
    if (other.replay(bytes)) other.check_invariants();
  }
}

}  // namespace
}  // namespace cidbus
