#include "broker/consensus/state_comparison.h"

#include <gtest/gtest.h>

#include "broker/consensus/transcript.h"
#include "shared/base/limits/state_digest.h"

namespace cidbus::group {
namespace {

using Verdict = StateComparison::Verdict;
using std::chrono::milliseconds;

constexpr std::uint64_t every = limits::digest_every;

GroupConfig group_of(std::size_t brokers) {
  std::vector<Member> members;
  for (std::size_t at = 1; at <= brokers; ++at)
    members.push_back({"b" + std::to_string(at), "h:" + std::to_string(at), 0});
  return {members, "b1"};
}
StateDigest digest(std::uint64_t step, std::uint64_t value) { return {{step * every}, value, 7}; }
Seat seat(int number) { return static_cast<Seat>(number); }
Monotonic at(int ms) { return Monotonic(milliseconds(ms)); }

// A leader of so many, whose state is 1 after the first record that is compared.
struct Leading {
  explicit Leading(std::size_t brokers) : config(group_of(brokers)), comparison(config) {
    comparison.on_passed(digest(1, 1));
    comparison.on_office();
    comparison.ask(at(1000));
  }
  GroupConfig config;
  StateComparison comparison;
};

struct Told {
  std::size_t brokers;
  std::vector<std::uint64_t> by_others;  // 0: silent
  bool counts;
  bool outvoted;
};
void PrintTo(const Told& told, std::ostream* out) {
  *out << told.brokers << " brokers, others say " << testing::PrintToString(told.by_others);
}

class Answers : public testing::TestWithParam<Told> {};

TEST_P(Answers, DecideWhoseStateCounts) {
  Leading leading(GetParam().brokers);
  int number = 1;
  for (const std::uint64_t value : GetParam().by_others) {
    if (value != 0) leading.comparison.on_answer(seat(number), digest(1, value));
    ++number;
  }
  EXPECT_EQ(leading.comparison.counts(), GetParam().counts);
  EXPECT_EQ(leading.comparison.is_outvoted(), GetParam().outvoted);
}

INSTANTIATE_TEST_SUITE_P(
    All, Answers,
    testing::Values(Told{2, {0}, true, false}, Told{2, {2}, true, false},  // one word against one
                    Told{3, {0, 0}, false, false}, Told{3, {1, 0}, true, false},
                    Told{3, {2, 0}, false, false},  // the silent one decides
                    Told{3, {2, 1}, true, false}, Told{3, {2, 2}, false, true},
                    Told{3, {2, 3}, true, false},  // three states
                    Told{4, {2, 2, 0}, false, false}, Told{4, {2, 2, 1}, true, false},
                    Told{4, {2, 2, 2}, false, true}, Told{4, {1, 0, 0}, true, false},
                    Told{5, {1, 0, 0, 0}, false, false}, Told{5, {1, 1, 0, 0}, true, false},
                    Told{5, {2, 2, 0, 0}, false, false}, Told{5, {2, 2, 3, 3}, true, false},
                    Told{5, {2, 2, 2, 0}, false, true}));

TEST(StateComparison, NamesOneRecordUntilAllHaveAnsweredOrTheTimeIsOver) {
  Leading leading(3);
  StateComparison& comparison = leading.comparison;
  comparison.on_passed(digest(2, 1));
  comparison.ask(at(1050));
  EXPECT_EQ(comparison.asked(), digest(1, 1));
  comparison.on_answer(seat(1), digest(1, 1));
  comparison.on_answer(seat(2), digest(2, 1));  // of another record
  comparison.ask(at(1100));
  EXPECT_EQ(comparison.asked(), digest(1, 1));
  comparison.on_answer(seat(2), digest(1, 1));
  EXPECT_EQ(comparison.agreed(), LogIndex{every});
  comparison.ask(at(1150));
  EXPECT_EQ(comparison.asked(), digest(2, 1));
  EXPECT_FALSE(comparison.counts()) << "answers to an earlier one";
  comparison.on_passed(digest(3, 1));
  comparison.ask(at(1150) + lan_timers().suspicion);
  EXPECT_EQ(comparison.asked(), digest(3, 1));
}

TEST(StateComparison, OneThatLagsOrKnowsNothingOfDigestsIsNotCompared) {
  const GroupConfig config = group_of(3);
  StateComparison comparison(config);
  EXPECT_EQ(comparison.on_told(digest(1, 1), true), Verdict::Nothing);
  comparison.on_passed(digest(1, 1));
  EXPECT_EQ(comparison.on_told(StateDigest{}, true), Verdict::Nothing) << "an older broker leads";
  EXPECT_EQ(comparison.on_told(digest(2, 2), true), Verdict::Nothing);
  EXPECT_EQ(comparison.at({2 * every}), StateDigest{});
  comparison.on_passed(digest(1 + limits::digests_kept, 1));
  EXPECT_EQ(comparison.on_told(digest(1, 2), true), Verdict::Nothing) << "so old that it is forgotten";
  EXPECT_TRUE(comparison.good());
  EXPECT_EQ(comparison.figures().equal + comparison.figures().different, 0U);
}

TEST(StateComparison, OnlyADigestThatCountsMakesAStateWrong) {
  const GroupConfig config = group_of(3);
  StateComparison comparison(config);
  comparison.on_passed(digest(1, 1));
  EXPECT_EQ(comparison.on_told(digest(1, 2), false), Verdict::Nothing);
  EXPECT_TRUE(comparison.good());
  EXPECT_EQ(comparison.at({every}), digest(1, 1));
  EXPECT_EQ(comparison.on_told(digest(1, 2), true), Verdict::Wrong);
  EXPECT_TRUE(comparison.is_quarantined());
  EXPECT_EQ(comparison.at({every}), StateDigest{}) << "it is no witness any more";
}

TEST(StateComparison, AStateThatDiffersAgainIsNotReplacedAgain) {
  const GroupConfig config = group_of(3);
  StateComparison comparison(config);
  const auto told = [&](std::uint64_t step, std::uint64_t own) {
    comparison.on_passed(digest(step, own));
    return comparison.on_told(digest(step, 2), true);
  };
  EXPECT_EQ(told(1, 1), Verdict::Wrong);
  comparison.on_replaced();
  EXPECT_TRUE(comparison.good());
  EXPECT_EQ(told(2, 2), Verdict::Nothing);
  EXPECT_EQ(told(3, 1), Verdict::Wrong) << "it was equal in between";
  comparison.on_replaced();
  EXPECT_EQ(told(4, 1), Verdict::WrongAgain);
  EXPECT_EQ(told(5, 1), Verdict::Nothing) << "said once";
  EXPECT_EQ(comparison.trust(), StateTrust::Differs);
  EXPECT_FALSE(comparison.is_quarantined());
  EXPECT_EQ(comparison.figures().again, 2U);
  comparison.on_replaced();  // it lagged
  EXPECT_EQ(comparison.trust(), StateTrust::Differs);
  EXPECT_EQ(told(6, 2), Verdict::Nothing);
  EXPECT_TRUE(comparison.good()) << "whatever it was, it is over";
}

// ---- in the group's core

TEST(StateScenes, AFollowerWithAWrongStateAsksForOneAndDoesNotStand) {
  Transcript broker("b2", {4}, {"4/1-70"});
  const std::string scene = R"(b1 BEAT e4 70 4/70
  leader b1
  to b1 e4: BEAT_ACK durable 70
state 64/1
b1 BEAT e4 70 4/70 state 64/2
  to b1 e4: BEAT_ACK durable 70 state 64/1
b1 BEAT e4 70 4/70 state 64/2 counts
  to b1 e4: BEAT_ACK durable 70 wants a state
b3 ELECTION 1 4/70 1
  to b3 e4: NAY leader alive
wait 1000
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(StateScenes, ALeaderThatIsOutvotedResignsAndDoesNotStand) {
  Transcript broker("b1", {4}, {"4/1-70"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/70 prio 3
  to b3 e4: ELECTION 4/70 prio 3
b2 AYE 1 4/70 2
b3 AYE 1 4/70 1
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/70
  to b3 e5: VOTE_REQ 4/70
disk vote
b2 VOTE e5 granted
  leader b1
  take office e5
state 64/1
propose 1
  write 5/71-71 office 5
  to b2 e5: APPEND behind 4/70 commit 0 5/71-71
  to b3 e5: APPEND behind 4/70 commit 0 5/71-71
wait 1
  to b2 e5: BEAT commit 0 state 64/1
  to b3 e5: BEAT commit 0 state 64/1
b2 BEAT_ACK e5 70 state 64/2
b3 BEAT_ACK e5 70 state 64/2
  to b2 e5: RESIGN
  to b3 e5: RESIGN
  leave office e5: a majority has another state
  leader nobody
wait 1000
)";
  EXPECT_EQ(broker.play(scene), scene);
}

}  // namespace
}  // namespace cidbus::group
