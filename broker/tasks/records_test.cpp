#include "broker/tasks/records.h"

#include <gtest/gtest.h>

#include "shared/base/prng.h"

namespace cidbus {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

SessionId some_session() {
  SessionId session;
  for (std::size_t i = 0; i < session.bytes.size(); ++i) session.bytes[i] = static_cast<std::uint8_t>(i * 17);
  return session;
}

template <typename Record>
Bytes encoded(const Record& record) {
  Bytes bytes;
  encode(record, bytes);
  return bytes;
}
template <typename Record>
Record round_trip(const Record& record, Bytes& bytes) {
  bytes = encoded(record);
  Record out;
  EXPECT_TRUE(decode(bytes, out));
  return out;
}

SubmitRecord full_submit() {
  SubmitRecord record{some_session(), 77, 70, "process_content", {}, as_bytes("the work")};
  record.options = {9,
                    100,
                    milliseconds(1),
                    milliseconds(86'400'000),
                    milliseconds(30'000),
                    milliseconds(250),
                    "k\xc3\xa9y with spaces"};
  return record;
}

TEST(Records, CarryALogInAVersionOfTheirOwnAndOnlyThen) {
  Bytes bytes;
  RequeueRecord requeue{TaskId{9}, 0, 2, RequeueReason::Retry, true, milliseconds(7), "busy"};
  EXPECT_TRUE(round_trip(requeue, bytes).log.empty());
  EXPECT_EQ(bytes[0], 1);
  requeue.log = as_bytes("the end");
  EXPECT_EQ(as_text(round_trip(requeue, bytes).log), "the end");
  EXPECT_EQ(bytes[0], 2);

  ResultRecord result{TaskId{9}, 0, 2, Outcome::Completed, 3, {}, "", as_bytes("result")};
  EXPECT_TRUE(round_trip(result, bytes).log.empty());
  EXPECT_EQ(bytes[0], 1);
  result.log = as_bytes("the end");
  const auto back = round_trip(result, bytes);
  EXPECT_EQ(bytes[0], 2);
  EXPECT_EQ(as_text(back.log), "the end");
  EXPECT_EQ(as_text(back.result), "result");
  bytes[0] = 3;
  ResultRecord unknown;
  EXPECT_FALSE(decode(bytes, unknown));
}

TEST(Records, ComeBackAsTheyWereWritten) {
  Bytes bytes;
  const auto submit = round_trip(full_submit(), bytes);
  EXPECT_EQ(submit.session, some_session());
  EXPECT_EQ(submit.seq, 77u);
  EXPECT_EQ(submit.low_water, 70u);
  EXPECT_EQ(submit.type, "process_content");
  EXPECT_EQ(submit.options.priority, 9);
  EXPECT_EQ(submit.options.tries, 100);
  EXPECT_EQ(submit.options.delay, milliseconds(1));
  EXPECT_EQ(submit.options.deadline, milliseconds(86'400'000));
  EXPECT_EQ(submit.options.time_limit, milliseconds(30'000));
  EXPECT_EQ(submit.options.backoff, milliseconds(250));
  EXPECT_EQ(submit.options.key, "k\xc3\xa9y with spaces");
  EXPECT_EQ(as_text(submit.work), "the work");

  const auto plain = round_trip(SubmitRecord{some_session(), 1, 0, "echo", {}, {}}, bytes);
  EXPECT_EQ(plain.options.backoff, milliseconds(1000));
  EXPECT_TRUE(plain.work.empty() && plain.options.key.empty());

  const auto requeue = round_trip(
      RequeueRecord{TaskId{5}, 0, 3, RequeueReason::LeaseExpired, true, milliseconds(1500), "why"}, bytes);
  EXPECT_EQ(requeue.task, TaskId{5});
  EXPECT_EQ(requeue.attempt, 3u);
  EXPECT_EQ(requeue.reason, RequeueReason::LeaseExpired);
  EXPECT_TRUE(requeue.costs_try);
  EXPECT_EQ(requeue.delay, milliseconds(1500));
  EXPECT_EQ(requeue.error, "why");

  const auto result = round_trip(
      ResultRecord{TaskId{6}, 0, 2, Outcome::Failed, 9, microseconds(12), "bad", as_bytes("partial")}, bytes);
  EXPECT_EQ(result.outcome, Outcome::Failed);
  EXPECT_EQ(result.node, 9);
  EXPECT_EQ(result.elapsed, microseconds(12));
  EXPECT_EQ(result.error, "bad");
  EXPECT_EQ(as_text(result.result), "partial");

  const auto node = round_trip(NodeRecord{3, "w3", {"echo", "hash"}, {"hash"}}, bytes);
  EXPECT_EQ(node.number, 3);
  EXPECT_EQ(node.name, "w3");
  EXPECT_EQ(node.types, (std::vector<std::string_view>{"echo", "hash"}));
  EXPECT_EQ(node.strict_types, (std::vector<std::string_view>{"hash"}));

  const auto open = round_trip(OpenRecord{Epoch{4}, "b1", "127.0.0.1:9096"}, bytes);
  EXPECT_EQ(open.epoch, Epoch{4});
  EXPECT_EQ(open.endpoint, "127.0.0.1:9096");
  EXPECT_EQ(round_trip(ResultAckRecord{some_session(), 8}, bytes).cursor, 8u);
  EXPECT_EQ(round_trip(TaskRecord{TaskId{99}}, bytes).task, TaskId{99});
  EXPECT_EQ(round_trip(SessionRecord{some_session()}, bytes).session, some_session());
}

TEST(Records, ALeaseTakesAboutFortyBytesWithItsHeadInTheJournal) {
  EXPECT_LE(encoded(LeaseRecord{TaskId{1}, 0, 1, 1}).size() + 16, 40u);
}

template <typename Record>
void expect_no_prefix_decodes(const Record& record, std::size_t shortest_legal) {
  const Bytes bytes = encoded(record);
  for (std::size_t size = 0; size < shortest_legal; ++size) {
    Record out;
    EXPECT_FALSE(decode(ByteView(bytes).first(size), out)) << size << " of " << bytes.size();
  }
}

TEST(Records, ANodeOfTheFirstVersionIsStillReadAndHasNoStrictTypes) {
  const std::string_view first_version(
      "\x01\x03\x00\x02w3\x01\x00\x04"
      "echo",
      13);
  NodeRecord node{1, "", {}, {"left from before"}};
  ASSERT_TRUE(decode(as_bytes(first_version), node));
  EXPECT_EQ(node.name, "w3");
  EXPECT_EQ(node.types, (std::vector<std::string_view>{"echo"}));
  EXPECT_TRUE(node.strict_types.empty());
}

TEST(Records, ThatAreCutAreRefused) {
  const SubmitRecord submit = full_submit();
  expect_no_prefix_decodes(submit, encoded(submit).size() - submit.work.size());
  const LeaseRecord lease{TaskId{1}, 0, 1, 1};
  expect_no_prefix_decodes(lease, encoded(lease).size());
  const RequeueRecord requeue{TaskId{1}, 0, 1, RequeueReason::Retry, false, milliseconds(3), "x"};
  expect_no_prefix_decodes(requeue, encoded(requeue).size());
  const ResultRecord result{TaskId{1}, 0, 1, Outcome::Completed, 1, microseconds(1), "", as_bytes("r")};
  expect_no_prefix_decodes(result, encoded(result).size() - 1);
  const NodeRecord node{1, "w1", {"a", "b"}, {"b"}};
  expect_no_prefix_decodes(node, encoded(node).size());
  expect_no_prefix_decodes(SessionRecord{some_session()}, 17);
  expect_no_prefix_decodes(TaskRecord{TaskId{1}}, 9);
  expect_no_prefix_decodes(ResultAckRecord{some_session(), 1}, 25);
}

TEST(Records, OfAnotherVersionOrWithImpossibleValuesAreRefused) {
  const auto refused = [](Bytes bytes, std::size_t place, std::uint8_t value, auto record) {
    bytes.at(place) = value;
    return !decode(bytes, record);
  };
  const Bytes submit = encoded(SubmitRecord{some_session(), 1, 1, "echo", {}, {}});
  EXPECT_TRUE(refused(submit, 0, 2, SubmitRecord{}));     // version
  EXPECT_TRUE(refused(submit, 33, 255, SubmitRecord{}));  // present
  EXPECT_TRUE(refused(submit, 34, 10, SubmitRecord{}));   // priority
  EXPECT_TRUE(refused(submit, 35, 0, SubmitRecord{}));    // tries
  EXPECT_TRUE(refused(submit, 36, 0, SubmitRecord{}));    // no type
  const Bytes result = encoded(ResultRecord{TaskId{1}, 0, 1, Outcome::Completed, 1, {}, "", {}});
  EXPECT_TRUE(refused(result, 14, 6, ResultRecord{}));  // outcome
  const Bytes requeue = encoded(RequeueRecord{TaskId{1}, 0, 1, RequeueReason::Retry, false, {}, ""});
  EXPECT_TRUE(refused(requeue, 14, 6, RequeueRecord{}));  // reason
  Bytes longer = encoded(LeaseRecord{TaskId{1}, 0, 1, 1});
  longer.push_back(0);
  LeaseRecord lease;
  EXPECT_FALSE(decode(longer, lease));
}

TEST(Records, OfRandomBytesNeverReadOutsideThem) {
  Prng random(17);
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes(random.below(80));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (!bytes.empty() && random.chance(3, 4)) bytes[0] = 1;
    SubmitRecord submit;
    ResultRecord result;
    RequeueRecord requeue;
    NodeRecord node;
    OpenRecord open;
    if (decode(bytes, submit)) {
      EXPECT_LE(submit.work.size(), bytes.size());
    }
    if (decode(bytes, result)) {
      EXPECT_LE(result.result.size(), bytes.size());
    }
    if (decode(bytes, requeue)) {
      EXPECT_LE(requeue.error.size(), bytes.size());
    }
    if (decode(bytes, node)) {
      EXPECT_LE(node.types.size(), bytes.size());
    }
    if (decode(bytes, open)) {
      EXPECT_LE(open.endpoint.size(), bytes.size());
    }
  }
}

TEST(Records, CutDurationsThatNoClockCouldReach) {
  SubmitRecord record = full_submit();
  record.options.delay = milliseconds::max();
  record.options.deadline = milliseconds(-5);
  Bytes bytes;
  const auto back = round_trip(record, bytes);
  EXPECT_EQ(back.options.delay.count(), std::int64_t{1} << 55);
  EXPECT_EQ(back.options.deadline.count(), 0);
}

}  // namespace
}  // namespace cidbus
