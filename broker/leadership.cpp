#include "broker/leadership.h"

#include <algorithm>

#include "broker/cluster_view.h"
#include "broker/frame_work.h"
#include "broker/group_info.h"
#include "broker/handover_check.h"
#include "broker/rights.h"
#include "broker/tasks/records.h"
#include "shared/base/limits/members.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t record_version = 1;
constexpr Duration leader_told_every = 1s;
constexpr std::size_t forgotten_a_turn = 256;  // peers that were silent for too long

bool is_question(const Message& message) {
  return std::holds_alternative<TaskQuery>(message) || std::holds_alternative<TaskList>(message) ||
         std::holds_alternative<SnapshotRequest>(message) || std::holds_alternative<FindContent>(message) ||
         std::holds_alternative<ConfigRequest>(message) || std::holds_alternative<ProposalsRequest>(message);
}

}  // namespace

Leadership::Leadership(const Ground& ground, Epoch epoch, Prng prng)
    : ground_(ground),
      epoch_(epoch),
      content_(membership_, prng.fork(), [this](std::string_view name) { return roles_.is_leaving(name); }),
      tasks_(*this, ground.metrics.tasks, ServiceLimits{.durability = ground.options.group.durability},
             prng.fork()),
      names_(*this),
      roles_(*this, *this),
      config_(
          *this, [this] { return voters(); }, [this](std::string_view name) { return is_of_group(name); },
          [this](std::string_view node, Role role) { return roles_.objection(node, role, false); }) {
  live_by_config();
}

bool Leadership::take(Now now) {
  now_ = now;
  if (!tasks_.take_office(now, epoch_, ground_.state)) return false;
  names_.take_office(ground_.state);
  roles_.take_office(ground_.state);
  config_.take_office(now, ground_.state);
  tell_leader();
  return true;
}

// ---- Output

LogIndex Leadership::propose(RecordType type, ByteView payload, Urgency urgency) {
  return ground_.replica.append(now_, static_cast<std::uint8_t>(type), record_version, payload, urgency);
}

void Leadership::send(Peer peer, const Message& message) {
  if (!peers_.known(peer)) return;
  const ByteView frame = ground_.voice.encode(message);
  work_ += frame.size() / bytes_a_unit;
  const SendAnswer answer = ground_.ports.send(peers_.at(peer).routing_id, frame);
  if (answer == SendAnswer::Sent) return;
  const bool is_gone = answer == SendAnswer::Unroutable;
  (is_gone ? ground_.metrics.gone : ground_.metrics.full).add();
  undeliverable_.push_back({peer, is_gone});
}

// ---- messages

void Leadership::on_message(Now now, ByteView routing_id, const Header& from, const Message& message,
                            ByteView frame, const KeyHolder* holder) {
  now_ = now;
  if (const auto* hello = std::get_if<Hello>(&message)) return on_hello(routing_id, from, *hello, holder);
  const auto peer = peers_.find(as_text(routing_id));
  if (!peer) return ground_.voice.refuse(routing_id, Refusal::NotKnown, "say hello first");
  on_peer_message(*peer, message, frame, holder);
}

void Leadership::on_peer_message(Peer peer, const Message& message, ByteView frame, const KeyHolder* holder) {
  peers_.heard(now_.monotonic, peer);
  const PeerEntry& entry = peers_.at(peer);
  const ByteView routing_id = as_bytes(entry.routing_id);
  if (const std::string why = key_refusal(holder, entry.name, entry.role); !why.empty())
    return ground_.voice.refuse(routing_id, Refusal::NotAllowed, why);
  if (!may_say(entry.role, message)) {
    return ground_.voice.refuse(
        routing_id, Refusal::NotAllowed,
        "a " + std::string(to_text(entry.role)) + " may not say " + std::string(name_of(message)));
  }
  if (entry.role != Role::Client && !membership_.heard(now_, entry.name, entry.incarnation)) {
    ground_.voice.refuse(routing_id, Refusal::NotKnown, "it was silent for too long; say hello again");
    return forget(peer);
  }
  if (is_question(message)) return ask_later(peer, frame);
  if (std::holds_alternative<Ping>(message)) return send(peer, Pong{});
  if (std::holds_alternative<Goodbye>(message)) return on_goodbye(peer);
  if (const auto* announce = std::get_if<Announce>(&message)) return content_.announce(entry.name, *announce);
  if (const auto* find = std::get_if<Find>(&message)) return send(peer, content_.find(*find));
  if (const auto* place = std::get_if<Place>(&message)) return send(peer, content_.place(*place));
  if (const auto* wish = std::get_if<HandoverRequest>(&message)) return on_handover_request(peer, *wish);
  if (const auto* asked = std::get_if<MemberHistoryRequest>(&message)) return tell_history(peer, *asked);
  if (roles_.on_message(peer, entry.name, message)) return;
  if (config_.on_message(now_, peer, entry.name, entry.role, message)) return;
  if (!names_.on_message(peer, message)) tasks_.on_message(now_, peer, message);
}

void Leadership::on_hello(ByteView routing_id, const Header& from, const Hello& hello,
                          const KeyHolder* holder) {
  Voice& voice = ground_.voice;
  if (const std::string why = key_refusal(holder, from.sender, hello.role); !why.empty())
    return voice.refuse(routing_id, Refusal::NotAllowed, why);
  if (hello.role == Role::Master)
    return voice.refuse(routing_id, Refusal::NotAllowed,
                        "brokers of a group speak to each other on other ports");
  if (ground_.state.config().forbidden().contains(from.sender)) {
    return voice.refuse(routing_id, Refusal::NotAllowed,
                        "'" + std::string(from.sender) + "' was forbidden this cluster by vote; " +
                            "'cidbus cluster allow " + std::string(from.sender) + "' proposes to let it in");
  }
  const auto held = peers_.find_name(from.sender);
  const bool held_by_other = held && peers_.at(*held).incarnation != from.incarnation;
  if (held_by_other && is_reachable(*held)) {
    return voice.refuse(
        routing_id, Refusal::NameTaken,
        "'" + std::string(from.sender) + "' is here already; give each node a --name of its own");
  }
  if (held) forget(*held);
  if (hello.role == Role::Worker && !tasks_.has_room_for(from.sender)) {
    return voice.refuse(routing_id, Refusal::Exhausted,
                        "the cluster has seen too many worker names; start it under one it had before");
  }
  if (hello.role != Role::Client && !admit_member(routing_id, from, hello, held_by_other)) return;
  PeerEntry entry{std::string(as_text(routing_id)), std::string(from.sender), hello.role, from.incarnation};
  if (holder != nullptr) entry.key = holder->key;
  const auto peer = peers_.add(now_.monotonic, std::move(entry));
  if (!peer)
    return voice.refuse(routing_id, Refusal::Exhausted,
                        "this broker has as many connections as it can serve");
  send(*peer,
       Welcome{self().name, values_.time(ConfigKey::HeartbeatInterval), values_.time(ConfigKey::NodeTimeout),
               values_.time(ConfigKey::LeaseLength), static_cast<std::uint32_t>(limits::session_window),
               addresses_of(ground_.options.group)});
  send(*peer, configuration_of(ground_.state.config()));
  tasks_.on_hello(now_, *peer, from.sender, hello.role, hello);
}

bool Leadership::admit_member(ByteView routing_id, const Header& from, const Hello& hello,
                              bool other_is_gone) {
  const auto answer = membership_.hello(now_, from.sender, from.incarnation, hello, other_is_gone);
  if (answer == Membership::HelloAnswer::Welcome) return true;
  if (answer == Membership::HelloAnswer::Full) {
    ground_.voice.refuse(routing_id, Refusal::Exhausted, "the cluster has as many members as it can hold");
  } else {
    ground_.voice.refuse(
        routing_id, Refusal::NameTaken,
        "'" + std::string(from.sender) + "' was here a moment ago and may come back; it is tried again");
  }
  return false;
}

// ---- questions that must see everything accepted so far

void Leadership::ask_later(Peer peer, ByteView frame) {
  questions_.push_back({ground_.replica.ask_read(now_), peer, to_bytes(frame)});
}

void Leadership::on_reads_confirmed(std::uint64_t round) {
  confirmed_round_ = round;
  confirmed_commit_ = ground_.replica.group().commit();
}

void Leadership::answer_confirmed() {
  while (!questions_.empty() && questions_.front().round <= confirmed_round_ &&
         ground_.state.applied() >= confirmed_commit_) {
    const Question question = std::move(questions_.front());
    questions_.pop_front();
    if (!peers_.known(question.peer)) continue;
    const auto envelope = decoder_.decode(question.frame);
    ENSURE(envelope.has_value(), "a question that was decoded before");
    if (const auto* request = std::get_if<SnapshotRequest>(&envelope->message)) {
      send_snapshot(question.peer, request->request);
    } else if (const PeerEntry& asker = peers_.at(question.peer);
               !config_.on_message(now_, question.peer, asker.name, asker.role, envelope->message) &&
               !names_.on_message(question.peer, envelope->message)) {
      tasks_.on_message(now_, question.peer, envelope->message);
    }
  }
}

// ---- handing the office over, when a person asks for it

void Leadership::answer_handover(Peer peer, RequestId request, HandoverOutcome outcome,
                                 std::string_view reason) {
  send(peer, HandoverAnswer{request, outcome, self().name, epoch_, reason});
}

// Whoever asked loses this leader, finds the next one and asks that again: it answers that it is done.
void Leadership::on_handover_request(Peer peer, const HandoverRequest& wish) {
  if (handover_wish_ && handover_wish_->peer == peer && handover_wish_->request == wish.request) return;
  if (wish.epoch != epoch_) return answer_handover(peer, wish.request, HandoverOutcome::Done, {});
  const HandoverCheck check = check_handover(ground_.replica.group(), now_.monotonic, wish.to);
  if (!check.may_begin) return answer_handover(peer, wish.request, check.outcome, check.reason);
  ground_.log.info(peers_.at(peer).name + " asks for the office to be handed over");
  handover_wish_ = Wish{peer, wish.request};
  ground_.replica.hand_over(now_, check.successor, false);
}

void Leadership::on_not_taken_over(group::Seat successor) {
  if (!handover_wish_) return;
  const Wish wish = *std::exchange(handover_wish_, std::nullopt);
  const std::string reason = ground_.options.group.at(successor).name + " did not take the office in time";
  answer_handover(wish.peer, wish.request, HandoverOutcome::NotTaken, reason);
}

// ---- connections

// MANDATORY tells at once whether the other end of a connection is still there.
bool Leadership::is_reachable(Peer peer) {
  return ground_.voice.send(peers_.at(peer).routing_id, Ping{}) != SendAnswer::Unroutable;
}

void Leadership::on_goodbye(Peer peer) {
  const PeerEntry entry = peers_.at(peer);
  membership_.goodbye(now_, entry.name, entry.incarnation);
  forget(peer);
}

void Leadership::forget(Peer peer) {
  tasks_.on_peer_gone(now_, peer);
  names_.on_peer_gone(peer);
  config_.on_peer_gone(peer);
  roles_.on_peer_gone(peer);
  peers_.forget(peer);
}

// A host that is gone breaks no connection: whoever is bound says ping, and who says nothing is forgotten.
void Leadership::forget_silent() {
  for (std::size_t step = 0; step < forgotten_a_turn && now_.monotonic >= peers_.silence_deadline(); ++step)
    forget(peers_.quietest());
}

void Leadership::forget_undeliverable() {
  for (const Undeliverable& failed : std::exchange(undeliverable_, {})) {
    if (!peers_.known(failed.peer)) continue;
    if (failed.connection_is_gone) tell_connection_broke(failed.peer);
    forget(failed.peer);
  }
}

// The socket may still hold the pipe for a moment, so all are asked twice; and not more often than
// probe_every, since commands that come and go break a connection each.
void Leadership::probe_connections() {
  if (probes_due_ == 0 || now_.monotonic < next_probe_) return;
  --probes_due_;
  next_probe_ = now_.monotonic + limits::probe_every;
  const Bytes ping = to_bytes(ground_.voice.encode(Ping{}));
  for (const Peer peer : peers_.all()) {
    if (ground_.ports.send(peers_.at(peer).routing_id, ping) != SendAnswer::Unroutable) continue;
    tell_connection_broke(peer);
    forget(peer);
  }
}

void Leadership::tell_connection_broke(Peer peer) {
  const PeerEntry& entry = peers_.at(peer);
  membership_.connection_broke(now_, entry.name, entry.incarnation);
}

void Leadership::on_keys_taken(Now now, const std::function<const KeyHolder*(std::string_view)>& holder_of) {
  now_ = now;
  for (const Peer peer : peers_.all()) {
    const PeerEntry& entry = peers_.at(peer);
    if (key_refusal(holder_of(entry.key), entry.name, entry.role).empty()) continue;
    ground_.log.info(entry.name + " is cut off: its key was taken from the allow-list");
    tell_connection_broke(peer);
    forget(peer);
  }
}

// ---- configuration by vote

void Leadership::on_applied(Now now, const Changes& changes) {
  now_ = now;
  if (changes.of_config) follow_config(changes);
  tasks_.on_applied(now, changes);
  names_.on_applied(changes.applied);
  config_.on_applied(now, changes);
  roles_.on_applied(changes);
}

void Leadership::follow_config(const Changes& changes) {
  bool told = false;
  bool in_force = false;
  for (const Change& change : changes.list) {
    const bool is_new = change.kind == ChangeKind::Proposed && !change.flag;
    if (!is_new && change.kind != ChangeKind::Decided) continue;
    tell_proposal(change);
    told = true;
    in_force = in_force || (change.kind == ChangeKind::Decided && change.flag);
  }
  if (in_force) live_by_config();
  if (told) tell_configuration();
}

void Leadership::live_by_config() {
  values_ = ground_.state.config().values();
  const Duration timeout = values_.time(ConfigKey::NodeTimeout);
  membership_.set_timeouts(timeout, values_.time(ConfigKey::ReconnectGrace));
  peers_.set_timeout(timeout);
  ground_.feed.set_rate(static_cast<std::uint32_t>(values_.of(ConfigKey::TaskEventsASecond)));
  next_counters_ = std::min(next_counters_, now_.monotonic + values_.time(ConfigKey::CountersInterval));
  tasks_.configure(now_, values_);
  cut_off_forbidden();
}

// All brokers of the group, whether they are up or not, and the workers that are members.
std::vector<std::string> Leadership::voters() const {
  std::vector<std::string> names;
  for (const group::Member& broker : ground_.options.group.members()) names.push_back(broker.name);
  for (const auto& [name, node] : membership_.nodes())
    if (node.role == Role::Worker && Membership::is_live(node)) names.push_back(name);
  return names;
}

void Leadership::tell_proposal(const Change& change) {
  const Ballot* const ballot = ground_.state.config().find(change.number);
  if (ballot == nullptr) return;  // decided and forgotten in one turn
  ground_.log.info("proposal " + std::to_string(ballot->id) + " about " + ballot->subject + " is " +
                   std::string(to_text(ballot->status)));
  ground_.feed.send(now_, FeedTopic::Config, ground_.state.applied(),
                    ProposalEvent{proposal_of(*ballot, false)});
}

// To everybody at once: a node must not be the last to know how soon it is taken for dead.
void Leadership::tell_configuration() {
  const Bytes frame = to_bytes(ground_.voice.encode(configuration_of(ground_.state.config())));
  for (const Peer peer : peers_.all()) {
    const SendAnswer answer = ground_.ports.send(peers_.at(peer).routing_id, frame);
    if (answer != SendAnswer::Sent) undeliverable_.push_back({peer, answer == SendAnswer::Unroutable});
  }
}

void Leadership::cut_off_forbidden() {
  for (const std::string& name : ground_.state.config().forbidden()) {
    const auto peer = peers_.find_name(name);
    if (!peer) continue;
    const PeerEntry entry = peers_.at(*peer);
    ground_.log.info(name + " is cut off: it was forbidden by vote");
    ground_.voice.refuse(as_bytes(entry.routing_id), Refusal::NotKnown,
                         "it was forbidden this cluster by vote");
    membership_.goodbye(now_, entry.name, entry.incarnation);
    forget(*peer);
  }
}

// ---- members and the feed

bool Leadership::on_node_feed(Now now, const Header& from, const Feed& message, ByteView frame,
                              const KeyHolder* holder) {
  now_ = now;
  if (message.topic == FeedTopic::Metrics) {
    const Membership::Node* const node = membership_.find(from.sender);
    const bool is_member =
        node != nullptr && Membership::is_live(*node) && node->incarnation == from.incarnation;
    if (is_member) ground_.ports.publish(FeedTopic::Metrics, frame);
    return true;
  }
  if (message.topic != FeedTopic::Heartbeats) return false;
  for (const FeedEvent& heard : message.events) {
    const auto* beat = std::get_if<HeartbeatEvent>(&heard);
    if (beat == nullptr || beat->name != from.sender) continue;
    if (holder != nullptr && !holder->may_be(beat->role)) continue;
    on_heartbeat(now, *beat, from, frame);
  }
  return true;
}

void Leadership::on_heartbeat(Now now, const HeartbeatEvent& beat, const Header& from, ByteView frame) {
  const Membership::Node* const node = membership_.find(beat.name);
  const std::optional<Monotonic> before = node == nullptr ? std::nullopt : node->beat_at;
  if (!membership_.heartbeat(now, beat.name, from.incarnation, beat.load)) return;
  if (before) ground_.metrics.heartbeat_gap.observe(now.monotonic - *before);
  ground_.ports.publish(FeedTopic::Heartbeats, frame);  // as it came: its number is its publisher's
  if (beat.role == Role::Worker) tasks_.set_slots(beat.name, beat.load.slots);
}

void Leadership::follow_members() {
  for (const std::string& name : membership_.take_changes(now_)) {
    const Membership::Node* node = membership_.find(name);
    if (node == nullptr) continue;
    if (!Membership::is_live(*node)) {
      content_.forget(name);
      if (node->role == Role::Worker) tasks_.on_worker_lost(now_, name);
      ground_.log.info(std::string(to_text(node->role)) + " " + name + " is " +
                       std::string(to_text(node->state)));
    } else if (node->state == MemberState::Suspect) {
      ask_suspect(name);
    }
    ground_.feed.send(now_, FeedTopic::Members, ground_.state.applied(), MemberEvent{member_of(name, *node)});
  }
}

// What it says of itself may have been lost on the way: it is asked once, and any answer clears it.
void Leadership::ask_suspect(std::string_view name) {
  if (const auto peer = peers_.find_name(name)) send(*peer, Ping{});
}

void Leadership::tell_history(Peer peer, const MemberHistoryRequest& asked) {
  MemberHistory answer{asked.request, epoch_,
                       membership_.history(asked.after, limits::member_changes_an_answer), false};
  answer.more = !answer.changes.empty() && answer.changes.back().number < membership_.last_change();
  send(peer, answer);
}

void Leadership::tell_leader() {
  ground_.feed.send(now_, FeedTopic::Leader, {}, LeaderEvent{self().name, self().endpoint, epoch_});
  next_leader_ = now_.monotonic + leader_told_every;
}

void Leadership::tell_counters() {
  const TaskMetrics& counts = ground_.metrics.tasks;
  ground_.feed.send(now_, FeedTopic::Counters, ground_.state.applied(),
                    CountersEvent{tasks_by_state(ground_.state), counts.accepted.value(),
                                  counts.all_finished(), counts.requeued.value(), counts.stale.value(),
                                  ground_.metrics.all_refused() + ground_.replica.refused_messages()});
  next_counters_ = now_.monotonic + values_.time(ConfigKey::CountersInterval);
}

void Leadership::send_snapshot(Peer peer, RequestId request) {
  Snapshot snapshot =
      snapshot_of(ground_.options, ground_.replica.group(), ground_.state, ground_.started_at, now_.wall);
  snapshot.request = request;
  snapshot.leader = self().name;
  for (const auto& [name, node] : membership_.nodes()) snapshot.members.push_back(member_of(name, node));
  snapshot.blocks_indexed = content_.blocks();
  send(peer, snapshot);
}

// ---- what is measured

void Leadership::read_metrics(Now now) {
  Registry& registry = ground_.metrics.registry;
  clear_metrics(registry);
  tasks_.read_metrics(now, registry);
  for (const auto& [name, node] : membership_.nodes())
    registry.gauge(Metric::Members, to_text(node.role), to_text(node.state)).add(1);
  registry.gauge(Metric::Connections).set(peers_.size());
  registry.gauge(Metric::BlocksIndexed).set(content_.blocks());
}

void Leadership::clear_metrics(Registry& registry) {
  for (const Metric metric : {Metric::QueueDepth, Metric::QueueOldestAge, Metric::Credit, Metric::Members,
                              Metric::Connections, Metric::BlocksIndexed})
    registry.clear(metric);
}

// ---- a turn's end

void Leadership::end_turn(Now now) {
  now_ = now;
  probe_connections();
  follow_members();
  forget_silent();
  answer_confirmed();
  tasks_.watch(ground_.feed.wanted(FeedTopic::Tasks));
  tasks_.tick(now);
  config_deadline_ = config_.tick(now);
  tasks_deadline_ = tasks_.end_turn(now);
}

void Leadership::send_away(const Redirect& leader) {
  for (const Peer peer : peers_.all()) send(peer, leader);
}

Monotonic Leadership::finish_turn(Now now) {
  now_ = now;
  ground_.feed.flush(now, ground_.state.applied());
  if (now.monotonic >= next_leader_) tell_leader();
  if (now.monotonic >= next_counters_) tell_counters();
  forget_undeliverable();
  Monotonic next =
      std::min({next_leader_, next_counters_, tasks_deadline_, config_deadline_, peers_.silence_deadline()});
  if (const auto deadline = membership_.deadline()) next = std::min(next, *deadline);
  if (probes_due_ > 0) next = std::min(next, next_probe_);
  return content_.sweep() ? now.monotonic : next;
}

}  // namespace cidbus
