#include "leecher/hand_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// The leader's end: what was handed in, as "key delay deadline".
class Leader final : public DeskOutput {
 public:
  void tell(Guest, const Message& message) override { told.emplace_back(name_of(message)); }
  void ask(const Message& message) override {
    const auto* submit = std::get_if<Submit>(&message);
    if (submit == nullptr) return;
    session = submit->session;
    for (const SubmitItem& item : submit->items) {
      seq = item.seq;
      lines.push_back(std::string(item.options.key) + " " + std::to_string(item.options.delay.count()) + " " +
                      std::to_string(item.options.deadline.count()));
    }
  }
  [[nodiscard]] bool holds(const BlockKey&) const override { return false; }
  std::vector<std::string> take() { return std::exchange(lines, {}); }

  std::vector<std::string> told;
  std::vector<std::string> lines;
  SessionId session;
  std::uint64_t seq = 0;
};

class HandInTest : public testing::Test {
 protected:
  void queue(std::uint64_t seq, std::chrono::milliseconds delay = {},
             std::chrono::milliseconds deadline = {}) {
    SubmitItem item{seq, "echo", {}, {}};
    item.options.delay = delay;
    item.options.deadline = deadline;
    outbox_.queue(now_.wall, {}, item, "k" + std::to_string(seq));
    desk_.on_synced(outbox_.last_number());
  }
  void bind() {
    desk_.on_online();
    hand_in_.on_bound(now_);
  }
  void unbind() {
    desk_.on_offline(now_);
    hand_in_.on_unbound(now_);
  }
  void turn(bool held_back = false) { hand_in_.end_turn(now_, held_back); }
  void accept(std::uint64_t task) {
    hand_in_.on_message(now_, Accepted{leader_.session, Durability::Disk, {{leader_.seq, {task}, false}}});
  }
  void reject(Refusal why) {
    hand_in_.on_message(now_, Rejected{leader_.session, {{leader_.seq, why, "because", 10ms}}});
  }
  void pass(std::chrono::milliseconds time) {
    now_.monotonic += time;
    now_.wall = now_.wall + time;
  }
  Outbox::State state(std::uint64_t item) { return outbox_.find(outbox_item(item))->state; }

  Now now_{Monotonic(1h), WallTime{1'000'000}};
  Outbox outbox_;
  Leader leader_;
  Desk desk_{{"l1", "test", "a:1"}, outbox_, leader_, now_.wall};
  HandIn hand_in_{outbox_, desk_, leader_};
};

TEST_F(HandInTest, SendsTheNextItemOnlyWhenTheOneBeforeWasAnswered) {
  queue(1);
  queue(2);
  turn();
  EXPECT_THAT(leader_.take(), IsEmpty());
  bind();
  turn();
  EXPECT_THAT(leader_.take(), ElementsAre("k1 0 0"));
  turn();
  EXPECT_THAT(leader_.take(), IsEmpty());
  accept(7);
  turn();
  EXPECT_THAT(leader_.take(), ElementsAre("k2 0 0"));
  EXPECT_EQ(state(1), Outbox::State::HandedIn);
}

TEST_F(HandInTest, SendsAnItemInDoubtAgainUnderItsKey) {
  queue(1);
  bind();
  turn();
  unbind();
  turn();
  bind();
  turn();
  EXPECT_THAT(leader_.take(), ElementsAre("k1 0 0", "k1 0 0"));
  accept(7);
  EXPECT_EQ(outbox_.find(outbox_item(1))->task, TaskId{7});
}

TEST_F(HandInTest, PassesNoItemByWhileABrokerHasNoRoom) {
  queue(1);
  queue(2);
  bind();
  turn();
  leader_.take();
  reject(Refusal::Exhausted);
  turn();
  EXPECT_THAT(leader_.take(), IsEmpty());
  EXPECT_EQ(hand_in_.trouble(), "because");
  pass(10s);
  turn();
  EXPECT_THAT(leader_.take(), ElementsAre("k1 0 0"));
  accept(7);
  EXPECT_EQ(hand_in_.trouble(), "");
}

TEST_F(HandInTest, GoesOnBehindAnItemThatIsRefused) {
  queue(1);
  queue(2);
  bind();
  turn();
  reject(Refusal::NotKnown);
  turn();
  EXPECT_EQ(state(1), Outbox::State::Refused);
  EXPECT_THAT(leader_.take(), ElementsAre("k1 0 0", "k2 0 0"));
}

TEST_F(HandInTest, HoldsEverythingBackWhileContentIsOnItsWay) {
  queue(1);
  bind();
  turn(true);
  EXPECT_THAT(leader_.take(), IsEmpty());
  turn();
  EXPECT_THAT(leader_.take(), ElementsAre("k1 0 0"));
}

TEST_F(HandInTest, CountsTimeInTheOutboxAgainstDelayAndDeadline) {
  queue(1, 5s, 60s);
  queue(2, 1s, 20s);
  queue(3, 1s, 0s);
  pass(20s);
  bind();
  turn();
  accept(7);
  turn();
  accept(8);
  EXPECT_THAT(leader_.take(), ElementsAre("k1 0 40000", "k3 0 0"));
  EXPECT_EQ(state(2), Outbox::State::Refused);
  EXPECT_THAT(outbox_.find(outbox_item(2))->reason, testing::HasSubstr("deadline"));
}

}  // namespace
}  // namespace cidbus
