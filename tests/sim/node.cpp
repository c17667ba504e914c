#include "tests/sim/node.h"

#include "shared/base/ensure.h"
#include "shared/node/config_keys.h"

namespace cidbus::sim {

Node::Node(const NodeGround& ground, NodeIdentity identity, Prng prng)
    : ground_(ground),
      identity_(std::move(identity)),
      routing_id_(routing_id(identity_)),
      prng_(prng),
      link_(ground.brokers, prng_.fork()) {
  ground_.network.add_node(routing_id_, *this);
}

Node::~Node() {
  *alive_ = false;
  ground_.network.remove_node(routing_id_);
}

void Node::after(Duration delay, std::function<void()> event) {
  ground_.timeline.after(delay, [this, alive = alive_, run = std::move(event)] {
    if (*alive) input(run);
  });
}

void Node::input(std::function<void()> act) {
  if (paused_) return while_paused_.push_back(std::move(act));
  act();
}

void Node::stand_still(Duration lasts) {
  if (paused_) return;
  paused_ = true;
  on_paused();
  ground_.timeline.after(lasts, [this, alive = alive_] {
    if (*alive) go_on();
  });
}

void Node::go_on() {
  paused_ = false;
  resuming_ = true;
  for (const auto& act : std::exchange(while_paused_, {})) act();
  take_turn();
  resuming_ = false;
  on_resumed();
}

void Node::wake() { wake_at(now().monotonic); }

void Node::wake_at(Monotonic when) {
  if (when >= next_turn_) return;
  next_turn_ = when;
  ground_.timeline.at(when, [this, alive = alive_, when] {
    if (!*alive || next_turn_ != when) return;
    next_turn_ = Monotonic::max();
    take_turn();
  });
}

bool Node::send(const Message& message) {
  if (link_.bound()) send_to(link_.leader(), message);
  return link_.bound();
}

void Node::send_to(std::size_t broker, const Message& message) {
  const Header header{protocol_version, cluster_id(identity_.cluster), link_.epoch(), identity_.name,
                      identity_.incarnation};
  ground_.network.send_to_broker(routing_id_, broker, encoder_.encode(header, message));
}

void Node::on_connected(std::size_t broker) {
  input([this, broker] {
    link_.on_connected(now().monotonic, broker);
    wake();
  });
}

void Node::on_disconnected(std::size_t broker) {
  input([this, broker] {
    changed(link_.on_disconnected(now().monotonic, broker), nullptr);
    wake();
  });
}

void Node::on_frame(std::size_t broker, ByteView frame) {
  if (!paused_) return read(broker, frame);
  input([this, broker, bytes = to_bytes(frame)] { read(broker, bytes); });
}

void Node::on_feed(ByteView frame) {
  if (!paused_) return hear(frame);
  input([this, bytes = to_bytes(frame)] { hear(bytes); });
}

// As shared/io/leader_feed.cpp does.
void Node::hear(ByteView frame) {
  const auto envelope = decoder_.decode(frame);
  ENSURE(envelope.has_value(), "the feed cannot be read");
  for (const FeedEvent& event : std::get<Feed>(envelope->message).events) {
    const auto* leader = std::get_if<LeaderEvent>(&event);
    if (leader == nullptr) continue;
    const auto change = link_.on_leader_named(now().monotonic, leader->endpoint, leader->epoch);
    if (change != LeaderLink::Change::None)
      ground_.chronicle.mark("C1 a node turns to the leader that the feed names");
    changed(change, nullptr);
  }
  wake();
}

void Node::read(std::size_t broker, ByteView frame) {
  const auto envelope = decoder_.decode(frame);
  ENSURE(envelope.has_value(), "a broker sent what cannot be decoded");
  const Epoch epoch = envelope->header.epoch;
  fencing_.on_heard(epoch);
  bool accepted = false;
  const auto change =
      link_.on_message(now().monotonic, broker, envelope->header, envelope->message, accepted);
  if (change == LeaderLink::Change::Bound) fencing_.on_acted(identity_.name, epoch);
  changed(change, &envelope->message);
  if (accepted && link_.bound() && broker == link_.leader() && change == LeaderLink::Change::None) {
    fencing_.on_acted(identity_.name, epoch);
    if (const auto* said = std::get_if<Configuration>(&envelope->message)) live_by(*said);
    on_message(envelope->message);
  }
  wake();
}

void Node::live_by(const Configuration& configuration) {
  // One process each: a worker that stood still and its successor have one name.
  ground_.truths.config.on_told(identity_.name + " " + to_text(identity_.incarnation), configuration);
  ConfigValues values;
  values.take(configuration.entries);
  config_version_ = configuration.version;
  link_.set_periods(now().monotonic, values.time(ConfigKey::HeartbeatInterval),
                    values.time(ConfigKey::NodeTimeout));
}

void Node::changed(LeaderLink::Change change, const Message* message) {
  if (change == LeaderLink::Change::None) return;
  const bool bound = change == LeaderLink::Change::Bound;
  if (ground_.chronicle.is_told())
    ground_.chronicle.say(identity_.name, bound ? "bound to " + link_.brokers()[link_.leader()] : "unbound");
  if (!bound) return on_unbound();
  on_bound(std::get<Welcome>(*message));
}

void Node::take_turn() {
  if (paused_) return;
  while (true) {
    const auto step = link_.step(now().monotonic);
    changed(step.change, nullptr);
    if (step.action == LeaderLink::Action::Hello) send_to(step.broker, make_hello());
    if (step.action == LeaderLink::Action::Ping) send_to(step.broker, Ping{});
    if (step.action == LeaderLink::Action::None && step.change == LeaderLink::Change::None) break;
  }
  Monotonic next = link_.deadline();
  if (const auto wanted = turn()) next = std::min(next, *wanted);
  if (next != Monotonic::max()) wake_at(next);
}

}  // namespace cidbus::sim
