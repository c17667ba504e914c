#include "tests/sim/group/broker.h"

#include <algorithm>

#include "shared/base/limits/state_digest.h"

namespace cidbus::group_sim {

using namespace group;

namespace {

constexpr std::uint8_t open_record = 1;
constexpr std::uint8_t submission_record = 2;
constexpr std::uint8_t handover_record = 3;

GroupMessage flattered(const GroupMessage& message) {
  if (const auto* ok = std::get_if<Ok>(&message)) return Aye{ok->round, ok->rank};
  if (const auto* nay = std::get_if<Nay>(&message)) return Aye{nay->round, nay->rank};
  return message;
}

// Heard as such, unless its epoch is over.
bool is_from_leader(const Input& input, Epoch epoch) {
  const auto* received = std::get_if<Received>(&input);
  if (received == nullptr || received->epoch < epoch) return false;
  const GroupMessage& message = received->message;
  return std::holds_alternative<Beat>(message) || std::holds_alternative<Append>(message) ||
         std::holds_alternative<SnapBegin>(message) || std::holds_alternative<SnapChunk>(message) ||
         std::holds_alternative<RepairGoal>(message);
}

std::uint64_t part_of(std::uint64_t submission, LogIndex index) {
  return mix_bits(submission ^ mix_bits(index.value));
}

Seat leader_of(const RecordView& open) { return static_cast<Seat>(open.payload[0]); }

}  // namespace

SimBroker::SimBroker(World& world, GroupConfig config, Prng prng)
    : world_(world),
      config_(std::move(config)),
      seat_(config_.self()),
      prng_(prng),
      disk_(world.timeline, prng_.fork(), config_.new_is_unproven()),
      clock_(world.timeline) {}

void SimBroker::start() {
  ++life_;
  paused_ = false;
  while_paused_.clear();
  wakes_at_ = Monotonic::max();
  GroupStart found = disk_.recover();
  world_.checkers.monotone.on_start(seat_, found.epoch, disk_.persisted_epoch());
  world_.checkers.bully_order.on_vacancy_over(seat_);
  load_state(disk_.newest_snapshot());
  if (applied_ < corrupt_since_) corrupt_since_ = {};
  checked_commit_ = {};
  group_ = std::make_unique<Group>(config_, std::move(found), clock(), prng_.fork());
  disk_.open([this](Input input) { on(std::move(input)); });
  step(Tick{});
}

void SimBroker::crash() {
  ++life_;
  group_.reset();
  builder_.reset();
  effects_.clear();
  reads_.clear();
  mine_.clear();
  batch_at_disk_ = false;
  disk_.crash();
}

void SimBroker::pause() { paused_ = true; }

// Everything that has arrived is read before a timer is looked at.
void SimBroker::resume() {
  paused_ = false;
  const std::uint64_t life = life_;
  for (Input& input : std::exchange(while_paused_, {})) {
    step(std::move(input));
    if (life != life_) return;
  }
  step(Tick{});
}

void SimBroker::on(Input input) {
  if (!running()) return;
  if (paused_) return while_paused_.push_back(std::move(input));
  step(std::move(input));
}

void SimBroker::step(Input input) {
  if (std::holds_alternative<BatchesWritten>(input)) batch_at_disk_ = false;
  if (std::holds_alternative<SnapshotInstalled>(input)) {
    load_state(disk_.newest_snapshot());
    corrupt_since_ = {};
    ++world_.snapshots_installed;
  }
  // Its own vote counts from here on.
  if (const auto* vote = std::get_if<VoteWritten>(&input); vote != nullptr && vote->voted == seat_)
    world_.checkers.votes.on_vote(seat_, vote->epoch, seat_);
  const bool from_leader = is_from_leader(input, group_->epoch());
  if (const auto* received = std::get_if<Received>(&input)) observe(*received);
  group_->step(clock(), std::move(input), effects_);
  if (group_->in_office() || from_leader) world_.checkers.bully_order.on_vacancy_over(seat_);
  carry_out();
  seal();
  apply();
  check();
  wake_at_deadline();
}

void SimBroker::observe(const Received& received) {
  if (const auto* asked = std::get_if<ElectionMessage>(&received.message))
    world_.checkers.bully_order.on_asked(seat_, *asked);
  if (std::holds_alternative<RepairRequest>(received.message) && group_->in_office())
    losses_known_[place(received.from)] = world_.losses(received.from);
  if (std::holds_alternative<Ok>(received.message))
    world_.checkers.bully_order.on_ok(world_.timeline.now().monotonic, seat_);
}

void SimBroker::observe(const Send& given) {
  const Monotonic now = world_.timeline.now().monotonic;
  sim::BullyOrder& order = world_.checkers.bully_order;
  if (const auto* asks = std::get_if<ElectionMessage>(&given.message))
    order.on_asks(now, config_.timers, seat_, *asks);
  if (std::holds_alternative<VoteRequest>(given.message)) order.on_stands(seat_);
  if (const auto* aye = std::get_if<Aye>(&given.message)) order.on_aye(now, seat_, given.to, *aye);
}

void SimBroker::carry_out() {
  while (!effects_.empty()) {
    const Effects now = std::exchange(effects_, {});
    for (const Effect& effect : now.all()) carry(effect);
  }
}

void SimBroker::carry(const Effect& effect) {
  if (const auto* message = std::get_if<Send>(&effect)) {
    send(*message);
  } else if (const auto* write = std::get_if<group::WriteBatch>(&effect)) {
    world_.checkers.log_matching.on_batch(peek_batch_header(*write->batch)->end());
    disk_.submit(*write);
  } else if (const auto* vote = std::get_if<WriteVote>(&effect)) {
    disk_.submit(*vote);
  } else if (const auto* to_cut = std::get_if<group::CutFrom>(&effect)) {
    disk_.submit(*to_cut);
  } else if (const auto* read = std::get_if<ReadBatches>(&effect)) {
    disk_.read(*read);
  } else if (const auto* snapshot = std::get_if<ReadSnapshot>(&effect)) {
    disk_.read(*snapshot);
  } else if (const auto* begin = std::get_if<ReceiveBegin>(&effect)) {
    disk_.receive(*begin);
  } else if (const auto* piece = std::get_if<ReceivePiece>(&effect)) {
    disk_.receive(*piece);
  } else if (const auto* finish = std::get_if<ReceiveFinish>(&effect)) {
    disk_.submit(*finish);
  } else if (const auto* wanted = std::get_if<TakeSnapshot>(&effect)) {
    wanted_snapshot_ = wanted->at_least;
  } else if (std::holds_alternative<ReceiveAbandon>(effect)) {
    disk_.abandon();
  } else if (const auto* refill = std::get_if<RefillHole>(&effect)) {
    disk_.submit(*refill);
  } else if (std::holds_alternative<WriteRepaired>(effect)) {
    disk_.submit(WriteRepaired{});
  } else if (const auto* notice = std::get_if<Notice>(&effect)) {
    world_.on_notice(*notice);
  } else if (const auto* office = std::get_if<TakeOffice>(&effect)) {
    take_office(office->epoch);
  } else if (std::holds_alternative<SealOffice>(effect)) {
    builder_->append(handover_record, 1, wall(), {});
    sealed_ = true;
    group_->step(clock(), Proposed{builder_->seal()}, effects_);
    group_->step(clock(), HandoverProposed{}, effects_);
  } else if (std::holds_alternative<UnsealOffice>(effect)) {
    sealed_ = false;
  } else if (std::holds_alternative<LeaveOffice>(effect)) {
    builder_.reset();
    reads_.clear();
    mine_.clear();
  } else if (const auto* confirmed = std::get_if<ReadsConfirmed>(&effect)) {
    while (!reads_.empty() && reads_.begin()->first <= confirmed->round) {
      world_.checkers.acknowledged.on_read(group_->commit(), reads_.begin()->second);
      reads_.erase(reads_.begin());
    }
  }
}

void SimBroker::send(const Send& given) {
  if (const auto* vote = std::get_if<Vote>(&given.message); vote != nullptr && vote->granted)
    world_.checkers.votes.on_vote(seat_, given.epoch, given.to);
  observe(given);
  Received received{seat_, given.epoch, world_.flatters ? flattered(given.message) : given.message};
  const Channel channel = channel_of(received.message);
  world_.network.send(seat_, given.to, channel,
                      [&world = world_, to = given.to, received,
                       disks = std::pair(world_.incarnation(seat_), world_.incarnation(given.to))] {
                        // What is from or for another disk is not listened to (peer_registry.h).
                        if (disks == std::pair(world.incarnation(received.from), world.incarnation(to)))
                          world.deliver(to, received);
                      });
}

void SimBroker::take_office(Epoch epoch) {
  world_.checkers.one_leader.on_office(epoch, seat_);
  world_.checkers.committed.on_office(epoch, group_->log());
  sealed_ = false;
  losses_known_ = {};
  builder_.emplace(epoch, group_->log().end());
  const std::uint8_t who[] = {static_cast<std::uint8_t>(seat_)};
  builder_->append(open_record, 1, wall(), who);
  batch_at_disk_ = false;
  world_.on_office(seat_);
}

bool SimBroker::submit(std::uint64_t submission) {
  if (!serving() || !builder_->has_room(sizeof submission)) return false;
  Bytes payload;
  ByteWriter(payload).number(submission);
  builder_->append(submission_record, 1, wall(), payload);
  mine_.insert(submission);
  step(Tick{});
  return true;
}

void SimBroker::ask_read() {
  if (!serving()) return;
  const std::uint64_t round = group_->ask_read(clock(), effects_);
  LogIndex& must_see = reads_[round];
  must_see = std::max(must_see, world_.checkers.acknowledged.newest());
  carry_out();
  wake_at_deadline();
}

// R5: while a sync runs, records gather.
void SimBroker::seal() {
  while (builder_ && !sealed_ && !builder_->empty() && !batch_at_disk_) {
    batch_at_disk_ = config_.durability != Durability::Memory;
    group_->step(clock(), Proposed{builder_->seal()}, effects_);
    carry_out();
  }
}

void SimBroker::apply() {
  while (group_->has_committed()) {
    const auto batches = group_->take_committed(1000, effects_);
    for (const SharedBatch& bytes : batches) apply(bytes);
    carry_out();
    if (batches.empty()) return;
  }
  take_snapshot_if_due();
}

void SimBroker::take_snapshot_if_due() {
  const bool wanted = wanted_snapshot_ != LogIndex{} && applied_ >= wanted_snapshot_;
  const bool due = world_.snapshot_after != 0 && applied_.value >= snapshot_at_.value + world_.snapshot_after;
  if (!wanted && !due) return;
  wanted_snapshot_ = {};
  snapshot_at_ = applied_;
  // Only what the journal holds on disk is taken a snapshot of.
  world_.timeline.after(Duration(prng_.between(1'000'000, 20'000'000)),
                        [this, life = life_, end = applied_end_, file = state_file(applied_end_)] {
                          if (life == life_ && group_->log().durable() >= end.last)
                            disk_.keep_snapshot(end, file);
                        });
}

void SimBroker::apply(const SharedBatch& bytes) {
  const auto batch = BatchView::parse(*bytes);
  world_.timeline.trace(batch->header().crc);
  digest_ = mix_bits(digest_ ^ batch->header().crc);
  applied_ = batch->header().last();
  applied_end_ = batch->header().end();
  world_.checkers.committed.on_applied(group_->epoch(), applied_end_);
  for (const RecordView& record : *batch) {
    if (record.type == open_record)
      group_->step(clock(), OfficeApplied{leader_of(record), record.time}, effects_);
    if (record.type == handover_record) group_->step(clock(), OfficeApplied{nobody, record.time}, effects_);
    if (record.type == submission_record) apply_submission(record);
    if (record.index.value % limits::digest_every == 0)
      group_->step(clock(), StatePassed{{record.index, sum_, digest_}}, effects_);
  }
  if (!corrupt()) world_.checkers.equal_states.on_state(applied_, {digest_, sum_});
}

void SimBroker::apply_submission(const RecordView& record) {
  const auto submission = ByteReader(record.payload).number<std::uint64_t>();
  sim::check(state_.emplace(submission, record.index).second, "applied once", "submission ", submission,
             " at record ", record.index.value);
  sum_ += part_of(submission, record.index);
  if (mine_.erase(submission) != 0) world_.checkers.acknowledged.on_acknowledged(submission, record.index);
}

void SimBroker::corrupt_state() {
  // The lowest: which one a hash table gives first is no part of a seed.
  const auto victim = std::min_element(state_.begin(), state_.end());
  sum_ -= part_of(victim->first, victim->second);
  state_.erase(victim);
  corrupt_since_ = next(applied_);
}

Bytes SimBroker::state_file(const ChainEnd& last) const {
  Bytes file;
  ByteWriter writer(file);
  writer.number(last.last.value);
  writer.number(last.epoch.value);
  writer.number(last.crc);
  writer.number(digest_);
  const std::map<std::uint64_t, LogIndex> ordered(state_.begin(), state_.end());
  for (const auto& [submission, index] : ordered) {
    writer.number(submission);
    writer.number(index.value);
  }
  return file;
}

void SimBroker::load_state(const Bytes& file) {
  state_.clear();
  digest_ = sum_ = 0;
  wanted_snapshot_ = {};
  applied_end_ = {};
  applied_ = snapshot_at_ = {};
  if (file.empty()) return;
  ByteReader reader(file);
  applied_end_.last = {reader.number<std::uint64_t>()};
  applied_end_.epoch = {reader.number<std::uint64_t>()};
  applied_end_.crc = reader.number<std::uint32_t>();
  digest_ = reader.number<std::uint64_t>();
  applied_ = snapshot_at_ = applied_end_.last;
  while (!reader.at_end()) {
    const auto submission = reader.number<std::uint64_t>();
    const LogIndex index{reader.number<std::uint64_t>()};
    state_.emplace(submission, index);
    sum_ += part_of(submission, index);
  }
}

void SimBroker::check() {
  world_.checkers.monotone.on_step(seat_, *group_, applied_);
  if (!group_->in_office() || group_->commit() <= checked_commit_) return;
  checked_commit_ = group_->commit();
  const LogPosition position{group_->log().epoch_at(checked_commit_), checked_commit_};
  world_.checkers.committed.on_leader_commit(group_->epoch(), position);
  sim::HeldByMajority::on_leader_commit(position, world_.holders(*this, position), config_.size());
}

void SimBroker::wake_at_deadline() {
  const auto deadline = group_->deadline();
  if (!deadline) return;
  // The loop is never called exactly on time.
  const Monotonic at = clock_.when(*deadline) + Duration(prng_.below(200'000));
  if (at >= wakes_at_) return;
  wakes_at_ = at;
  world_.timeline.at(at, [this, life = life_, at] {
    if (life != life_ || wakes_at_ != at) return;
    wakes_at_ = Monotonic::max();
    on(Tick{});
  });
}

}  // namespace cidbus::group_sim
