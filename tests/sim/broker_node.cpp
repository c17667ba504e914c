#include "tests/sim/broker_node.h"

#include "broker/recovery.h"
#include "broker/tasks/state_machine.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/state_digest.h"
#include "tests/sim/damage.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;
using group::place;

constexpr Duration handed_over_within = 1s;  // at a stop, as in broker/server.cpp
constexpr int most_turns_at_once = 10'000;

DataDirectoryOptions directory_options(const group::GroupConfig& config, const DiskIncarnation& fresh) {
  DataDirectoryOptions options;
  options.folder = "data";
  options.cluster = "sim";
  options.node = config.at(config.self()).name;
  options.on_damage = config.size() > 1 ? OnDamage::Keep : OnDamage::Refuse;  // as in broker/server.cpp
  options.new_is_unproven = config.new_is_unproven();
  options.fresh_incarnation = fresh;
  // Few batches fit a segment, so that much is freed and much is told by snapshots; but the largest does.
  options.journal.head_bytes = 8 << 10;
  options.journal.segment_bytes = options.journal.head_bytes + 2 * limits::batch_bytes;
  options.marks = {0, 0, 1 << 20};
  return options;
}

}  // namespace

BrokerNode::BrokerNode(const Ground& ground, group::GroupConfig config, Prng prng)
    : ground_(ground),
      config_(std::move(config)),
      prng_(prng),
      clock_(ground.timeline),
      snapshot_after_(prng_.between(8 << 10, 64 << 10)),
      damaged_(config_.new_is_unproven()) {
  for (auto& byte : incarnation_.bytes) byte = static_cast<std::uint8_t>(prng_());
}

BrokerNode::~BrokerNode() {
  if (running()) end();
}

// ---- its life

Result<Recovered> BrokerNode::recover_from_disk() {
  auto directory = DataDirectory::open(files_, directory_options(config_, incarnation_));
  if (!directory) return tl::unexpected(directory.error());
  for (const std::string& notice : directory->notices()) ground_.chronicle.log_line(name(), notice);
  auto recovered = recover(*directory, config_, 7);
  if (recovered) disk_ = std::make_unique<WatchedDisk>(std::move(*directory), config_, ground_.truths);
  return recovered;
}

bool BrokerNode::start() {
  ENSURE(!running());
  auto recovered = recover_from_disk();
  if (!recovered) {
    check(recovered.error().kind != FaultKind::BadData, "what was synced is whole", name(), ": ",
          recovered.error().message);
    ground_.chronicle.say(name(), "cannot start: " + recovered.error().message);
    files_.kill();
    return false;
  }
  recovered->state->check_invariants();
  if (recovered->group.applied < corrupt_since_) corrupt_since_ = {};
  if (!recovered->group.repairing) lost_log_.reset();  // it was whole again, and died before it was told
  if (recovered->group.repairing && !lost_log_) lost_log_ = last_log_;
  ground_.truths.group.monotone.on_start(seat(), recovered->group.epoch, persisted_);
  ++life_;
  paused_ = doomed_ = disk_busy_ = cut_planned_ = false;
  next_turn_ = stops_at_ = Monotonic::max();
  office_ = {};
  applied_ = commit_ = {};
  BrokerOptions options{"sim", config_, {prng_()}, incarnation_, prng_(), snapshot_after_};
  broker_.reset();
  registry_ = std::make_unique<Registry>();
  broker_ = std::make_unique<Broker>(clock_.now(), options, std::move(*recovered), *this, *disk_, *registry_,
                                     *this);
  feed_.begin_life(name());
  follows_.reset();
  ground_.chronicle.say(name(), "starts");
  broker_->start(clock_.now());
  subscribe_later();
  ground_.bus.set_broker(place(seat()), this);
  observe();
  wake();
  return true;
}

// Somebody watches from some moment on.
void BrokerNode::subscribe_later() {
  for (const FeedTopic topic : {FeedTopic::Tasks, FeedTopic::Leader})
    run_while_alive(Duration(prng_.below(3'000'000'000)), [this, topic] { on_subscription(to_text(topic)); });
}

void BrokerNode::on_subscription(std::string_view prefix) {
  input([this, prefix] {
    Bytes subscription{1};
    ByteWriter(subscription).raw(as_bytes(prefix));
    broker_->on_subscription(subscription);
  });
}

void BrokerNode::end() {
  last_log_ = group().log();
  ground_.bus.set_broker(place(seat()), nullptr);
  broker_.reset();
  disk_.reset();
  while_paused_.clear();
  paused_ = false;
  ++life_;
}

void BrokerNode::crash() {
  end();
  files_.crash(prng_);
}

void BrokerNode::kill() {
  end();
  files_.kill();
}

void BrokerNode::stop_in_order() {
  input([this] {
    stops_at_ = clock_.monotonic() + handed_over_within;
    broker_->prepare_to_stop(clock_.now());
  });
}

// Everything that has arrived is read before a timer is looked at.
void BrokerNode::resume() {
  paused_ = false;
  const std::uint64_t life = life_;
  for (const auto& act : std::exchange(while_paused_, {})) {
    act();
    if (life != life_ || doomed_) return;
  }
  take_turn();
}

void BrokerNode::doom(void (Owner::*end_of)(group::Seat)) {
  doomed_ = true;
  run_while_alive({}, [this, end_of] { (ground_.owner.*end_of)(seat()); });
}

void BrokerNode::run_while_alive(Duration delay, std::function<void()> act) {
  ground_.timeline.after(delay, [this, life = life_, act = std::move(act)] {
    if (life == life_) act();
  });
}

// ---- what arrives

void BrokerNode::input(std::function<void()> act) {
  if (!running() || doomed_) return;
  if (paused_) return while_paused_.push_back(std::move(act));
  act();
  observe();
  wake();
}

void BrokerNode::on_frame(ByteView routing_id, ByteView frame) {
  if (!paused_) return input([&] { broker_->on_frame(clock_.now(), routing_id, frame); });
  input([this, id = to_bytes(routing_id), bytes = to_bytes(frame)] {
    broker_->on_frame(clock_.now(), id, bytes);
  });
}

void BrokerNode::on_connection_broke() {
  input([this] { broker_->on_connection_broke(clock_.now()); });
}

void BrokerNode::on_mesh(const std::shared_ptr<const Bytes>& head,
                         const std::vector<group::SharedBatch>& behind) {
  input([this, head, behind] { broker_->on_mesh(clock_.now(), *head, behind); });
}

void BrokerNode::on_link(group::Seat peer, bool up) {
  input([this, peer, up] { broker_->on_link(clock_.now(), peer, up); });
}

void BrokerNode::on_peer_feed(const std::shared_ptr<const Bytes>& frame) {
  input([this, frame] { broker_->on_peer_feed(clock_.now(), *frame); });
}

void BrokerNode::hand_over(group::Seat successor) {
  input([this, successor] { broker_->hand_over(clock_.now(), successor); });
}

// ---- what it sends

SendAnswer BrokerNode::send(std::string_view routing_id, ByteView frame) {
  return ground_.bus.send_to_node(place(seat()), routing_id, frame);
}

void BrokerNode::send_to_broker(group::Seat to, group::Channel channel, ByteView head,
                                std::span<const group::SharedBatch> behind) {
  ground_.mesh.send(seat(), to, channel,
                    [&peer = ground_.owner.broker(to), copy = std::make_shared<const Bytes>(to_bytes(head)),
                     batches = std::vector(behind.begin(), behind.end())] { peer.on_mesh(copy, batches); });
}

void BrokerNode::publish(FeedTopic topic, ByteView frame) {
  if (feed_.on_frame(topic, frame) == FeedChecker::Publisher::Other)
    ground_.chronicle.mark("a broker passes on another's feed");
  ground_.owner.on_publish(seat(), topic, frame);
}

void BrokerNode::follow_feeds(FeedTopic topic, bool on) {
  ENSURE(on, "nobody's subscription ends here", to_text(topic));
  follows_.set(static_cast<std::size_t>(topic));
  ground_.owner.on_follow(seat(), topic);
}

// What a broker calls an error is one in a simulated run too.
void BrokerNode::write(LogLevel level, std::string_view line) {
  check(level != LogLevel::Error, "no broker sees an error", name(), ": ", line);
  ground_.chronicle.log_line(name(), line);
}

// ---- turns

void BrokerNode::wake() { wake_at(ground_.timeline.now().monotonic); }

void BrokerNode::wake_at(Monotonic when) {
  if (when >= next_turn_) return;
  next_turn_ = when;
  ground_.timeline.at(when, [this, life = life_, when] {
    if (life != life_ || next_turn_ != when) return;
    next_turn_ = Monotonic::max();
    take_turn();
  });
}

void BrokerNode::take_turn() {
  if (paused_ || doomed_ || !poll_disk()) return;
  check_rest();
  const auto next = broker_->end_turn(clock_.now());
  observe();
  drive_disk();
  if (next) wake_at(clock_.when(*next));
  if (stops_at_ == Monotonic::max()) return;
  if (!group().in_office() || clock_.monotonic() >= stops_at_) return doom(&Owner::on_end);
  wake_at(clock_.when(stops_at_));
}

// A real one would burn a processor until something else happens.
void BrokerNode::check_rest() {
  const Monotonic now = ground_.timeline.now().monotonic;
  turns_ = now == turns_at_ ? turns_ + 1 : 0;
  turns_at_ = now;
  check(turns_ < most_turns_at_once, "turns come to rest", name(), " takes ", turns_, " turns at one moment");
}

// False when the disk failed: what it holds is unknown, and the process ends (R6).
bool BrokerNode::poll_disk() {
  while (auto completion = disk_->poll()) {
    if (const auto* failed = std::get_if<DiskFailed>(&*completion)) {
      ground_.chronicle.say(name(), "the disk failed: " + failed->why.message);
      ground_.chronicle.mark("R6 a broker ends because its disk failed");
      doom(&Owner::on_end);
      return false;
    }
    if (const auto* vote = std::get_if<VotePersisted>(&*completion))
      persisted_ = std::max(persisted_, vote->epoch);
    if (std::holds_alternative<SnapshotDone>(*completion)) ground_.chronicle.mark("a snapshot is taken");
    const bool installed = std::holds_alternative<SnapshotInstalled>(*completion);
    broker_->on_disk(clock_.now(), *std::move(completion));
    if (!group().repairing()) lost_log_.reset();
    if (installed) on_state_installed();
    observe();
  }
  return true;
}

// It is as good as its leader's.
void BrokerNode::on_state_installed() {
  const group::Seat leader = group().leader();
  const bool from_corrupt = leader != group::nobody && ground_.owner.broker(leader).corrupt();
  if (corrupt() && !from_corrupt) ground_.chronicle.mark("R7 a wrong state is replaced");
  corrupt_since_ = from_corrupt ? state().applied() : LogIndex{};
}

// ---- the disk

void BrokerNode::set_hung_disk(bool hung) {
  hung_ = hung;
  if (!hung && running()) drive_disk();
}

void BrokerNode::cut_power_at(std::uint64_t operation) {
  files_.plan(operation, DiskAccident::PowerCut);
  cut_planned_ = true;
}

std::string BrokerNode::damage(Prng& prng) {
  ENSURE(!running());
  // Of two, the other can not lead alone: nobody would bring up again what is lost.
  const std::string what = damage_some(files_, prng, config_.size() > 2);
  damaged_ = damaged_ || !what.empty();
  return what;
}

bool BrokerNode::corrupt_state(Prng& prng) {
  StateTables& tables = const_cast<StateMachine&>(state()).tables();
  TaskHandle victim = tables.tasks.live_from(static_cast<Handle>(1 + prng.below(tables.tasks.size() + 1)));
  if (victim == 0) victim = tables.tasks.live_from(1);
  if (victim == 0) return false;
  ++tables.edit_task(victim).submitted_at.milliseconds;
  corrupt_since_ = next(state().applied());
  return true;
}

bool BrokerNode::corrupt_for_long() const {
  if (!corrupt() || !running()) return corrupt();
  return state().applied().value / limits::digest_every * limits::digest_every >= corrupt_since_.value;
}

bool BrokerNode::damaged() {
  if (running() && group().log().holes().empty() && !group().repairing()) damaged_ = false;
  return damaged_;
}

// One step after another, each taking its time; what it completed is handed over at its end.
void BrokerNode::drive_disk() {
  if (disk_busy_ || hung_ || doomed_ || !disk_->stepped().has_work()) return;
  disk_busy_ = true;
  Duration takes(prng_.chance(1, 100) ? prng_.between(5'000'000, 80'000'000)
                                      : prng_.between(100'000, 900'000));
  takes = std::max(takes, slow_);
  run_while_alive(takes / 2, [this, takes] {
    if (doomed_) return;
    disk_->stepped().step();
    if (cut_planned_ && files_.accident_happened()) return doom(&Owner::on_power_cut);
    run_while_alive(takes / 2, [this] { finish_step(); });
  });
}

void BrokerNode::finish_step() {
  if (doomed_) return;
  disk_busy_ = false;
  disk_->stepped().deliver();
  drive_disk();
  wake();
}

// ---- truths

void BrokerNode::observe() {
  const group::Group& core = group();
  ground_.truths.group.monotone.on_step(seat(), core, state().applied());
  if (core.in_office()) observe_office();
  if (state().applied() != applied_) observe_applied();
}

void BrokerNode::observe_office() {
  const group::Group& core = group();
  Checkers& checkers = ground_.truths.group;
  if (core.epoch() != office_) {
    office_ = core.epoch();
    checkers.one_leader.on_office(office_, seat());
    checkers.committed.on_office(office_, core.log());
    ground_.chronicle.say(name(), "takes office, epoch " + std::to_string(office_.value));
    ground_.owner.on_office(seat());
  }
  if (core.commit() <= commit_) return;
  commit_ = core.commit();
  const group::LogPosition position{core.log().epoch_at(commit_), commit_};
  checkers.committed.on_leader_commit(office_, position);
  HeldByMajority::on_leader_commit(position, ground_.owner.holders(position), config_.size());
}

void BrokerNode::observe_applied() {
  applied_ = state().applied();
  const group::Group& core = group();
  ground_.truths.records.on_applied(core.epoch(), {core.log().epoch_at(applied_), applied_});
  check_state();
}

void BrokerNode::check_state() {
  if (corrupt()) return;
  const Digest digest = state().digest();
  ground_.truths.group.equal_states.on_state(state().applied(), {digest.low, digest.high});
}

bool BrokerNode::holds(const group::LogPosition& position) const {
  // What is damaged is not forgotten: it neither votes below it nor lets it count anew.
  if (!running() && !last_log_) return false;
  const group::LogWindow& log = lost_log_ ? *lost_log_ : running() ? group().log() : *last_log_;
  if (position.index <= log.base().index) return true;  // committed, and in a snapshot
  return log.has(position) && (config_.durability == Durability::Memory || position.index <= log.durable());
}

}  // namespace cidbus::sim
