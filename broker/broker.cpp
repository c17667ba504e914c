#include "broker/broker.h"

#include <algorithm>
#include <bitset>

#include "broker/admission.h"
#include "broker/broker_metrics.h"
#include "broker/broker_voter.h"
#include "broker/feed_publisher.h"
#include "broker/frame_work.h"
#include "broker/group_info.h"
#include "broker/leadership.h"
#include "broker/replica.h"
#include "broker/snapshotter.h"
#include "broker/standby.h"
#include "broker/tasks/records.h"
#include "broker/voice.h"
#include "shared/base/limits/brokers.h"
#include "shared/base/limits/metrics.h"
#include "shared/base/limits/state_digest.h"
#include "shared/io/node_identity.h"
#include "shared/node/feed_tracker.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr std::uint8_t record_version = 1;
// The leader's own part looks at a task while what the record changed of it is still near the processor.
constexpr std::size_t changes_at_once = 64;

}  // namespace

class Broker::Driver {
 public:
  Driver(Now started, BrokerOptions given, Recovered recovered, BrokerPorts& given_ports, Disk& given_disk,
         Registry& registry, Log& given_log)
      : options(std::move(given)),
        ports(given_ports),
        disk(given_disk),
        metrics(registry),
        log(given_log),
        prng(options.seed),
        now(started),
        started_at(started.wall),
        state(std::move(recovered.state)),
        voice(options.cluster, self().name, options.incarnation, ports, metrics, log),
        feed([this](const Feed& message) { voice.publish(message); }),
        replica(options.group, std::move(recovered.group),
                {cluster_id(options.cluster), {options.disk.bytes}}, started, ports, disk,
                registry.histogram(Metric::CommitSeconds), log, prng.fork()),
        standby(options, voice, replica, started_at),
        snapshotter(std::in_place, *state, disk, options.snapshot_after, recovered.sizes),
        applied_end(recovered.applied_end),
        voter(self().name) {
    live_by_config();
    voice.set_epoch(replica.group().log().last().epoch);
  }

  const group::Member& self() const { return options.group.at(options.group.self()); }

  // ---- what arrives
  void on_frame(ByteView routing_id, ByteView frame, const KeyHolder* holder) {
    const auto id = parse_routing_id(routing_id);
    const auto envelope = decoder.decode(frame);
    if (!envelope) return voice.refuse(routing_id, Refusal::BadMessage, envelope.error().message);
    work += work_of(envelope->message);
    const Header& from = envelope->header;
    if (from.version != protocol_version) {
      return voice.refuse(routing_id, Refusal::WrongVersion, "this broker speaks version 1 of the protocol");
    }
    if (from.cluster != cluster_id(options.cluster)) {
      return voice.refuse(
          routing_id, Refusal::WrongCluster,
          "this broker belongs to cluster '" + options.cluster + "'; check --cluster and --brokers");
    }
    if (!id || from.sender != id->first || from.incarnation != id->second) {
      return voice.refuse(routing_id, Refusal::BadMessage, "the sender is not who its connection says");
    }
    if (const auto* asked = std::get_if<BrokerStatusRequest>(&envelope->message))
      return standby.tell_status(now, routing_id, *asked, holder, *state);
    if (!serving) return standby.on_message(now, routing_id, from, envelope->message, holder, *state);
    if (sealed) return hold(routing_id, frame, holder);
    leadership->on_message(now, routing_id, from, envelope->message, frame, holder);
    work += leadership->take_work();
  }

  // While office is handed over nobody is served; that takes milliseconds, so what arrives waits (CONSENSUS
  // H2).
  void hold(ByteView routing_id, ByteView frame, const KeyHolder* holder) {
    if (held.size() == limits::frames_held)
      return voice.refuse(routing_id, Refusal::Exhausted, "office is being handed over");
    held.push_back(
        {to_bytes(routing_id), to_bytes(frame), holder == nullptr ? std::nullopt : std::optional(*holder)});
  }
  void serve_held() {
    sealed = false;
    for (const HeldFrame& one : std::exchange(held, {}))
      on_frame(one.routing_id, one.frame, one.holder ? &*one.holder : nullptr);
  }

  void on_feed_frame(ByteView topic, ByteView frame, const KeyHolder* holder) {
    // Every node has some, every second: they are not even looked at when they go nowhere.
    if (as_text(topic) == to_text(FeedTopic::Metrics) && !feed.wanted(FeedTopic::Metrics)) return;
    const auto envelope = decoder.decode(frame);
    const auto* message = envelope ? std::get_if<Feed>(&envelope->message) : nullptr;
    const bool ours = message != nullptr && envelope->header.version == protocol_version &&
                      envelope->header.cluster == cluster_id(options.cluster) &&
                      as_text(topic) == to_text(message->topic) &&
                      (holder == nullptr || holder->name == envelope->header.sender);
    if (!ours || (serving && !leadership->on_node_feed(now, envelope->header, *message, frame, holder)))
      return metrics.refused_feed.add();
    feeds_heard.on_feed(envelope->header, *message);
  }

  // Another broker's feed, or what it passes on of one: each message is passed on once, so it goes round the
  // group and no further.
  void on_peer_feed(ByteView frame) {
    const auto envelope = decoder.decode(frame);
    const auto* message = envelope ? std::get_if<Feed>(&envelope->message) : nullptr;
    if (message == nullptr || envelope->header.cluster != cluster_id(options.cluster))
      return metrics.refused_feed.add();
    if (envelope->header.sender == self().name) return;
    if (feeds_heard.on_feed(envelope->header, *message).kind == FeedTracker::Kind::Repeated) return;
    standby.on_feed(now, *message);
    if (feed.wanted_by_others(message->topic)) ports.publish(message->topic, frame);
  }

  void on_subscription(ByteView frame) {
    if (!feed.on_subscription(frame)) metrics.refused_feed.add();
    follow_feeds();
  }
  // Of other brokers, the topics that somebody other than a broker wants here.
  void follow_feeds() {
    for (std::size_t at = 0; at < feed_topic_count; ++at) {
      const auto topic = static_cast<FeedTopic>(at);
      const bool wanted = feed.wanted_by_others(topic);
      if (wanted == feeds_followed.test(at)) continue;
      feeds_followed.set(at, wanted);
      ports.follow_feeds(topic, wanted);
    }
  }

  void on_disk(DiskCompletion completion) {
    if (replica.on_disk(now, completion)) return;
    if (std::holds_alternative<SnapshotChunkWritten>(completion)) {
      snapshotter->on_slice_written();
    } else if (const auto* done = std::get_if<SnapshotDone>(&completion)) {
      snapshotter->on_done(*done);
    } else if (const auto* failed = std::get_if<SnapshotFailed>(&completion)) {
      snapshotter->on_failed();
      log.warning("no snapshot was taken, the next is tried later: " + failed->why.message);
    } else if (auto* installed = std::get_if<SnapshotInstalled>(&completion)) {
      take_state(*installed);
    } else if (const auto* changed = std::get_if<RoomChanged>(&completion)) {
      admission.on_room(*changed, log);
    }
  }

  // A standby that lagged behind the journal goes on with another broker's state. REQUIRES: not in office.
  void take_state(SnapshotInstalled& installed) {
    ENSURE(!leadership, "a leader was given a snapshot", installed.info.last.last.value);
    snapshotter.reset();  // before the state that it may be walking over
    state = std::move(installed.state);
    applied_end = installed.info.last;
    snapshotter.emplace(*state, disk, options.snapshot_after, RecoveredSizes{});
    live_by_config();
    log.info("took the state of another broker, up to record " + std::to_string(applied_end.last.value));
  }

  // ---- office
  // Nodes follow no leader of a lower epoch than they have heard of, so they hear of offices alone: a
  // candidacy may come to nothing, and be forgotten if it was not on disk when its broker died.
  void tell_epoch() {
    if (replica.group().leader() != group::nobody) voice.set_epoch(replica.group().epoch());
  }
  // After whatever may have ended it, and before the next message is served: a broker that stood still finds
  // messages of clients behind the one that told it.
  void follow_news() {
    for (auto all = replica.take_news(); !all.empty(); all = replica.take_news()) {
      for (const Replica::News& news : all) {
        tell_epoch();
        std::visit([this](const auto& one) { on_news(one); }, news);
      }
    }
  }
  void tell_election(ElectionWord word, std::string_view to, Epoch epoch, const group::Rank& rank) {
    feed.send(now, FeedTopic::Elections, {},
              ElectionEvent{word, to, epoch, rank.log.index, rank.log.epoch, rank.priority});
  }
  void on_news(const Replica::ElectionSaid& said) {
    tell_election(said.word, options.group.at(said.to).name, said.epoch, said.rank);
  }
  void on_news(const Replica::OfficeTaken& taken) {
    metrics.offices.add();
    tell_election(ElectionWord::Coordinator, {}, taken.epoch, replica.group().rank());
    Bytes payload;
    encode(OpenRecord{taken.epoch, self().name, self().endpoint}, payload);
    replica.append(now, static_cast<std::uint8_t>(RecordType::Open), record_version, payload, Urgency::Now);
  }
  void on_news(const Replica::OfficeSealed& seal) {
    sealed = true;
    Bytes payload;
    encode(HandoverRecord{options.group.at(seal.successor).name}, payload);
    replica.propose_handover(now, static_cast<std::uint8_t>(RecordType::Handover), record_version, payload);
  }
  void on_news(const Replica::OfficeUnsealed&) { serve_held(); }
  void on_news(const Replica::OfficeLeft& left) {
    metrics.on_left_office(left.why);
    if (leadership) leadership->send_away(standby.leader(now));
    feed.flush(now, state->applied());  // what was applied in this office is not told in the next one
    leadership.reset();
    serving = false;
    serve_held();  // by a word about who leads
  }
  void on_news(const Replica::LeaderChanged&) {
    const Redirect known = standby.leader(now);
    if (!known.leader.empty()) log.info(std::string(known.leader) + " leads", {replica.group().epoch()});
  }
  void on_news(const Replica::ReadsConfirmed& confirmed) {
    if (leadership) leadership->on_reads_confirmed(confirmed.round);
  }
  void on_news(const Replica::SnapshotWanted& wanted) { snapshotter->want(wanted.at_least); }
  void on_news(const Replica::ProposalVoted& voted) {
    if (!serving || sealed) return;  // it is said again
    const VoteRecord vote{voted.proposal, voted.yes, false, {}, voted.reason};
    leadership->on_broker_vote(now, options.group.at(voted.from).name, vote);
  }
  void on_news(const group::Notice& notice) {
    using group::NoticeKind;
    metrics.elections.add(notice.kind == NoticeKind::Standing ? 1 : 0);
    log.write_about(level_of(notice.kind), to_text(notice, replica.group().config()),
                    {replica.group().epoch()});
    if (notice.kind == group::NoticeKind::NotTakenOver && leadership)
      leadership->on_not_taken_over(notice.seat);
  }

  // The leader's own part is made once its OPEN is applied; until it is whole, the state stays as it is.
  void open_office() {
    if (serving || !replica.serving() || state->office().epoch != replica.group().epoch()) return;
    if (!leadership) {
      leadership.emplace(
          Leadership::Ground{options, voice, ports, replica, *state, feed, metrics, log, started_at},
          replica.group().epoch(), prng.fork());
    }
    if (!leadership->take(now)) return;
    serving = true;
    log.info("in office, journal at " + std::to_string(state->applied().value), {replica.group().epoch()});
  }

  // ---- the state
  [[nodiscard]] bool opening() const { return leadership && !serving; }

  void apply_committed() {
    if (!opening()) {
      for (const BatchBytes& bytes : replica.take_committed(now, limits::records_a_turn)) apply(*bytes);
    }
    open_office();
  }

  void apply(const Bytes& bytes) {
    const auto batch = BatchView::parse(bytes);
    ENSURE(batch.has_value(), "bytes", bytes.size());
    changes.clear();
    for (const RecordView& record : *batch) {
      const auto type = static_cast<RecordType>(record.type);
      state->apply(record.index, record.time, type, record.payload, changes);
      if (type == RecordType::Open || type == RecordType::Handover) tell_office_applied(type, record);
      if (record.index.value % limits::digest_every == 0)
        replica.on_state_passed(now, record.index, state->digest());
      if (changes.list.size() >= changes_at_once) tell_changes();
    }
    tell_changes();
    applied_end = batch->header().end();
    snapshotter->on_applied(bytes.size());
  }

  void tell_changes() {
    const auto in_force = [](const Change& change) {
      return change.kind == ChangeKind::Decided && change.flag;
    };
    if (changes.of_config && std::any_of(changes.list.begin(), changes.list.end(), in_force))
      live_by_config();
    if (serving) leadership->on_applied(now, changes);
    changes.clear();
  }

  // ---- configuration by vote: what every broker lives by, and its vote
  void live_by_config() {
    const auto& entries = state->config().entries();
    const auto found = entries.find("snapshot_after");
    if (found != entries.end()) snapshotter->set_after(static_cast<ByteCount>(found->second.value));
  }
  void vote() {
    const VoterFacts facts{Role::Master, options.votes_by_hand, !admission.roomy()};
    for (const VoteRecord& mine : voter.due(now.monotonic, state->config(), facts)) {
      if (serving && !sealed) {
        leadership->on_broker_vote(now, self().name, mine);
      } else {
        replica.send_vote(now, {mine.proposal, mine.yes, mine.reason});
      }
    }
  }

  void tell_office_applied(RecordType type, const RecordView& record) {
    OpenRecord open;
    const bool opened = type == RecordType::Open && decode(record.payload, open);
    const auto seat = opened ? options.group.find(open.leader) : std::nullopt;
    replica.on_office_applied(now, seat.value_or(group::nobody), record.time);
  }

  void decide_admission() {
    const std::string_view refusal = admission.refusal(replica.uncommitted_bytes());
    leadership->admit(refusal.empty(), refusal);
  }

  // ---- what is measured
  void read_metrics() {
    metrics.read(now, replica, *state);
    if (serving) leadership->read_metrics(now);
    if (!serving) Leadership::clear_metrics(metrics.registry);
  }
  void tell_metrics() {
    next_metrics = now.monotonic + limits::metrics_every;
    if (!feed.wanted(FeedTopic::Metrics)) return;
    feed.send(now, FeedTopic::Metrics, {}, MetricsEvent{Role::Master, metrics.registry.read(now)});
  }

  // ---- a turn's end
  std::optional<Monotonic> end_turn() {
    follow_news();
    apply_committed();
    if (serving && !sealed) {
      decide_admission();
      leadership->end_turn(now);
    }
    vote();
    auto next = replica.end_turn(now);
    follow_news();
    if (options.group.durability == Durability::Memory) {
      // Received is committed: what this turn proposed is told in this turn.
      apply_committed();
      if (serving && !sealed) leadership->send_collected(now);
    }
    return finish_turn(next);
  }

  std::optional<Monotonic> finish_turn(std::optional<Monotonic> replica_next) {
    Monotonic next = replica_next.value_or(Monotonic::max());
    // While office is handed over nothing of it is due: its part of the turn was left out, too.
    if (serving && !sealed) next = std::min(next, leadership->finish_turn(now));
    if (now.monotonic >= next_metrics) tell_metrics();
    next = std::min({next, admission.check_room(now, disk), next_metrics, voter.deadline()});
    const SnapshotInfo head{cluster_id(options.cluster), applied_end, state->time(), 0, {}, {}};
    if (snapshotter->slice(head) || opening()) next = now.monotonic;
    return next;
  }

  BrokerOptions options;
  BrokerPorts& ports;
  Disk& disk;
  BrokerMetrics metrics;
  Log& log;
  Prng prng;
  Now now;  // of the turn
  WallTime started_at;
  std::unique_ptr<StateMachine> state;
  Voice voice;
  FeedPublisher feed;
  FeedTracker feeds_heard;  // of nodes and other brokers, by whatever way
  std::bitset<feed_topic_count> feeds_followed;
  Monotonic next_metrics{};
  Replica replica;
  Standby standby;
  std::optional<Leadership> leadership;  // while leading
  bool serving = false;                  // and it is whole
  bool sealed = false;                   // and it is about to be handed over
  struct HeldFrame {
    Bytes routing_id;
    Bytes frame;
    std::optional<KeyHolder> holder;
  };
  std::vector<HeldFrame> held;  // while sealed
  std::optional<Snapshotter> snapshotter;
  ChainEnd applied_end;  // of the last batch applied
  BrokerVoter voter;
  Decoder decoder;
  Changes changes;
  std::size_t work = 0;  // of the frame being served
  Admission admission;
};

Broker::Broker(Now now, BrokerOptions options, Recovered recovered, BrokerPorts& ports, Disk& disk,
               Registry& metrics, Log& log)
    : driver_(std::make_unique<Driver>(now, std::move(options), std::move(recovered), ports, disk, metrics,
                                       log)) {
  metrics.before_reading([driver = driver_.get()](Now when) {
    driver->now = when;
    driver->read_metrics();
  });
}

Broker::~Broker() = default;

std::size_t Broker::on_frame(Now now, ByteView routing_id, ByteView frame, const KeyHolder* holder) {
  driver_->now = now;
  driver_->work = frame.size() / bytes_a_unit;
  driver_->on_frame(routing_id, frame, holder);
  return driver_->work;
}

void Broker::on_feed_frame(Now now, ByteView topic, ByteView frame, const KeyHolder* holder) {
  driver_->now = now;
  driver_->on_feed_frame(topic, frame, holder);
}

void Broker::on_keys_taken(Now now, const std::function<const KeyHolder*(std::string_view)>& holder_of) {
  driver_->feed.forget_subscriptions();
  driver_->follow_feeds();
  if (driver_->serving) driver_->leadership->on_keys_taken(now, holder_of);
}

void Broker::on_connection_refused() { driver_->metrics.refused_connections.add(); }

void Broker::on_subscription(ByteView frame) { driver_->on_subscription(frame); }

void Broker::on_peer_feed(Now now, ByteView frame) {
  driver_->now = now;
  driver_->on_peer_feed(frame);
}

void Broker::on_connection_broke(Now) {
  if (driver_->serving) driver_->leadership->on_connection_broke();
}

void Broker::on_mesh(Now now, ByteView head, std::vector<group::SharedBatch> behind) {
  driver_->now = now;
  driver_->replica.on_mesh(now, head, std::move(behind));
  driver_->follow_news();
}

void Broker::on_link(Now now, group::Seat broker, bool up) {
  driver_->now = now;
  driver_->replica.on_link(now, broker, up);
  driver_->follow_news();
}

void Broker::hand_over(Now now, group::Seat successor) {
  driver_->now = now;
  driver_->replica.hand_over(now, successor, false);
}

void Broker::prepare_to_stop(Now now) {
  driver_->now = now;
  driver_->replica.drain(now);
  driver_->replica.hand_over(now, group::nobody, true);
}

void Broker::on_disk(Now now, DiskCompletion completion) {
  driver_->now = now;
  driver_->on_disk(std::move(completion));
  driver_->follow_news();
}

std::optional<Monotonic> Broker::end_turn(Now now) {
  driver_->now = now;
  return driver_->end_turn();
}

std::size_t Broker::peers() const { return driver_->serving ? driver_->leadership->peers() : 0; }
std::string Broker::trouble(Monotonic now) const {
  if (driver_->serving) return {};
  if (driver_->replica.group().in_office())
    return "it has taken office, and is not through with its tasks yet";
  if (driver_->replica.group().heard_leader(now) == group::nobody)
    return "no broker of its group leads, or none that it hears";
  return {};
}
bool Broker::serving() const { return driver_->serving; }
const StateMachine& Broker::state() const { return *driver_->state; }
const group::Group& Broker::group() const { return driver_->replica.group(); }

}  // namespace cidbus
