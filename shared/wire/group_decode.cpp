#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstring>

#include "schema/group.capnp.h"
#include "shared/base/crc32c.h"
#include "shared/base/limits/config.h"
#include "shared/base/limits/group.h"
#include "shared/base/limits/messages.h"
#include "shared/wire/group_codec.h"

namespace cidbus {
namespace {

using namespace group;

// Keeps the first thing found wrong.
struct Found {
  const char* problem = nullptr;
  void require(bool holds, const char* what) {
    if (!holds && problem == nullptr) problem = what;
  }
};

std::string_view get_name(capnp::Text::Reader text, Found& found) {
  const std::string_view name{text.begin(), text.size()};
  found.require(is_valid_name(name), "a broker without a valid name");
  return name;
}
template <std::size_t size>
std::array<std::uint8_t, size> get_bytes(capnp::Data::Reader data, const char* what, Found& found) {
  std::array<std::uint8_t, size> bytes{};
  found.require(data.size() == size, what);
  if (data.size() == size) std::memcpy(bytes.data(), data.begin(), size);
  return bytes;
}
BrokerIncarnation get_incarnation(capnp::Data::Reader data, Found& found) {
  return {get_bytes<16>(data, "an incarnation that is not 16 bytes", found)};
}
LogPosition get(schema::Position::Reader in) { return {{in.getEpoch()}, {in.getIndex()}}; }
StateDigest get(schema::StateDigest::Reader in) { return {{in.getIndex()}, in.getLow(), in.getHigh()}; }
Seat get_seat(std::uint8_t number, bool may_be_nobody, Found& found) {
  const bool valid = number < limits::brokers || (may_be_nobody && number == place(nobody));
  found.require(valid, "a place beyond the fifth broker");
  return static_cast<Seat>(number);
}
Rank get(schema::Rank::Reader in, Found& found) {
  found.require(in.getPriority() >= -1 && in.getPriority() <= limits::priority_most,
                "a priority out of range");
  return {get(in.getLog()), in.getPriority(), get_seat(in.getSeat(), false, found)};
}
template <typename Answered>
Answered get_answer(schema::Answer::Reader in, Found& found) {
  return {in.getRound(), get(in.getRank(), found)};
}

ElectionMessage get(schema::Election::Reader in, Found& found) {
  return {in.getRound(), get(in.getRank(), found), get(in.getClaim()), in.getInsist()};
}
Nay get(schema::Nay::Reader in, Found& found) {
  const auto why = static_cast<std::uint16_t>(in.getWhy());
  found.require(why <= static_cast<std::uint16_t>(NayWhy::Unfit), "an unknown reason");
  return {in.getRound(), static_cast<NayWhy>(why), get(in.getRank(), found),
          get_seat(in.getLeader(), true, found)};
}
Fetch get(schema::Fetch::Reader in, Found& found) {
  Fetch fetch{get(in.getAfter()), {}, in.getRound()};
  const auto holes = in.getHoles();
  found.require(holes.size() <= limits::holes, "more holes than may be asked for at once");
  if (found.problem != nullptr) return fetch;
  fetch.holes.reserve(holes.size());
  for (const auto hole : holes)
    fetch.holes.push_back({{hole.getFirst()}, get(hole.getLast()), hole.getCrc()});
  return fetch;
}
SnapChunk get(schema::SnapChunk::Reader in, std::vector<SharedBatch> behind, Found& found) {
  found.require(behind.size() == 1 && behind[0]->size() <= limits::snapshot_piece,
                "a chunk that is missing or too long");
  return {get(in.getLast()), in.getOffset(), behind.size() == 1 ? std::move(behind[0]) : nullptr};
}

GroupMessage get_body(schema::GroupEnvelope::Body::Reader in, std::vector<SharedBatch> behind, Found& found) {
  using Kind = schema::GroupEnvelope::Body;
  switch (in.which()) {
    case Kind::ELECTION:
      return get(in.getElection(), found);
    case Kind::OK:
      return get_answer<Ok>(in.getOk(), found);
    case Kind::AYE:
      return get_answer<Aye>(in.getAye(), found);
    case Kind::NAY:
      return get(in.getNay(), found);
    case Kind::VOTE_REQUEST: {
      const auto body = in.getVoteRequest();
      return VoteRequest{get(body.getLog()), body.getCandidacy(), body.getToken()};
    }
    case Kind::VOTE: {
      const auto body = in.getVote();
      return Vote{body.getCandidacy(), body.getGranted(), get(body.getLog())};
    }
    case Kind::BEAT: {
      const auto body = in.getBeat();
      return Beat{{body.getCommit()},  body.getReadRound(),  body.getSent(),
                  get(body.getLast()), get(body.getState()), body.getStateCounts()};
    }
    case Kind::BEAT_ACK: {
      const auto body = in.getBeatAck();
      return BeatAck{body.getReadRound(), body.getSent(),       {body.getDurable()},
                     body.getPriority(),  get(body.getState()), body.getWantsState()};
    }
    case Kind::APPEND:
      return Append{get(in.getAppend().getPrev()), {in.getAppend().getCommit()}, std::move(behind)};
    case Kind::APPEND_ACK: {
      const auto body = in.getAppendAck();
      return AppendAck{body.getOk(),        body.getDiskFull(),  {body.getPrev()},     {body.getMatch()},
                       {body.getDurable()}, get(body.getHint()), body.getProvisional()};
    }
    case Kind::FETCH:
      return get(in.getFetch(), found);
    case Kind::FETCH_DATA: {
      const auto body = in.getFetchData();
      return FetchData{get(body.getPrev()), get(body.getLast()), body.getOfHoles(), body.getFreed(),
                       std::move(behind),   body.getRound(),     body.getDamaged()};
    }
    case Kind::SNAP_BEGIN: {
      const auto body = in.getSnapBegin();
      return SnapBegin{get(body.getLast()), body.getSize(),
                       get_bytes<32>(body.getHash(), "a hash that is not 32 bytes", found)};
    }
    case Kind::SNAP_CHUNK:
      return get(in.getSnapChunk(), std::move(behind), found);
    case Kind::SNAP_ACK: {
      const auto body = in.getSnapAck();
      return SnapAck{get(body.getLast()), body.getNext(), body.getInstalled(), body.getRefused()};
    }
    case Kind::HANDOVER:
      return HandoverMessage{get(in.getHandover().getLast()), in.getHandover().getToken()};
    case Kind::REFUSE:
      return Refuse{in.getRefuse()};
    case Kind::RESIGN:
      return Resign{};
    case Kind::REPAIR_REQUEST:
      return RepairRequest{in.getRepairRequest()};
    case Kind::REPAIR_GOAL:
      return RepairGoal{in.getRepairGoal().getNonce(), {in.getRepairGoal().getGoal()}};
    case Kind::PROPOSAL_VOTE: {
      const auto body = in.getProposalVote();
      found.require(body.getReason().size() <= limits::vote_reason_length, "a reason over 255 bytes");
      return ProposalVote{
          body.getProposal(), body.getYes(), {body.getReason().begin(), body.getReason().size()}};
    }
  }
  found.require(false, "a message this version does not know");
  return Resign{};
}

bool carries_frames(schema::GroupEnvelope::Body::Reader body) {
  return body.isAppend() || body.isFetchData() || body.isSnapChunk();
}

Result<GroupEnvelope> read(ByteView words, std::vector<SharedBatch> behind) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 4 * words.size() / sizeof(capnp::word) + 1024;
  options.nestingLimit = 8;
  capnp::FlatArrayMessageReader reader(
      {reinterpret_cast<const capnp::word*>(words.data()), words.size() / sizeof(capnp::word)}, options);
  const auto in = reader.getRoot<schema::GroupEnvelope>();
  Found found;
  GroupEnvelope envelope;
  envelope.header.version = in.getVersion();
  envelope.header.cluster = {in.getCluster()};
  envelope.header.config_hash = in.getConfigHash();
  envelope.header.from = get_name(in.getFrom(), found);
  envelope.header.to = get_name(in.getTo(), found);
  envelope.header.from_incarnation = get_incarnation(in.getFromIncarnation(), found);
  if (in.getToIncarnation().size() != 0)
    envelope.header.to_incarnation = get_incarnation(in.getToIncarnation(), found);
  envelope.header.epoch = {in.getEpoch()};
  envelope.message = Resign{};
  if (envelope.header.version == group_version) {
    found.require(behind.empty() || carries_frames(in.getBody()), "frames that belong to nothing");
    envelope.message = get_body(in.getBody(), std::move(behind), found);
  }
  if (found.problem != nullptr)
    return fault(FaultKind::BadData,
                 std::string("not a valid message of a broker: it holds ") + found.problem);
  return envelope;
}

}  // namespace

Result<GroupEnvelope> GroupDecoder::decode(ByteView head, std::vector<SharedBatch> behind) {
  ByteReader prefix(head.first(std::min<std::size_t>(head.size(), 8)));
  const auto magic = prefix.number<std::uint32_t>();
  const auto crc = prefix.number<std::uint32_t>();
  if (prefix.failed() || magic != group_magic || head.size() % 8 != 0 || head.size() > limits::message_bytes)
    return fault(FaultKind::BadData, "not a message of a broker: it does not begin as one");
  ByteView words = head.subspan(8);
  if (crc32c(words) != crc)
    return fault(FaultKind::BadData, "not a message of a broker: its checksum is wrong");
  bool within = behind.size() <= limits::append_batches;
  for (const SharedBatch& frame : behind) within = within && frame->size() <= limits::batch_bytes;
  if (!within) return fault(FaultKind::BadData, "not a valid message of a broker: it holds too much");
  if (reinterpret_cast<std::uintptr_t>(words.data()) % sizeof(capnp::word) != 0) {
    aligned_.assign(words.begin(), words.end());
    words = aligned_;
  }
  try {
    return read(words, std::move(behind));
  } catch (const kj::Exception&) {
    return fault(FaultKind::BadData, "not a message of a broker: it is damaged");
  }
}

}  // namespace cidbus
