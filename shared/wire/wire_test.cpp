#include <gtest/gtest.h>

#include "shared/base/limits/messages.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"
#include "shared/base/prng.h"
#include "shared/wire/codec.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

const Header header{protocol_version, cluster_id("test"), Epoch{7}, "w1", Incarnation{99}};

// A message, encoded, decoded and encoded again, must give the same frame: nothing was lost and nothing was
// added.
void expect_round_trip(const Message& message) {
  Encoder encoder;
  const Bytes frame = to_bytes(encoder.encode(header, message));
  Decoder decoder;
  const auto envelope = decoder.decode(frame);
  ASSERT_TRUE(envelope) << name_of(message) << ": " << envelope.error().message;
  EXPECT_EQ(name_of(envelope->message), name_of(message));
  EXPECT_EQ(envelope->header.sender, "w1");
  EXPECT_EQ(envelope->header.epoch, Epoch{7});
  Encoder again;
  EXPECT_TRUE(equal(again.encode(envelope->header, envelope->message), frame)) << name_of(message);
}

const Bytes some_bytes{1, 2, 3, 4, 5};
const Bytes some_cid{0x01, 0x55, 0x00, 0x01, 'a'};
const AttemptId attempt{TaskId{5}, 0, 2, Epoch{7}};
const BlockKey key{{1, 2, 3}};

TaskInfo some_info() {
  TaskInfo info{
      TaskId{5}, "echo", TaskState::Failed, 2, 9, some_bytes, some_bytes, "no such file", {1}, {2}, {3},
      "w1",      "k",    some_bytes};
  return info;
}
Member some_member() {
  return {"w1", Role::Worker, MemberState::Alive, {3}, "127.0.0.1:1", {4, 1, 2, 3, 4, 5, 6},
          {10}, {11},         {{"zone", "a"}}};
}

Proposal some_proposal() {
  Proposal proposal{7,
                    ProposalKind::ConfigChange,
                    "lease_length",
                    -10'000,
                    "anna",
                    {1},
                    {2},
                    {3},
                    ProposalStatus::Rejected,
                    4,
                    5,
                    1,
                    2,
                    {},
                    {}};
  proposal.votes = {{"w1", false, true, "too short"}, {"b1", true, false, {}}};
  proposal.waiting = {"b2", "b3"};
  return proposal;
}

std::vector<Message> one_of_each() {
  const SessionId session{{9, 9, 9}};
  TaskOptions options;
  options.key = "once";
  options.deadline = std::chrono::hours(1);
  return {
      Hello{Role::Worker,
            {4, 1, 20, 3000, 1'000'000, 5000, 7},
            {"echo", "hash"},
            "127.0.0.1:9110",
            {attempt},
            {"hash"},
            {{"zone", "a"}}},
      Welcome{"b1",
              std::chrono::seconds(1),
              std::chrono::seconds(5),
              std::chrono::seconds(30),
              1000,
              {{"b1", "127.0.0.1:9096"}, {"b2", "127.0.0.1:9196"}}},
      Redirect{"b2", "127.0.0.1:9196", {{"b2", "127.0.0.1:9196"}}},
      Refused{Refusal::Exhausted, "disk full", std::chrono::milliseconds(500)},
      Goodbye{"done"},
      Ping{},
      Pong{},
      Submit{session, 3, {{4, "echo", options, some_bytes}, {5, "hash", {}, {}}}},
      Accepted{session, Durability::Quorum, {{4, TaskId{77}, true}}},
      Rejected{session, {{5, Refusal::BadMessage, "why", std::chrono::milliseconds(1)}}},
      SessionResume{session, 8},
      SessionClose{session},
      Results{session, {{1, 4, some_info()}}},
      ResultAck{session, 1},
      Credit{12},
      Dispatch{{{attempt, "echo", std::chrono::seconds(3), some_bytes, true, std::chrono::seconds(30)}}},
      Renew{{attempt}, 7},
      Renewed{{attempt}, {attempt}, 7},
      Progress{attempt, 500, "half"},
      Complete{{{attempt, Outcome::Retry, some_bytes, "later", std::chrono::microseconds(5), some_bytes}}},
      CompleteAck{{attempt}},
      Revoke{{attempt}},
      TaskQuery{{1}, TaskQuery::Kind::Wait, {TaskId{5}}},
      TaskList{{2}, TaskState::Pending, "echo", 10, TaskId{9}},
      TaskInfos{{2}, {some_info()}, {TaskId{6}}, true},
      Cancel{{3}, {TaskId{5}}},
      CancelAnswers{{3}, {{TaskId{5}, CancelAnswer::AlreadyFinal}}},
      SnapshotRequest{{4}},
      Snapshot{{4},
               "test",
               "b1",
               Durability::Disk,
               LogIndex{5},
               {{"b1", "127.0.0.1:9096", true, {7}, {9}, {8}, {8}, {8}}},
               {some_member()},
               {1, 2, 3, 4, 5, 6, 7},
               12},
      Announce{true, {key}, {key}},
      Find{{5}, {key}},
      Providers{{5}, {{"w1", "127.0.0.1:1"}}, {{key, {0}}, {key, {}}}},
      Place{{6}, 2, 1 << 20, {"w2"}},
      Placement{{6}, {{"w1", "127.0.0.1:1"}}, 2},
      WantBlocks{{7}, {some_bytes, some_bytes}},
      BlockReply{{7}, some_bytes, BlockAnswer::Busy},
      StoreBlock{{8}, some_bytes},
      StoreReply{{8}, some_bytes, StoreAnswer::NoRoom, "full"},
      Feed{FeedTopic::Tasks,
           4,
           LogIndex{5},
           {6},
           {HeartbeatEvent{"w1", Role::Worker, {3}, {}}, LeaderEvent{"b1", "127.0.0.1:9096", {7}},
            MemberEvent{some_member()}, TaskEvent{TaskId{5}, "echo", TaskState::Completed, "w1", 1},
            SkippedEvent{3}, CountersEvent{{1, 2, 3, 4, 5, 6, 7}, 1, 2, 3, 4, 5},
            ElectionEvent{ElectionWord::Nay, "b2", {7}, {9}, {6}, -1}, ProposalEvent{some_proposal()},
            MetricsEvent{Role::Worker,
                         {{1, {}, 2.5, {}}, {2, {"echo", "failed"}, 3, {}}, {900, {}, 0.1, {0, 7, 1}}}}}},
      NameContent{{9}, {"holiday", some_cid, {{"year", "2026"}}, {}}},
      FindContent{{9}, "holi*", {{"year", "2026"}}, "a", 10},
      ContentNames{{9}, {{"holiday", some_cid, {{"year", "2026"}}, {5}}}, "holiday"},
      BrokerStatusRequest{{9}},
      BrokerStatus{{9},
                   "b2",
                   Duty::Standby,
                   "b1",
                   {7},
                   {9},
                   {8},
                   {7},
                   {6},
                   Durability::Quorum,
                   {{"b1", "127.0.0.1:9096", 3, {9}, {10}}, {"b2", "127.0.0.1:9196", 2, {8}, {11}}},
                   4,
                   StateTrust::Differs,
                   {64}},
      HandoverRequest{{10}, "b2", {7}},
      HandoverAnswer{{10}, HandoverOutcome::NotReady, "b1", {7}, "b2 is behind"},
      ConfigRequest{{11}},
      Configuration{{11}, 3, {{"lease_length", 10'000, 3, 7, {8}}}, {"w9"}, {some_proposal()}},
      Propose{{12}, 99, ProposalKind::MembershipChange, "w9", "forbid", std::chrono::seconds(60)},
      CastVote{{13}, 7, "w1", true, "by hand"},
      ProposalsRequest{{14}, 7, true, false, 0},
      Proposals{{14}, {some_proposal()}, true},
      MemberHistoryRequest{{15}, 8},
      MemberHistory{
          {15}, {7}, {{9, {10}, "w1", Role::Worker, {3}, MemberState::Alive, MemberState::Suspect}}, true},
      Moves{{{"slots", "2", "4"}}, {{WallTime{7}, "slots", "4", "2", "81 % of the memory is used"}}},
      RoleReport{
          "n1", Role::Worker, Role::Gateway, WallTime{8}, true, 3, {{Role::Worker, true, 900, "cores"}}},
      RoleQuery{{16}, "n1"},
      RoleReports{{16},
                  {{"n1",
                    Role::Worker,
                    MemberState::Alive,
                    true,
                    true,
                    Role::Gateway,
                    WallTime{8},
                    {{Role::Worker, true, 900, "cores"}},
                    {{"slots", "2", "4"}},
                    {{WallTime{7}, "role", "leecher", "worker", "told"}}}}},
      RoleChange{{17}, 99, "n1", Role::Gateway, true, 3},
      RoleChangeAnswer{{17}, 99, "n1", RoleChangeOutcome::Failed, "no other node stores blocks"},
  };
}

TEST(Codec, EveryMessageDecodesToWhatWasEncoded) {
  const auto messages = one_of_each();
  ASSERT_EQ(messages.size(), std::variant_size_v<Message>);
  for (std::size_t place = 0; place < messages.size(); ++place) {
    EXPECT_EQ(messages[place].index(), place) << "one of each kind, in order";
    expect_round_trip(messages[place]);
  }
}

TEST(Codec, EmptyBodiesRoundTrip) {
  expect_round_trip(Submit{});
  expect_round_trip(TaskInfos{});
  expect_round_trip(TaskQuery{{1}, TaskQuery::Kind::Logs, {TaskId{5}}});
  expect_round_trip(Feed{});
  expect_round_trip(Snapshot{});
}

TEST(Codec, AFrameMayStartOnAnyByte) {
  Encoder encoder;
  const ByteView frame = encoder.encode(header, one_of_each()[7]);
  for (std::size_t offset = 0; offset < 8; ++offset) {
    Bytes shifted(offset + frame.size());
    std::copy(frame.begin(), frame.end(), shifted.begin() + static_cast<std::ptrdiff_t>(offset));
    Decoder decoder;
    const auto envelope = decoder.decode(ByteView(shifted).subspan(offset));
    ASSERT_TRUE(envelope);
    EXPECT_EQ(std::get<Submit>(envelope->message).items[0].type, "echo");
  }
}

TEST(Codec, DamagedFramesAreRefusedOrDecodedButNeverHarmful) {
  Prng prng(1);
  std::size_t refused = 0;
  for (const Message& message : one_of_each()) {
    Encoder encoder;
    const Bytes whole = to_bytes(encoder.encode(header, message));
    for (int trial = 0; trial < 500; ++trial) {
      Bytes frame = whole;
      const auto flips = prng.between(1, 4);
      for (std::uint64_t flip = 0; flip < flips; ++flip)
        frame[prng.below(frame.size())] ^= static_cast<std::uint8_t>(prng.between(1, 255));
      if (prng.chance(1, 4)) frame.resize(prng.below(frame.size() / 8 + 1) * 8);
      Decoder decoder;
      const auto envelope = decoder.decode(frame);
      if (!envelope) {
        ++refused;
        EXPECT_FALSE(envelope.error().message.empty());
      } else if (envelope->header.version == protocol_version) {
        Encoder again;
        EXPECT_LE(again.encode(envelope->header, envelope->message).size(), limits::message_bytes);
      }
    }
  }
  EXPECT_GT(refused, 1000u);
}

TEST(Codec, RubbishIsRefused) {
  Decoder decoder;
  EXPECT_FALSE(decoder.decode({}));
  EXPECT_FALSE(decoder.decode(as_bytes("GET / HTTP/1.1\r\n")));
  EXPECT_FALSE(decoder.decode(Bytes(4096, 0xff)));
  EXPECT_FALSE(decoder.decode(Bytes(limits::message_bytes + 8, 0)));
}

TEST(Codec, TheBodyOfAnotherVersionIsNotRead) {
  Encoder encoder;
  Header future = header;
  future.version = 2;
  Decoder decoder;
  const Bytes frame = to_bytes(encoder.encode(future, Hello{}));
  const auto envelope = decoder.decode(frame);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->header.version, 2);
}

TEST(Codec, WhatIsOverItsLimitIsRefusedByName) {
  Encoder encoder;
  Decoder decoder;
  const auto problem = [&](const Message& message) {
    const Bytes frame = to_bytes(encoder.encode(header, message));
    const auto envelope = decoder.decode(frame);
    return envelope ? std::string("accepted") : envelope.error().message;
  };
  const std::string long_key(limits::key_length + 1, 'k');
  TaskOptions options;
  options.key = long_key;
  EXPECT_NE(problem(Submit{{}, 0, {{1, "echo", options, {}}}}).find("a key over 256 bytes"),
            std::string::npos);
  EXPECT_NE(problem(Submit{{}, 0, {{1, "no good", {}, {}}}}).find("not a name"), std::string::npos);
  EXPECT_NE(problem(Submit{{}, 0, {{1, "", {}, {}}}}).find("without a type"), std::string::npos);
  options = {};
  options.priority = 10;
  EXPECT_NE(problem(Submit{{}, 0, {{1, "echo", options, {}}}}).find("priority"), std::string::npos);
  const Bytes huge(limits::payload_bytes + 1);
  EXPECT_NE(problem(Submit{{}, 0, {{1, "echo", {}, huge}}}).find("256 KiB"), std::string::npos);
  EXPECT_NE(problem(Renew{std::vector<AttemptId>(limits::items_a_message + 1)}).find("4096"),
            std::string::npos);
  EXPECT_NE(problem(Providers{{}, {}, {{key, {0}}}}).find("holder"), std::string::npos);
  EXPECT_EQ(problem(NameContent{{}, {"holiday", some_cid, {{"k", "v"}, {"l", "v"}}, {}}}), "accepted");
  EXPECT_NE(problem(NameContent{{}, {"holiday", some_bytes, {}, {}}}).find("CID"), std::string::npos);
  EXPECT_NE(problem(NameContent{{}, {"", some_cid, {}, {}}}).find("empty"), std::string::npos);
  EXPECT_NE(problem(NameContent{{}, {"a\nb", some_cid, {}, {}}}).find("control"), std::string::npos);
  EXPECT_NE(problem(NameContent{{}, {"caf\xe9", some_cid, {}, {}}}).find("UTF-8"), std::string::npos);
  EXPECT_NE(problem(NameContent{{}, {std::string(256, 'n'), some_cid, {}, {}}}).find("too long"),
            std::string::npos);
  EXPECT_NE(problem(NameContent{{}, {"a", some_cid, {{"k", "v"}, {"k", "w"}}, {}}}).find("one key"),
            std::string::npos);
  EXPECT_NE(problem(FindContent{{}, "", {}, "", 0}).find("limit"), std::string::npos);
  for (const char* endpoint : {"h:1\x1b[2J", "h: 1", "caf\xe9:1", "\xff"})
    EXPECT_NE(problem(Redirect{"b1", endpoint, {}}).find("visible ASCII"), std::string::npos) << endpoint;
  EXPECT_NE(problem(Redirect{"b1", std::string(257, 'h'), {}}).find("over 256"), std::string::npos);
}

TEST(Work, RoundTripsWithInputsAndParameters) {
  const Work work{{some_bytes, {}}, {{"width", "320"}, {"", ""}, {"na\xc3\xafve", "\xe2\x82\xac"}}};
  const Bytes bytes = encode_work(work);
  const auto decoded = decode_work(bytes);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ((*decoded)->parameters, work.parameters);
  ASSERT_EQ((*decoded)->inputs.size(), 2u);
  EXPECT_TRUE(equal((*decoded)->inputs[0], some_bytes));
}

TEST(Work, OfAnySizeIsOneSegmentWithoutAGap) {
  const Bytes large(limits::cid_length, 7);
  const std::string text(40'000, 'x');
  for (const Work& work :
       {Work{}, Work{{large}, {}}, Work{{}, {{"a", text}}}, Work{{{}, large}, {{"", ""}, {"b", text}}}}) {
    const Bytes bytes = encode_work(work);
    ByteReader table(bytes);
    EXPECT_EQ(table.number<std::uint32_t>(), 0u) << "one segment";
    EXPECT_EQ(table.number<std::uint32_t>() * 8 + 8, bytes.size());
    const auto decoded = decode_work(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ((*decoded)->parameters, work.parameters);
    EXPECT_EQ((*decoded)->inputs.size(), work.inputs.size());
  }
  EXPECT_EQ(encode_result({}).size() + 8, encode_work({}).size()) << "a word for the trace that it lacks";
}

TEST(Work, TheTraceIsNoPartOfWhatIsAskedFor) {
  const Work plain{{as_bytes("input")}, {{"width", "320"}}};
  Work traced = plain;
  traced.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const Bytes bytes = encode_work(traced);
  const auto decoded = decode_work(bytes);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ((*decoded)->traceparent, traced.traceparent);
  EXPECT_NE(bytes, encode_work(plain));
  EXPECT_EQ(asked_by(bytes), asked_by(encode_work(plain)));
  EXPECT_NE(asked_by(bytes), asked_by(encode_work({{as_bytes("input")}, {{"width", "321"}}})));
  EXPECT_NE(asked_by(bytes), asked_by(encode_work({{as_bytes("output")}, {{"width", "320"}}})));
  const Bytes rubbish{1, 2, 3};
  EXPECT_EQ(asked_by(rubbish), rubbish);
}

TEST(Work, DecodesWhereverItLies) {
  const Work work{{}, {{"width", "320"}}};
  Bytes shifted(1);
  const Bytes bytes = encode_work(work);
  shifted.insert(shifted.end(), bytes.begin(), bytes.end());
  const auto decoded = decode_work(ByteView(shifted).subspan(1));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ((*decoded)->parameters, work.parameters);
}

TEST(Work, DamagedBytesAreBadData) {
  EXPECT_EQ(decode_work({}).error().kind, FaultKind::BadData);
  EXPECT_EQ(decode_work(as_bytes("12345678")).error().kind, FaultKind::BadData);
  EXPECT_EQ(decode_result(Bytes(3)).error().kind, FaultKind::BadData);
}

}  // namespace
}  // namespace cidbus
