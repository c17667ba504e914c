#include "shared/wire/group_codec.h"

#include <gtest/gtest.h>

#include "shared/base/crc32c.h"
#include "shared/base/limits/group.h"
#include "shared/base/limits/messages.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

using namespace group;

const GroupHeader header{group_version, cluster_id("c"), 77, "b1", "b2", {{1, 2, 3}}, {{9}}, {12}};
const LogPosition here{{3}, {400}};
const Rank rank{here, 5, static_cast<Seat>(2)};

SharedBatch bytes(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const Bytes>(Bytes(size, fill));
}

// One of each, in the order of the variant.
std::vector<GroupMessage> examples() {
  return {ElectionMessage{7, rank, {{3}, {500}}, true},
          Ok{7, rank},
          Aye{8, rank},
          Nay{9, NayWhy::Stale, rank, static_cast<Seat>(4)},
          VoteRequest{here, 11, 12},
          Vote{11, true, here},
          Beat{{399}, 5, -6, here, {{384}, 16, 17}, true},
          BeatAck{5, -6, {398}, -1, {{384}, 18, 19}, true},
          Append{here, {399}, {bytes(100, 1), bytes(200, 2)}},
          AppendAck{false, true, {1}, {2}, {3}, here, true},
          Fetch{here, {{{401}, {{3}, {402}}, 99}}, 15},
          FetchData{here, {{4}, {500}}, true, true, {bytes(64, 3)}, 15, true},
          SnapBegin{here, 1 << 20, {1, 2, 3}},
          SnapChunk{here, 512, bytes(256, 4)},
          SnapAck{here, 768, true, true},
          HandoverMessage{here, 13},
          Refuse{13},
          Resign{},
          RepairRequest{14},
          RepairGoal{14, {401}},
          ProposalVote{7, true, "its disk is short of room"}};
}

// The head tells all but the frames, so equal heads and equal frames are equal messages.
std::string written(const GroupMessage& message) {
  GroupEncoder encoder;
  std::string all(as_text(encoder.encode(header, message)));
  for (const SharedBatch& frame : frames_behind(message))
    all += std::string("|") + std::string(as_text(*frame));
  return all;
}

std::vector<SharedBatch> frames_of(const GroupMessage& message) {
  const auto frames = frames_behind(message);
  return {frames.begin(), frames.end()};
}

TEST(GroupCodec, EveryMessageComesBackAsItWas) {
  std::size_t index = 0;
  for (const GroupMessage& message : examples()) {
    ASSERT_EQ(message.index(), index++);
    GroupEncoder encoder;
    GroupDecoder decoder;
    const auto decoded = decoder.decode(encoder.encode(header, message), frames_of(message));
    ASSERT_TRUE(decoded) << name_of(message) << ": " << decoded.error().message;
    EXPECT_EQ(decoded->message.index(), message.index());
    EXPECT_EQ(written(decoded->message), written(message)) << name_of(message);
    EXPECT_EQ(decoded->header.from, "b1");
    EXPECT_EQ(decoded->header.to, "b2");
    EXPECT_EQ(decoded->header.epoch, Epoch{12});
    EXPECT_EQ(decoded->header.from_incarnation, header.from_incarnation);
    EXPECT_EQ(decoded->header.to_incarnation, header.to_incarnation);
  }
  EXPECT_EQ(index, std::variant_size_v<GroupMessage>);
}

TEST(GroupCodec, AHeadThatDoesNotStandOnAMultipleOfEightIsReadAllTheSame) {
  GroupEncoder encoder;
  const ByteView head = encoder.encode(header, Resign{});
  Bytes shifted(head.size() + 1);
  std::copy(head.begin(), head.end(), shifted.begin() + 1);
  GroupDecoder decoder;
  EXPECT_TRUE(decoder.decode(ByteView(shifted).subspan(1), {}));
}

TEST(GroupCodec, AnyChangedBitIsNoticed) {
  GroupEncoder encoder;
  const Bytes head = to_bytes(encoder.encode(header, examples()[0]));
  for (std::size_t bit = 0; bit < head.size() * 8; ++bit) {
    Bytes changed = head;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    GroupDecoder decoder;
    EXPECT_FALSE(decoder.decode(changed, {})) << "bit " << bit;
  }
}

TEST(GroupCodec, RefusesWhatIsOutOfRange) {
  const auto refuses = [](const GroupMessage& message, std::vector<SharedBatch> frames) {
    GroupEncoder encoder;
    GroupDecoder decoder;
    return !decoder.decode(encoder.encode(header, message), std::move(frames));
  };
  Rank wrong = rank;
  wrong.seat = static_cast<Seat>(limits::brokers);
  EXPECT_TRUE(refuses(Ok{1, wrong}, {}));
  wrong = rank;
  wrong.priority = limits::priority_most + 1;
  EXPECT_TRUE(refuses(Ok{1, wrong}, {}));
  EXPECT_TRUE(refuses(Resign{}, {bytes(1, 1)})) << "frames that belong to nothing";
  EXPECT_TRUE(refuses(Append{}, {limits::append_batches + 1, bytes(1, 1)}));
  EXPECT_TRUE(refuses(Append{}, {bytes(limits::batch_bytes + 1, 1)}));
  EXPECT_TRUE(refuses(SnapChunk{here, 0, nullptr}, {bytes(limits::snapshot_piece + 1, 1)}));
  EXPECT_TRUE(refuses(SnapChunk{here, 0, nullptr}, {}));
  EXPECT_TRUE(refuses(Fetch{here, std::vector<BatchIdentity>(limits::holes + 1)}, {}));
}

TEST(GroupCodec, SurvivesAnyBytesWithARightChecksum) {
  Prng prng(5);
  for (int round = 0; round < 20'000; ++round) {
    GroupEncoder encoder;
    const auto all = examples();
    Bytes head = to_bytes(encoder.encode(header, all[prng.below(all.size())]));
    for (auto flips = prng.between(1, 8); flips > 0; --flips)
      head[8 + prng.below(head.size() - 8)] = static_cast<std::uint8_t>(prng());
    if (prng.chance(1, 4)) head.resize(8 + prng.below(head.size() / 8) * 8);
    const std::uint32_t crc = crc32c(ByteView(head).subspan(8));
    std::memcpy(head.data() + 4, &crc, sizeof crc);
    GroupDecoder decoder;
    (void)decoder.decode(head, {bytes(10, 1)});
  }
}

}  // namespace
}  // namespace cidbus
