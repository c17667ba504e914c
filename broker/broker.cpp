#include "broker/broker.h"

#include <algorithm>

#include "broker/cluster/content_index.h"
#include "broker/cluster/membership.h"
#include "broker/cluster_view.h"
#include "broker/consensus/office_holder.h"
#include "broker/feed_publisher.h"
#include "broker/frame_work.h"
#include "broker/log_queue.h"
#include "broker/peers.h"
#include "broker/rights.h"
#include "broker/snapshotter.h"
#include "broker/tasks/records.h"
#include "broker/tasks/state_machine.h"
#include "broker/tasks/task_service.h"
#include "broker/voice.h"
#include "shared/base/limits/brokers.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"
#include "shared/io/bus_link.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t record_version = 1;
constexpr Duration counters_every = 250ms;
constexpr Duration leader_told_every = 1s;
constexpr Duration room_checked_every = 1s;
constexpr std::size_t forgotten_a_turn = 256;  // peers that were silent for too long

}  // namespace

class Broker::Driver : public Output {
 public:
  Driver(BrokerOptions given, Recovered recovered, BrokerPorts& given_ports, Disk& given_disk, Log& given_log)
      : options(std::move(given)),
        ports(given_ports),
        disk(given_disk),
        log(given_log),
        prng(options.seed),
        state(std::move(recovered.state)),
        voice(options.cluster, options.name, options.incarnation, ports, log),
        office(recovered.highest_epoch, recovered.end.last, options.durability),
        queue(office.epoch(), recovered.end, state->time(), options.durability == Durability::Memory),
        content(membership, prng.fork()),
        tasks(*this, ServiceLimits{.durability = options.durability}, prng.fork()),
        snapshotter(*state, disk, options.snapshot_after, recovered.sizes),
        applied_end(recovered.end),
        feed([this](const Feed& message) { voice.publish(message); }) {
    voice.set_epoch(office.epoch());
  }

  // ---- Output ----
  LogIndex propose(RecordType type, ByteView payload, Urgency urgency) override {
    return queue.append(now, static_cast<std::uint8_t>(type), record_version, payload, urgency);
  }
  void send(Peer peer, const Message& message) override {
    if (!peers.known(peer)) return;
    const ByteView frame = voice.encode(message);
    work += frame.size() / bytes_a_unit;
    const SendAnswer answer = ports.send(peers.at(peer).routing_id, frame);
    if (answer != SendAnswer::Sent) undeliverable.push_back({peer, answer == SendAnswer::Unroutable});
  }
  void event(const TaskEvent& task) override { feed.add_task_event(now, task); }

  // ---- frames ----
  void on_frame(ByteView routing_id, ByteView frame, const KeyHolder* holder) {
    speaker = holder;
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
    if (!in_office) {
      // Not in office yet: nothing is known to be committed. Whoever asks tries again.
      voice.send(as_text(routing_id), Redirect{});
      return;
    }
    if (const auto* hello = std::get_if<Hello>(&envelope->message)) return on_hello(routing_id, from, *hello);
    const auto peer = peers.find(as_text(routing_id));
    if (!peer) return voice.refuse(routing_id, Refusal::NotKnown, "say hello first");
    on_peer_message(*peer, envelope->message);
  }

  void on_peer_message(Peer peer, const Message& message) {
    peers.heard(now.monotonic, peer);
    const PeerEntry& entry = peers.at(peer);
    if (const auto why = key_refusal(speaker, entry.name, entry.role); !why.empty())
      return voice.refuse(as_bytes(entry.routing_id), Refusal::NotAllowed, why);
    if (!may_say(entry.role, message)) {
      return voice.refuse(
          as_bytes(entry.routing_id), Refusal::NotAllowed,
          "a " + std::string(to_text(entry.role)) + " may not say " + std::string(name_of(message)));
    }
    if (entry.role != Role::Client && !membership.heard(now, entry.name, entry.incarnation)) {
      voice.refuse(as_bytes(entry.routing_id), Refusal::NotKnown,
                   "it was silent for too long; say hello again");
      return forget(peer);
    }
    if (std::holds_alternative<Ping>(message)) return send(peer, Pong{});
    if (std::holds_alternative<Goodbye>(message)) return on_goodbye(peer);
    if (const auto* announce = std::get_if<Announce>(&message))
      return content.announce(entry.name, *announce);
    if (const auto* find = std::get_if<Find>(&message)) return send(peer, content.find(*find));
    if (const auto* place = std::get_if<Place>(&message)) return send(peer, content.place(*place));
    if (const auto* request = std::get_if<SnapshotRequest>(&message))
      return send_snapshot(peer, request->request);
    tasks.on_message(now, peer, message);
  }

  void on_hello(ByteView routing_id, const Header& from, const Hello& hello) {
    if (const std::string why = key_refusal(speaker, from.sender, hello.role); !why.empty())
      return voice.refuse(routing_id, Refusal::NotAllowed, why);
    if (hello.role == Role::Master) {
      return voice.refuse(routing_id, Refusal::NotAllowed,
                          "this broker is a group of one and takes no other");
    }
    const auto held = peers.find_name(from.sender);
    const bool held_by_other = held && peers.at(*held).incarnation != from.incarnation;
    if (held_by_other && is_reachable(*held)) {
      return voice.refuse(
          routing_id, Refusal::NameTaken,
          "'" + std::string(from.sender) + "' is here already; give each node a --name of its own");
    }
    if (held) forget(*held);
    if (hello.role == Role::Worker && !tasks.has_room_for(from.sender)) {
      return voice.refuse(routing_id, Refusal::Exhausted,
                          "the cluster has seen too many worker names; start it under one it had before");
    }
    if (hello.role != Role::Client && !admit_member(routing_id, from, hello, held_by_other)) return;
    PeerEntry entry{std::string(as_text(routing_id)), std::string(from.sender), hello.role, from.incarnation};
    if (speaker != nullptr) entry.key = speaker->key;
    const auto peer = peers.add(now.monotonic, std::move(entry));
    if (!peer)
      return voice.refuse(routing_id, Refusal::Exhausted,
                          "this broker has as many connections as it can serve");
    send(*peer, Welcome{options.name, limits::heartbeat, limits::node_timeout, limits::lease,
                        static_cast<std::uint32_t>(limits::session_window)});
    tasks.on_hello(now, *peer, from.sender, hello.role, hello);
  }

  bool admit_member(ByteView routing_id, const Header& from, const Hello& hello, bool other_is_gone) {
    const auto answer =
        membership.hello(now, from.sender, hello.role, from.incarnation, hello.exchange, other_is_gone);
    if (answer == Membership::HelloAnswer::Welcome) return true;
    if (answer == Membership::HelloAnswer::Full) {
      voice.refuse(routing_id, Refusal::Exhausted, "the cluster has as many members as it can hold");
    } else {
      voice.refuse(
          routing_id, Refusal::NameTaken,
          "'" + std::string(from.sender) + "' was here a moment ago and may come back; it is tried again");
    }
    return false;
  }

  // MANDATORY tells at once whether the other end of a connection is still there.
  bool is_reachable(Peer peer) {
    return ports.send(peers.at(peer).routing_id, voice.encode(Ping{})) != SendAnswer::Unroutable;
  }

  void on_goodbye(Peer peer) {
    const PeerEntry entry = peers.at(peer);
    membership.goodbye(now, entry.name, entry.incarnation);
    forget(peer);
  }

  void forget(Peer peer) {
    tasks.on_peer_gone(now, peer);
    peers.forget(peer);
  }

  // A host that is gone breaks no connection: whoever is bound says ping, and who says nothing is forgotten.
  void forget_silent() {
    for (std::size_t step = 0; step < forgotten_a_turn && now.monotonic >= peers.silence_deadline(); ++step)
      forget(peers.quietest());
  }

  // The socket may still hold the pipe for a moment, so all are asked twice; and not more often than
  // probe_every, since commands that come and go break a connection each.
  void on_connection_broke() { probes_due = 2; }

  void probe_connections() {
    if (probes_due == 0 || now.monotonic < next_probe) return;
    --probes_due;
    next_probe = now.monotonic + limits::probe_every;
    const Bytes ping = to_bytes(voice.encode(Ping{}));
    for (const Peer peer : peers.all()) {
      if (ports.send(peers.at(peer).routing_id, ping) != SendAnswer::Unroutable) continue;
      tell_connection_broke(peer);
      forget(peer);
    }
  }

  void tell_connection_broke(Peer peer) {
    const PeerEntry& entry = peers.at(peer);
    membership.connection_broke(now, entry.name, entry.incarnation);
  }

  void on_keys_taken(const std::function<const KeyHolder*(std::string_view)>& holder_of) {
    feed.forget_subscriptions();
    for (const Peer peer : peers.all()) {
      const PeerEntry& entry = peers.at(peer);
      if (key_refusal(holder_of(entry.key), entry.name, entry.role).empty()) continue;
      log.info(entry.name + " is cut off: its key was taken from the allow-list");
      tell_connection_broke(peer);
      forget(peer);
    }
  }

  void on_feed_frame(ByteView topic, ByteView frame, const KeyHolder* holder) {
    const auto envelope = decoder.decode(frame);
    const auto* message = envelope ? std::get_if<Feed>(&envelope->message) : nullptr;
    const bool ours = envelope && envelope->header.version == protocol_version &&
                      envelope->header.cluster == cluster_id(options.cluster) &&
                      (holder == nullptr || holder->name == envelope->header.sender);
    if (message == nullptr || !ours || message->topic != FeedTopic::Heartbeats ||
        as_text(topic) != to_text(FeedTopic::Heartbeats)) {
      voice.count_refused();
      return;
    }
    for (const FeedEvent& heard : message->events) {
      const auto* beat = std::get_if<HeartbeatEvent>(&heard);
      if (beat == nullptr || beat->name != envelope->header.sender) continue;
      if (holder != nullptr && !holder->may_be(beat->role)) continue;
      if (membership.heartbeat(now, beat->name, envelope->header.incarnation, beat->load)) {
        ports.publish(FeedTopic::Heartbeats, frame);  // as it came: its number is its publisher's
      }
    }
  }

  // ---- office, journal, state ----
  void open_office() {
    Bytes payload;
    encode(OpenRecord{office.epoch(), options.name, options.endpoint}, payload);
    const LogIndex open =
        queue.append(now, static_cast<std::uint8_t>(RecordType::Open), record_version, payload, Urgency::Now);
    office.on_open_appended(open);
  }

  void apply_committed() {
    for (const LogQueue::Sealed& sealed : queue.take_committed(office.commit(), limits::records_a_turn)) {
      const auto batch = BatchView::parse(*sealed.bytes);
      ENSURE(batch.has_value(), "last", sealed.end.last.value);
      changes.clear();
      for (const RecordView& record : *batch) {
        state->apply(record.index, record.time, static_cast<RecordType>(record.type), record.payload,
                     changes);
      }
      changes.applied = batch->header().last();
      applied_end = sealed.end;
      snapshotter.on_applied(sealed.bytes->size());
      if (in_office) tasks.on_applied(now, changes);
    }
    if (in_office || !office.serving() || state->office().epoch != office.epoch()) return;
    in_office = tasks.take_office(now, office.epoch(), *state);
    taking_office = !in_office;  // and goes on in the next turn
    if (taking_office) return;
    log.info("in office, epoch " + std::to_string(office.epoch().value) + ", journal at " +
             std::to_string(state->applied().value));
    tell_leader();
  }

  void write_gathered() {
    const auto writes = queue.take_writes(now);
    if (office.stage() != OfficeHolder::Stage::Starting && queue.sealed_last() > office.last()) {
      office.on_appended(queue.sealed_last());
    }
    for (const LogQueue::Sealed& sealed : writes) disk.submit(WriteBatch{{sealed.bytes, office.epoch()}});
  }

  // ---- members and the feed ----
  void follow_members() {
    for (const std::string& name : membership.take_changes(now)) {
      const Membership::Node* node = membership.find(name);
      if (node == nullptr) continue;
      if (!Membership::is_live(*node)) {
        content.forget(name);
        if (node->role == Role::Worker) tasks.on_worker_lost(now, name);
        log.info(std::string(to_text(node->role)) + " " + name + " is " + std::string(to_text(node->state)));
      }
      feed.send(now, FeedTopic::Members, state->applied(), MemberEvent{member_of(name, *node)});
    }
  }

  void tell_leader() {
    feed.send(now, FeedTopic::Leader, {}, LeaderEvent{options.name, options.endpoint, office.epoch()});
    next_leader = now.monotonic + leader_told_every;
  }

  void tell_counters() {
    const auto counts = tasks.counters();
    feed.send(now, FeedTopic::Counters, state->applied(),
              CountersEvent{tasks_by_state(*state), counts.accepted, counts.finished, counts.requeued,
                            counts.stale_results, voice.refused()});
    next_counters = now.monotonic + counters_every;
  }

  void send_snapshot(Peer peer, RequestId request) {
    Snapshot snapshot = snapshot_of(membership, *state);
    snapshot.request = request;
    snapshot.cluster = options.cluster;
    snapshot.leader = options.name;
    snapshot.durability = options.durability;
    snapshot.brokers.push_back({options.name, options.endpoint, true, office.epoch(), office.last(),
                                office.durable(), office.commit(), state->applied()});
    snapshot.members.insert(snapshot.members.begin(),
                            self_as_member(options.name, options.incarnation, started_at, now.wall));
    snapshot.blocks_indexed = content.blocks();
    send(peer, snapshot);
  }

  void forget_undeliverable() {
    for (const Undeliverable& failed : std::exchange(undeliverable, {})) {
      if (!peers.known(failed.peer)) continue;
      if (failed.connection_is_gone) tell_connection_broke(failed.peer);
      forget(failed.peer);
    }
  }

  void decide_admission() {
    if (room != Room::Roomy) {
      tasks.admit(false, "the broker's disk is full; make room on it");
    } else if (queue.unsynced_bytes() > limits::unsynced_bytes) {
      tasks.admit(false, "the broker's disk is slower than what arrives");
    } else {
      tasks.admit(true, {});
    }
  }

  void on_disk(const DiskCompletion& completion) {
    if (const auto* persisted = std::get_if<Persisted>(&completion)) {
      queue.on_persisted(persisted->end.last);
      office.on_persisted(persisted->end.last);
    } else if (const auto* vote = std::get_if<VotePersisted>(&completion)) {
      office.on_vote_persisted(vote->epoch);
      open_office();
    } else if (std::holds_alternative<SnapshotChunkWritten>(completion)) {
      snapshotter.on_slice_written();
    } else if (const auto* done = std::get_if<SnapshotDone>(&completion)) {
      snapshotter.on_done(*done);
    } else if (const auto* failed = std::get_if<SnapshotFailed>(&completion)) {
      snapshotter.on_failed();
      log.warning("no snapshot was taken, the next is tried later: " + failed->why.message);
    } else if (const auto* changed = std::get_if<RoomChanged>(&completion)) {
      room = changed->room;
      log.warning(std::string("room on the disk is ") + to_text(room) +
                  (room == Room::Roomy ? ": submissions are taken again" : ": new submissions are refused"));
    }
  }

  std::optional<Monotonic> end_turn() {
    apply_committed();
    if (in_office) {
      probe_connections();
      follow_members();
      forget_silent();
      decide_admission();
      tasks.watch(feed.wanted(FeedTopic::Tasks));
      tasks.tick(now);
      tasks_deadline = tasks.end_turn(now);
    }
    write_gathered();
    if (options.durability == Durability::Memory) {
      // Received is committed: what this turn proposed is told in this turn.
      apply_committed();
      if (in_office) tasks_deadline = tasks.end_turn(now);
    }
    return finish_turn();
  }

  std::optional<Monotonic> finish_turn() {
    Monotonic next = next_room_check;
    if (in_office) {
      feed.flush(now, state->applied());
      if (now.monotonic >= next_leader) tell_leader();
      if (now.monotonic >= next_counters) tell_counters();
      forget_undeliverable();
      next = std::min({next, next_leader, next_counters, tasks_deadline});
      if (const auto deadline = membership.deadline()) next = std::min(next, *deadline);
      if (probes_due > 0) next = std::min(next, next_probe);
      next = std::min(next, peers.silence_deadline());
      if (content.sweep()) next = now.monotonic;
    }
    if (now.monotonic >= next_room_check) {
      disk.submit(CheckRoom{});
      next_room_check = now.monotonic + room_checked_every;
    }
    if (snapshotter.slice({cluster_id(options.cluster), applied_end, state->time(), 0, {}, {}}))
      next = now.monotonic;
    if (const auto deadline = queue.deadline()) next = std::min(next, *deadline);
    if (taking_office || queue.has_committed(office.commit())) next = now.monotonic;
    return next;
  }

  BrokerOptions options;
  BrokerPorts& ports;
  Disk& disk;
  Log& log;
  Prng prng;
  Now now;                             // of the turn
  const KeyHolder* speaker = nullptr;  // of the frame that is handled; null where no keys are in use
  WallTime started_at;
  std::unique_ptr<StateMachine> state;
  Voice voice;
  OfficeHolder office;
  LogQueue queue;
  Membership membership;
  ContentIndex content;
  Peers peers;
  TaskService tasks;
  Snapshotter snapshotter;
  ChainEnd applied_end;  // of the last batch applied
  FeedPublisher feed;
  Decoder decoder;
  Changes changes;
  bool in_office = false;
  bool taking_office = false;
  std::size_t work = 0;  // of the frame being served
  struct Undeliverable {
    Peer peer;
    bool connection_is_gone;
  };
  std::vector<Undeliverable> undeliverable;  // of this turn
  int probes_due = 0;
  Monotonic next_probe{};
  Monotonic next_leader{};
  Monotonic next_counters{};
  Room room = Room::Roomy;
  Monotonic next_room_check{};
  Monotonic tasks_deadline = Monotonic::max();
};

Broker::Broker(BrokerOptions options, Recovered recovered, BrokerPorts& ports, Disk& disk, Log& log)
    : driver_(std::make_unique<Driver>(std::move(options), std::move(recovered), ports, disk, log)) {}

Broker::~Broker() = default;

void Broker::start(Now now) {
  driver_->now = now;
  driver_->started_at = now.wall;
  driver_->disk.submit(PersistVote{driver_->office.epoch(), driver_->options.name});
}

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
  driver_->now = now;
  driver_->on_keys_taken(holder_of);
}

void Broker::on_connection_refused() { driver_->voice.count_refused(); }

void Broker::on_subscription(ByteView frame) { driver_->feed.on_subscription(frame); }

void Broker::on_connection_broke(Now now) {
  driver_->now = now;
  driver_->on_connection_broke();
}

void Broker::on_disk(Now now, const DiskCompletion& completion) {
  driver_->now = now;
  driver_->on_disk(completion);
}

std::optional<Monotonic> Broker::end_turn(Now now) {
  driver_->now = now;
  return driver_->end_turn();
}

std::size_t Broker::peers() const { return driver_->peers.size(); }
bool Broker::serving() const { return driver_->in_office; }
const StateMachine& Broker::state() const { return *driver_->state; }

}  // namespace cidbus
