#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>

#include "schema/group.capnp.h"
#include "shared/base/crc32c.h"
#include "shared/base/limits/messages.h"
#include "shared/wire/group_codec.h"

namespace cidbus {
namespace {

using namespace group;
using Body = schema::GroupEnvelope::Body::Builder;

capnp::Text::Reader text_of(std::string_view text) {
  return {text.data() == nullptr ? "" : text.data(), text.size()};
}
template <std::size_t size>
capnp::Data::Reader data_of(const std::array<std::uint8_t, size>& bytes) {
  return {bytes.data(), bytes.size()};
}

void put(schema::Position::Builder out, const LogPosition& position) {
  out.setEpoch(position.epoch.value);
  out.setIndex(position.index.value);
}
void put(schema::StateDigest::Builder out, const StateDigest& digest) {
  out.setIndex(digest.index.value);
  out.setLow(digest.low);
  out.setHigh(digest.high);
}
void put(schema::Rank::Builder out, const Rank& rank) {
  put(out.initLog(), rank.log);
  out.setPriority(rank.priority);
  out.setSeat(static_cast<std::uint8_t>(rank.seat));
}
template <typename Answered>
void put_answer(schema::Answer::Builder out, const Answered& answer) {
  out.setRound(answer.round);
  put(out.initRank(), answer.rank);
}

void put(Body out, const ElectionMessage& message) {
  auto body = out.initElection();
  body.setRound(message.round);
  put(body.initRank(), message.rank);
  put(body.initClaim(), message.claim);
  body.setInsist(message.insist);
}
void put(Body out, const Ok& message) { put_answer(out.initOk(), message); }
void put(Body out, const Aye& message) { put_answer(out.initAye(), message); }
void put(Body out, const Nay& message) {
  auto body = out.initNay();
  body.setRound(message.round);
  body.setWhy(static_cast<schema::Nay::Why>(message.why));
  put(body.initRank(), message.rank);
  body.setLeader(static_cast<std::uint8_t>(message.leader));
}
void put(Body out, const VoteRequest& message) {
  auto body = out.initVoteRequest();
  put(body.initLog(), message.log);
  body.setCandidacy(message.candidacy);
  body.setToken(message.token);
}
void put(Body out, const Vote& message) {
  auto body = out.initVote();
  body.setCandidacy(message.candidacy);
  body.setGranted(message.granted);
  put(body.initLog(), message.log);
}
void put(Body out, const Beat& message) {
  auto body = out.initBeat();
  body.setCommit(message.commit.value);
  body.setReadRound(message.read_round);
  body.setSent(message.sent);
  put(body.initLast(), message.last);
  put(body.initState(), message.state);
  body.setStateCounts(message.state_counts);
}
void put(Body out, const BeatAck& message) {
  auto body = out.initBeatAck();
  body.setReadRound(message.read_round);
  body.setSent(message.sent);
  body.setDurable(message.durable.value);
  body.setPriority(message.priority);
  put(body.initState(), message.state);
  body.setWantsState(message.wants_state);
}
void put(Body out, const Append& message) {
  auto body = out.initAppend();
  put(body.initPrev(), message.prev);
  body.setCommit(message.commit.value);
}
void put(Body out, const AppendAck& message) {
  auto body = out.initAppendAck();
  body.setOk(message.ok);
  body.setDiskFull(message.disk_full);
  body.setPrev(message.prev.value);
  body.setMatch(message.match.value);
  body.setDurable(message.durable.value);
  put(body.initHint(), message.hint);
  body.setProvisional(message.provisional);
}
void put(Body out, const Fetch& message) {
  auto body = out.initFetch();
  put(body.initAfter(), message.after);
  auto holes = body.initHoles(static_cast<unsigned>(message.holes.size()));
  for (unsigned at = 0; at < holes.size(); ++at) {
    holes[at].setFirst(message.holes[at].first.value);
    put(holes[at].initLast(), message.holes[at].last);
    holes[at].setCrc(message.holes[at].crc);
  }
  body.setRound(message.round);
}
void put(Body out, const FetchData& message) {
  auto body = out.initFetchData();
  put(body.initPrev(), message.prev);
  put(body.initLast(), message.last);
  body.setOfHoles(message.of_holes);
  body.setFreed(message.freed);
  body.setRound(message.round);
  body.setDamaged(message.damaged);
}
void put(Body out, const SnapBegin& message) {
  auto body = out.initSnapBegin();
  put(body.initLast(), message.last);
  body.setSize(message.size);
  body.setHash(data_of(message.hash));
}
void put(Body out, const SnapChunk& message) {
  auto body = out.initSnapChunk();
  put(body.initLast(), message.last);
  body.setOffset(message.offset);
}
void put(Body out, const SnapAck& message) {
  auto body = out.initSnapAck();
  put(body.initLast(), message.last);
  body.setNext(message.next);
  body.setInstalled(message.installed);
  body.setRefused(message.refused);
}
void put(Body out, const HandoverMessage& message) {
  auto body = out.initHandover();
  put(body.initLast(), message.last);
  body.setToken(message.token);
}
void put(Body out, const Refuse& message) { out.setRefuse(message.token); }
void put(Body out, const Resign&) { out.setResign(); }
void put(Body out, const RepairRequest& message) { out.setRepairRequest(message.nonce); }
void put(Body out, const RepairGoal& message) {
  auto body = out.initRepairGoal();
  body.setNonce(message.nonce);
  body.setGoal(message.goal.value);
}
void put(Body out, const ProposalVote& message) {
  auto body = out.initProposalVote();
  body.setProposal(message.proposal);
  body.setYes(message.yes);
  body.setReason({message.reason.data() == nullptr ? "" : message.reason.data(), message.reason.size()});
}

}  // namespace

std::span<const SharedBatch> frames_behind(const GroupMessage& message) {
  if (const auto* append = std::get_if<Append>(&message)) return append->batches;
  if (const auto* data = std::get_if<FetchData>(&message)) return data->batches;
  if (const auto* chunk = std::get_if<SnapChunk>(&message)) return {&chunk->bytes, 1};
  return {};
}

// One segment holds every head but a FETCH of many holes.
struct GroupEncoder::Buffers {
  kj::Array<capnp::word> scratch = kj::heapArray<capnp::word>(256);
  Bytes head;
  Buffers() { std::memset(scratch.begin(), 0, scratch.size() * sizeof(capnp::word)); }
};

GroupEncoder::GroupEncoder() : buffers_(std::make_unique<Buffers>()) {}
GroupEncoder::~GroupEncoder() = default;

ByteView GroupEncoder::encode(const GroupHeader& header, const GroupMessage& message) {
  capnp::MallocMessageBuilder builder(buffers_->scratch);
  auto envelope = builder.initRoot<schema::GroupEnvelope>();
  envelope.setVersion(header.version);
  envelope.setCluster(header.cluster.value);
  envelope.setConfigHash(header.config_hash);
  envelope.setFrom(text_of(header.from));
  envelope.setTo(text_of(header.to));
  envelope.setFromIncarnation(data_of(header.from_incarnation.bytes));
  if (header.to_incarnation != BrokerIncarnation{})
    envelope.setToIncarnation(data_of(header.to_incarnation.bytes));
  envelope.setEpoch(header.epoch.value);
  std::visit([&](const auto& value) { put(envelope.getBody(), value); }, message);

  Bytes& head = buffers_->head;
  head.clear();
  ByteWriter writer(head);
  writer.number(group_magic);
  writer.number(std::uint32_t{0});
  const auto segments = builder.getSegmentsForOutput();
  writer.number(static_cast<std::uint32_t>(segments.size() - 1));
  for (const auto& segment : segments) writer.number(static_cast<std::uint32_t>(segment.size()));
  if (segments.size() % 2 == 0) writer.number(std::uint32_t{0});
  for (const auto& segment : segments) {
    const auto bytes = segment.asBytes();
    writer.raw({bytes.begin(), bytes.size()});
  }
  const std::uint32_t crc = crc32c(ByteView(head).subspan(8));
  std::memcpy(head.data() + 4, &crc, sizeof crc);
  return head;
}

}  // namespace cidbus
