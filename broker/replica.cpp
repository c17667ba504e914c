#include "broker/replica.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/brokers.h"
#include "shared/base/limits/group.h"
#include "shared/base/limits/times.h"

namespace cidbus {

using namespace group;

namespace {

// Who reads from the disk: a follower that lags, by its seat; the state machine; and those that fetch, in
// turn.
constexpr unsigned applying_reader = limits::brokers;
constexpr unsigned fetching_reader = limits::brokers + 1;
static_assert(fetching_reader < limits::disk_readers);

unsigned reader_of(const group::ReadBatches& read) {
  if (read.purpose == ReadFor::Applying) return applying_reader;
  return read.purpose == ReadFor::Following ? static_cast<unsigned>(read.peer) : fetching_reader;
}

}  // namespace

Replica::Replica(GroupConfig config, GroupStart start, Identity identity, Now now, BrokerPorts& ports,
                 Disk& disk, Histogram& commit_time, Log& log, Prng prng)
    : identity_(identity),
      peers_(identity.incarnation),
      prng_(prng.fork()),
      ports_(ports),
      disk_(disk),
      commit_time_(commit_time),
      log_(log),
      group_(std::move(config), std::move(start), now.monotonic, prng) {}

// ---- what arrives

void Replica::on_mesh(Now now, ByteView head, std::vector<SharedBatch> behind) {
  auto envelope = decoder_.decode(head, std::move(behind));
  if (!envelope) {
    ++refused_;
    return log_.debug("refused a broker's message: " + envelope.error().message);
  }
  const GroupConfig& config = group_.config();
  const GroupHeader& header = envelope->header;
  const auto from = config.find(header.from);
  if (header.version != group_version || header.cluster != identity_.cluster ||
      header.config_hash != config.hash() || !from || *from == config.self() ||
      header.to != config.at(config.self()).name || !is_known(*from, header)) {
    ++refused_;
    return;
  }
  contacts_[place(*from)] = now.wall;
  if (const auto* vote = std::get_if<ProposalVote>(&envelope->message)) {
    news_.emplace_back(ProposalVoted{*from, vote->proposal, vote->yes, std::string(vote->reason)});
    return;
  }
  step(now, Received{*from, header.epoch, std::move(envelope->message)});
}

void Replica::send_vote(Now now, const ProposalVote& vote) {
  const Seat leader = group_.heard_leader(now.monotonic);
  if (leader != nobody && leader != group_.config().self()) carry(now, Send{leader, group_.epoch(), vote});
}

bool Replica::is_known(Seat from, const GroupHeader& header) {
  using Verdict = PeerRegistry::Verdict;
  const Verdict verdict = peers_.judge(from, header);
  if (verdict == Verdict::Fits) return true;
  if (!peers_.is_news(from, verdict)) return false;
  const std::string name = group_.config().at(from).name;
  const std::string what_to_do =
      "; put the old folder back, or, when it is gone for good and all the others are up, restart those one "
      "after the other to let the new one in";
  if (verdict == Verdict::AnotherDisk) {
    log_.error(name +
               " came back with another data folder, so its votes are lost, and it is not listened to" +
               what_to_do);
  } else {
    log_.error(name + " knows this broker with another data folder and does not listen to it" + what_to_do);
  }
  return false;
}

void Replica::on_link(Now now, Seat peer, bool up) {
  if (up) return step(now, Connected{peer});
  step(now, Disconnected{peer});
}

bool Replica::on_disk(Now now, const DiskCompletion& completion) {
  if (const auto* persisted = std::get_if<Persisted>(&completion)) {
    while (!writing_.empty() && writing_.front().last <= persisted->end.last) writing_.pop_front();
    step(now, BatchesWritten{persisted->end});
  } else if (const auto* vote = std::get_if<VotePersisted>(&completion)) {
    const auto voted = group_.config().find(vote->voted);
    step(now, VoteWritten{vote->epoch, voted.value_or(nobody)});
  } else if (std::holds_alternative<cidbus::CutDone>(completion)) {
    step(now, group::CutDone{});
  } else if (const auto* dropped = std::get_if<Dropped>(&completion)) {
    step(now, Freed{dropped->first});
  } else if (const auto* read = std::get_if<cidbus::BatchesRead>(&completion)) {
    on_read(now, *read);
  } else if (const auto* piece = std::get_if<cidbus::SnapshotRead>(&completion)) {
    step(now,
         group::SnapshotRead{static_cast<Seat>(piece->reader), piece->file.last, piece->file.bytes,
                             piece->file.hash, piece->offset, std::make_shared<const Bytes>(piece->bytes)});
  } else if (const auto* received = std::get_if<cidbus::PieceReceived>(&completion)) {
    step(now, group::PieceReceived{received->next});
  } else if (const auto* failed = std::get_if<cidbus::ReceiveFailed>(&completion)) {
    log_.warning("a snapshot of another broker was of no use: " + failed->why.message);
    step(now, group::ReceiveFailed{});
  } else if (const auto* installed = std::get_if<cidbus::SnapshotInstalled>(&completion)) {
    step(now, group::SnapshotInstalled{installed->info.last, installed->journal_end});
    return false;  // the driver takes the state
  } else if (const auto* refilled = std::get_if<cidbus::HoleRefilled>(&completion)) {
    step(now, group::HoleRefilled{refilled->end});
  } else if (std::holds_alternative<RepairedPersisted>(completion)) {
    step(now, RepairedWritten{});
  } else if (const auto* room = std::get_if<RoomChanged>(&completion)) {
    step(now, RoomKnown{room->room == Room::Full, room->room != Room::Roomy});
    return false;  // the driver looks at it too
  } else {
    return false;
  }
  return true;
}

void Replica::on_read(Now now, const cidbus::BatchesRead& read) {
  group::BatchesRead input{ReadFor::Applying, nobody, read.from, read.batches};
  if (read.reader == fetching_reader) {
    input.purpose = fetching_.front().purpose;
    input.peer = fetching_.front().peer;
    fetching_.pop_front();
  } else if (read.reader != applying_reader) {
    input.purpose = ReadFor::Following;
    input.peer = static_cast<Seat>(read.reader);
  }
  step(now, std::move(input));
}

// ---- in office

LogIndex Replica::append(Now now, std::uint8_t type, std::uint8_t version, ByteView payload,
                         Urgency urgency) {
  ENSURE(in_office(), "type", type);
  return gathering_->append(now, type, version, payload, urgency);
}

std::uint64_t Replica::ask_read(Now now) {
  const std::uint64_t round = group_.ask_read(now.monotonic, effects_);
  carry_out(now);
  return round;
}

std::size_t Replica::uncommitted_bytes() const {
  return uncommitted_bytes_ + (gathering_ ? gathering_->bytes() : 0);
}

// ---- a turn's end

std::vector<BatchBytes> Replica::take_committed(Now now, std::size_t records) {
  auto batches = group_.take_committed(records, effects_);
  carry_out(now);
  while (!uncommitted_.empty() && uncommitted_.front().last <= group_.commit()) {
    uncommitted_bytes_ -= uncommitted_.front().bytes;
    commit_time_.observe(now.monotonic - uncommitted_.front().since);
    uncommitted_.pop_front();
  }
  return batches;
}

std::optional<Monotonic> Replica::end_turn(Now now) {
  hand_over_gathered(now);
  step(now, Tick{});
  hand_over_gathered(now);
  if (!held_.empty() && now.monotonic >= hand_over_at_) {
    hand_over_held();
    hand_over_at_ = now.monotonic + limits::lazy_records;
  }
  auto next = group_.deadline();
  if (!held_.empty() && (!next || hand_over_at_ < *next)) next = hand_over_at_;
  if (group_.has_committed()) next = now.monotonic;
  if (!gathering_ || sealed_ || !disk_is_free()) return next;
  const auto due = gathering_->deadline();
  return due && (!next || *due < *next) ? due : next;
}

bool Replica::disk_is_free() const {
  return writing_.size() + held_.size() < (waits_for_disk() ? 1 : 2 * limits::batches_at_disk);
}

void Replica::hand_over_gathered(Now now) {
  if (gathering_ && !sealed_ && gathering_->due(now.monotonic) && disk_is_free()) propose_gathered(now);
}

void Replica::propose_gathered(Now now) {
  for (BatchBytes& batch : gathering_->take()) {
    if (!in_office()) return;  // a step before this one was the last of the office
    uncommitted_.push_back({peek_batch_header(*batch)->last(), batch->size(), now.monotonic});
    uncommitted_bytes_ += batch->size();
    step(now, Proposed{std::move(batch)});
  }
}

void Replica::propose_handover(Now now, std::uint8_t type, std::uint8_t version, ByteView payload) {
  if (!in_office()) return;
  gathering_->append(now, type, version, payload, Urgency::Now);
  propose_gathered(now);
  step(now, HandoverProposed{});
}

// ---- effects

void Replica::step(Now now, Input input) {
  group_.step(now.monotonic, std::move(input), effects_);
  carry_out(now);
}

void Replica::carry_out(Now now) {
  while (!effects_.empty()) {
    const Effects these = std::exchange(effects_, {});
    for (const Effect& effect : these.all()) std::visit([&](const auto& one) { carry(now, one); }, effect);
  }
}

void Replica::carry(Now, const Send& send) {
  const GroupConfig& config = group_.config();
  if (const auto word = election_word(send.message))
    news_.emplace_back(ElectionSaid{*word, send.to, send.epoch, group_.rank()});
  GroupHeader header;
  header.cluster = identity_.cluster;
  header.config_hash = config.hash();
  header.from = config.at(config.self()).name;
  header.to = config.at(send.to).name;
  header.from_incarnation = identity_.incarnation;
  header.to_incarnation = peers_.of(send.to);
  header.epoch = send.epoch;
  ports_.send_to_broker(send.to, channel_of(send.message), encoder_.encode(header, send.message),
                        frames_behind(send.message));
}

void Replica::carry(Now, const WriteVote& vote) {
  const std::string name = vote.voted == nobody ? "" : group_.config().at(vote.voted).name;
  disk_.submit(PersistVote{vote.epoch, name, vote.founds});
}

void Replica::carry(Now, const group::WriteBatch& write) {
  held_.push_back({write.batch, write.office});
  if (waits_for_disk() || held_.size() >= limits::batches_at_disk) hand_over_held();
}

void Replica::hand_over_held() {
  for (NewBatch& batch : held_) {
    writing_.push_back(peek_batch_header(*batch.bytes)->end());
    disk_.submit(cidbus::WriteBatch{std::move(batch)});
  }
  held_.clear();
}

void Replica::carry(Now, const group::CutFrom& cut) {
  hand_over_held();
  while (!writing_.empty() && writing_.back().last >= cut.from) writing_.pop_back();
  disk_.submit(cidbus::CutFrom{cut.from});
}

void Replica::carry(Now, const group::ReadBatches& read) {
  if (reader_of(read) == fetching_reader) fetching_.push_back({read.purpose, read.peer});
  disk_.submit(cidbus::ReadBatches{reader_of(read), read.from, read.bytes, read.batches});
}

void Replica::carry(Now, const group::ReadSnapshot& read) {
  disk_.submit(cidbus::ReadSnapshot{static_cast<unsigned>(read.peer), read.last, read.offset, read.bytes});
}

void Replica::carry(Now, const group::ReceiveBegin& begin) {
  disk_.submit(cidbus::ReceiveBegin{{begin.last, begin.size, begin.hash}});
}

void Replica::carry(Now, const group::ReceivePiece& piece) {
  disk_.submit(cidbus::ReceivePiece{piece.offset, *piece.bytes});
}

void Replica::carry(Now, const group::ReceiveFinish& finish) {
  hand_over_held();
  disk_.submit(cidbus::ReceiveFinish{prng_(), finish.replaces});
}

void Replica::carry(Now, const group::TakeSnapshot& wanted) {
  news_.emplace_back(SnapshotWanted{wanted.at_least});
}

void Replica::carry(Now, const group::ReceiveAbandon&) { disk_.submit(cidbus::ReceiveAbandon{}); }

void Replica::carry(Now, const group::RefillHole& refill) { disk_.submit(cidbus::RefillHole{refill.batch}); }

void Replica::carry(Now, const WriteRepaired&) { disk_.submit(PersistRepaired{}); }

void Replica::carry(Now, const TakeOffice& office) {
  gathering_.emplace(office.epoch, group_.log().end(), WallTime{});
  news_.emplace_back(OfficeTaken{office.epoch});
}

void Replica::carry(Now, const LeaveOffice& office) {
  log_.warning("out of office: " + std::string(to_text(office.why)), {office.epoch});
  gathering_.reset();
  sealed_ = false;
  uncommitted_.clear();
  uncommitted_bytes_ = 0;
  news_.emplace_back(OfficeLeft{office.why});
}

void Replica::carry(Now, const LeaderKnown&) { news_.emplace_back(LeaderChanged{}); }

void Replica::carry(Now, const SealOffice& seal) {
  sealed_ = true;
  news_.emplace_back(OfficeSealed{seal.successor});
}

void Replica::carry(Now, const UnsealOffice&) {
  sealed_ = false;
  news_.emplace_back(OfficeUnsealed{});
}

void Replica::carry(Now, const group::ReadsConfirmed& confirmed) {
  news_.emplace_back(ReadsConfirmed{confirmed.round});
}

void Replica::carry(Now, const Notice& notice) { news_.emplace_back(notice); }

}  // namespace cidbus
