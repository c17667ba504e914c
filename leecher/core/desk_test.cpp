#include "leecher/core/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared/base/limits/leecher.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Says what was told and asked, as one line each.
class Heard final : public DeskOutput {
 public:
  void tell(Guest guest, const Message& message) override {
    lines.push_back("g" + std::to_string(guest.value) + " " + text(message));
  }
  void ask(const Message& message) override { lines.push_back("leader " + text(message)); }
  [[nodiscard]] bool holds(const BlockKey& key) const override { return key.bytes[0] == 1; }
  std::vector<std::string> take() { return std::exchange(lines, {}); }

  std::vector<std::string> lines;

 private:
  static std::string text(const Message& message) {
    std::string line(name_of(message));
    if (const auto* accepted = std::get_if<Accepted>(&message)) {
      for (const auto& item : accepted->items)
        line += " " + std::to_string(item.seq) + "=" + to_text(item.task);
    } else if (const auto* rejected = std::get_if<Rejected>(&message)) {
      for (const auto& item : rejected->items)
        line += " " + std::to_string(item.seq) + " " + std::string(to_text(item.why));
    } else if (const auto* results = std::get_if<Results>(&message)) {
      for (const auto& item : results->items) {
        line += " " + std::to_string(item.rseq) + ":" + std::to_string(item.seq) + "=" +
                to_text(item.info.task) + " " + std::string(to_text(item.info.state));
      }
    } else if (const auto* infos = std::get_if<TaskInfos>(&message)) {
      for (const auto& info : infos->tasks)
        line += " " + to_text(info.task) + " " + std::string(to_text(info.state));
      for (const TaskId id : infos->unknown) line += " unknown " + to_text(id);
    } else if (const auto* query = std::get_if<TaskQuery>(&message)) {
      for (const TaskId id : query->tasks) line += " " + to_text(id);
    } else if (const auto* cancel = std::get_if<Cancel>(&message)) {
      for (const TaskId id : cancel->tasks) line += " " + to_text(id);
    } else if (const auto* answers = std::get_if<CancelAnswers>(&message)) {
      for (const auto& [id, answer] : answers->answers)
        line += " " + to_text(id) + " " + std::to_string(static_cast<int>(answer));
    } else if (const auto* providers = std::get_if<Providers>(&message)) {
      for (const auto& found : providers->blocks) line += found.holders.empty() ? " nobody" : " here";
    } else if (const auto* placement = std::get_if<Placement>(&message)) {
      for (const auto& node : placement->nodes) line += " " + std::string(node.name);
    }
    return line;
  }
};

constexpr Guest one{1};
constexpr Guest two{2};

class DeskTest : public testing::Test {
 protected:
  DeskTest() { restart(); }
  void restart() {
    const auto image = outbox_.image();
    outbox_ = {};
    for (const Bytes& entry : image) EXPECT_TRUE(outbox_.replay(entry));
    desk_.reset();
    desk_ = std::make_unique<Desk>(DeskSettings{"l1", "test", "127.0.0.1:9121"}, outbox_, heard_, now_.wall);
  }
  void submit(std::uint64_t seq, Guest guest = one, std::string_view key = {},
              const SessionId& session = {}) {
    SubmitItem item{seq, "echo", {}, as_bytes("work")};
    item.options.key = key;
    desk_->on_message(now_, guest, Submit{session, 1, {item}});
  }
  // What the file does, and the end of a turn.
  std::vector<std::string> turn() {
    outbox_.take_entries();
    desk_->on_synced(outbox_.last_number());
    wanted_ = desk_->end_turn(now_);
    outbox_.check_invariants();
    return heard_.take();
  }
  void pass(Duration time) {
    now_.monotonic += time;
    now_.wall = now_.wall + std::chrono::duration_cast<std::chrono::milliseconds>(time);
  }
  // The leader's answer to the waits it was asked for.
  void ended(std::uint64_t task, TaskState state = TaskState::Completed) {
    TaskInfo info;
    info.task = {task};
    info.type = "echo";
    info.state = state;
    desk_->on_leader_message(now_, TaskInfos{{std::uint64_t{1} << 62}, {info}, {}, false});
  }

  Now now_{Monotonic(1h), WallTime{1'000'000}};
  Outbox outbox_;
  Heard heard_;
  std::unique_ptr<Desk> desk_;
  Monotonic wanted_;
};

TEST_F(DeskTest, TellsNobodyOfASubmissionBeforeItIsOnDisk) {
  submit(1);
  desk_->end_turn(now_);
  EXPECT_THAT(heard_.take(), IsEmpty());
  EXPECT_THAT(turn(), ElementsAre("g1 accepted 1=o1"));
}

TEST_F(DeskTest, AnswersARepeatWithTheSameItem) {
  submit(1);
  submit(1, two);
  EXPECT_THAT(turn(), ElementsAre("g2 accepted 1=o1"));
  submit(1, two);
  EXPECT_THAT(turn(), ElementsAre("g2 accepted 1=o1"));
  EXPECT_EQ(outbox_.counts().waiting, 1U);
}

TEST_F(DeskTest, WaitsForABrokersWordWhileOneIsThereAndThenGivesTheTasksOwnId) {
  desk_->on_online();
  submit(1);
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(wanted_, now_.monotonic + limits::outbox_answer_time);
  EXPECT_EQ(desk_->begin_hand_in(), outbox_item(1));
  desk_->handed_in(now_, outbox_item(1), {7});
  EXPECT_THAT(turn(), ElementsAre("g1 accepted 1=t7"));
}

TEST_F(DeskTest, GivesTheItemsNameWhenTheBrokerSaysNothingInTime) {
  desk_->on_online();
  submit(1);
  turn();
  pass(limits::outbox_answer_time);
  EXPECT_THAT(turn(), ElementsAre("g1 accepted 1=o1"));
}

TEST_F(DeskTest, PassesARefusalOnAndKeepsNothingOfTheItem) {
  desk_->on_online();
  submit(1);
  turn();
  desk_->begin_hand_in();
  desk_->refused(now_, outbox_item(1), Refusal::NotKnown, "no worker offers it");
  EXPECT_THAT(turn(), ElementsAre("g1 rejected 1 not known"));
  EXPECT_TRUE(outbox_.items().empty());
}

TEST_F(DeskTest, ShowsALateRefusalUnderTheItemsName) {
  submit(1);
  turn();
  desk_->on_online();
  desk_->begin_hand_in();
  desk_->refused(now_, outbox_item(1), Refusal::NotKnown, "no worker offers it");
  EXPECT_THAT(turn(), ElementsAre("g1 results 1:1=o1 failed"));
  desk_->on_message(now_, two, TaskQuery{{5}, TaskQuery::Kind::Show, {outbox_item(1)}});
  EXPECT_THAT(turn(), ElementsAre("g2 taskInfos o1 failed"));
}

TEST_F(DeskTest, HandsInOneAtATimeInTheOrderTheyCame) {
  submit(1);
  submit(2);
  turn();
  EXPECT_EQ(desk_->begin_hand_in(), TaskId{});
  desk_->on_online();
  EXPECT_EQ(desk_->begin_hand_in(), outbox_item(1));
  EXPECT_EQ(desk_->begin_hand_in(), TaskId{});
  desk_->handed_in(now_, outbox_item(1), {7});
  EXPECT_EQ(desk_->begin_hand_in(), outbox_item(2));
}

TEST_F(DeskTest, GivesEveryItemAKeyOfItsOwnUnlessTheUserDid) {
  submit(1);
  submit(2, one, "mine");
  EXPECT_EQ(outbox_.find(outbox_item(1))->key, "outbox/l1/00000000000000000000000000000000/1");
  EXPECT_EQ(outbox_.find(outbox_item(2))->key, "mine");
}

TEST_F(DeskTest, PushesAResultOnceAndAgainUntilItIsAcknowledged) {
  submit(1);
  turn();
  desk_->on_online();
  desk_->begin_hand_in();
  desk_->handed_in(now_, outbox_item(1), {7});
  EXPECT_THAT(turn(), IsEmpty());
  pass(1s);
  EXPECT_THAT(turn(), ElementsAre("leader taskQuery t7"));
  ended(7);
  EXPECT_THAT(turn(), ElementsAre("g1 results 1:1=t7 completed"));
  ended(7);
  EXPECT_THAT(turn(), IsEmpty());
  desk_->on_message(now_, two, SessionResume{{}, 0});
  EXPECT_THAT(turn(), ElementsAre("g2 results 1:1=t7 completed"));
  desk_->on_message(now_, two, ResultAck{{}, 1});
  desk_->on_message(now_, two, SessionResume{{}, 1});
  EXPECT_THAT(turn(), ElementsAre("g2 results"));
}

TEST_F(DeskTest, TakesUpASessionAfterARestartFromItsCursor) {
  submit(1);
  submit(2);
  turn();
  desk_->on_online();
  for (std::uint64_t item : {1, 2}) {
    desk_->begin_hand_in();
    desk_->handed_in(now_, outbox_item(item), {item + 10});
  }
  restart();
  desk_->on_online();
  desk_->on_message(now_, two, SessionResume{{}, 1});
  EXPECT_THAT(turn(), ElementsAre("g2 results"));
  pass(1s);
  EXPECT_THAT(turn(), ElementsAre("leader taskQuery tb tc"));
  ended(12);
  EXPECT_THAT(turn(), ElementsAre("g2 results 2:2=tc completed"));
}

TEST_F(DeskTest, AsksForNoResultThatNobodyWaitsForAnyMore) {
  submit(1);
  turn();
  desk_->on_online();
  desk_->begin_hand_in();
  desk_->handed_in(now_, outbox_item(1), {7});
  desk_->on_message(now_, one, SessionClose{{}});
  turn();
  pass(1s);
  EXPECT_THAT(turn(), IsEmpty());
}

TEST_F(DeskTest, TellsOfAWaitingItemUnderItsNameOnceItsTaskHasEnded) {
  submit(1);
  turn();
  desk_->on_message(now_, two, TaskQuery{{5}, TaskQuery::Kind::Wait, {outbox_item(1)}});
  desk_->on_message(now_, two, SessionClose{{}});
  EXPECT_THAT(turn(), IsEmpty());
  desk_->on_online();
  desk_->begin_hand_in();
  desk_->handed_in(now_, outbox_item(1), {7});
  turn();
  pass(1s);
  EXPECT_THAT(turn(), ElementsAre("leader taskQuery t7"));
  desk_->on_offline(now_);
  desk_->on_online();
  turn();
  pass(1s);
  EXPECT_THAT(turn(), ElementsAre("leader taskQuery t7"));
  ended(7);
  EXPECT_THAT(turn(), ElementsAre("g2 taskInfos o1 completed"));
}

TEST_F(DeskTest, AnswersWhatItKnowsWhileCutOffAndSaysSoOfTheRest) {
  submit(1);
  turn();
  desk_->on_message(now_, two, TaskQuery{{5}, TaskQuery::Kind::Show, {outbox_item(1), outbox_item(2)}});
  desk_->on_message(now_, two, TaskQuery{{6}, TaskQuery::Kind::Show, {TaskId{7}}});
  desk_->on_message(now_, two, TaskList{{7}, {}, {}, 10, {}});
  desk_->on_message(now_, two, SnapshotRequest{{8}});
  EXPECT_THAT(turn(), ElementsAre("g2 taskInfos o1 pending unknown o2", "g2 refused",
                                  "g2 taskInfos o1 pending", "g2 refused"));
}

TEST_F(DeskTest, PutsAnAnswerInSeveralPartsTogetherUnderTheIdsThatWereAsked) {
  submit(1);
  turn();
  desk_->on_online();
  desk_->begin_hand_in();
  desk_->handed_in(now_, outbox_item(1), {7});
  turn();
  desk_->on_message(now_, two, TaskQuery{{5}, TaskQuery::Kind::Show, {TaskId{8}, outbox_item(1), TaskId{9}}});
  EXPECT_THAT(turn(), ElementsAre("leader taskQuery t8 t7 t9"));
  TaskInfo info;
  info.task = {8};
  desk_->on_leader_message(now_, TaskInfos{{1}, {info}, {}, true});
  EXPECT_THAT(turn(), ElementsAre("g2 taskInfos t8 pending"));
  info.task = {7};
  desk_->on_leader_message(now_, TaskInfos{{1}, {info}, {TaskId{9}}, false});
  EXPECT_THAT(turn(), ElementsAre("g2 taskInfos o1 pending unknown t9"));
}

TEST_F(DeskTest, CancelsAnItemThatWaitsAndNoneThatIsBeingHandedIn) {
  submit(1);
  submit(2);
  turn();
  desk_->on_message(now_, two, Cancel{{5}, {outbox_item(2), outbox_item(9)}});
  EXPECT_THAT(turn(), ElementsAre("g1 results 1:2=o2 cancelled", "g2 cancelAnswers o2 0 o9 2"));
  desk_->on_online();
  desk_->begin_hand_in();
  desk_->on_message(now_, two, Cancel{{6}, {outbox_item(1)}});
  EXPECT_THAT(turn(), ElementsAre("g2 refused"));
  desk_->handed_in(now_, outbox_item(1), {7});
  desk_->on_message(now_, two, Cancel{{7}, {outbox_item(1)}});
  EXPECT_THAT(turn(), ElementsAre("leader cancel t7"));
  desk_->on_leader_message(now_, CancelAnswers{{1}, {{TaskId{7}, CancelAnswer::Cancelled}}});
  EXPECT_THAT(turn(), ElementsAre("g2 cancelAnswers o1 0"));
}

TEST_F(DeskTest, NamesItselfAsHolderOfWhatAnybodyHolds) {
  BlockKey mine;
  mine.bytes[0] = 1;
  const Find find{{5}, {mine, BlockKey{}}};
  desk_->on_message(now_, one, find);
  EXPECT_THAT(turn(), ElementsAre("g1 providers here nobody"));
  desk_->on_message(now_, one, Find{{6}, {BlockKey{}}});
  EXPECT_THAT(turn(), ElementsAre("g1 refused")) << "cut off, it does not know that nobody holds it";
  desk_->on_online();
  desk_->on_message(now_, one, find);
  EXPECT_THAT(turn(), ElementsAre("leader find"));
  desk_->on_leader_message(now_, Providers{{1}, {{"w1", "a:1"}}, {{mine, {}}, {BlockKey{}, {0}}}});
  EXPECT_THAT(turn(), ElementsAre("g1 providers here here"));
}

TEST_F(DeskTest, TakesNewBlocksItselfWhileCutOffAndSendsThemToWorkersOtherwise) {
  desk_->on_message(now_, one, Place{{5}, 2, 100, {}});
  desk_->on_message(now_, one, Place{{6}, 2, 100, {"l1"}});
  EXPECT_THAT(turn(), ElementsAre("g1 placement l1", "g1 placement"));
  desk_->on_online();
  desk_->on_message(now_, one, Place{{7}, 2, 100, {}});
  EXPECT_THAT(turn(), ElementsAre("leader place"));
}

TEST_F(DeskTest, ForgetsTheQuestionsOfAGuestThatIsGone) {
  desk_->on_online();
  desk_->on_message(now_, one, TaskQuery{{5}, TaskQuery::Kind::Wait, {TaskId{7}}});
  desk_->on_message(now_, one, SnapshotRequest{{6}});
  desk_->on_guest_gone(one);
  EXPECT_THAT(turn(), ElementsAre("leader snapshotRequest"));
  pass(1s);
  EXPECT_THAT(turn(), IsEmpty());
  desk_->on_leader_message(now_, Snapshot{{1}, {}, {}, Durability::Disk, {}, {}, {}, {}, 0});
  EXPECT_THAT(turn(), IsEmpty());
}

TEST_F(DeskTest, SaysNoWhenTheOutboxIsFullAndLosesNothing) {
  const std::size_t most = limits::outbox_waiting;
  for (std::uint64_t seq = 1; seq <= most; ++seq) submit(seq);
  heard_.take();
  submit(most + 1);
  EXPECT_THAT(heard_.take(), ElementsAre("g1 rejected " + std::to_string(most + 1) + " exhausted"));
  EXPECT_EQ(outbox_.counts().waiting, most);
}

TEST_F(DeskTest, RefusesWhatOnlyNodesSay) {
  EXPECT_FALSE(desk_->on_message(now_, one, Credit{}));
  EXPECT_FALSE(desk_->on_message(now_, one, Complete{}));
  EXPECT_FALSE(desk_->on_message(now_, one, Announce{}));
}

}  // namespace
}  // namespace cidbus
