#include "tests/sim/node.h"

#include "shared/base/ensure.h"

namespace cidbus::sim {

Node::Node(Timeline& timeline, Network& network, NodeIdentity identity, Prng prng)
    : timeline_(timeline),
      network_(network),
      identity_(std::move(identity)),
      routing_id_(routing_id(identity_)),
      prng_(prng),
      link_({"broker:1"}, prng_.fork()) {
  network_.add_node(routing_id_, *this);
}

Node::~Node() {
  *alive_ = false;
  network_.remove_node(routing_id_);
}

void Node::after(Duration delay, std::function<void()> event) {
  timeline_.after(delay, [alive = alive_, run = std::move(event)] {
    if (*alive) run();
  });
}

void Node::wake() { wake_at(now().monotonic); }

void Node::wake_at(Monotonic when) {
  if (when >= next_turn_) return;
  next_turn_ = when;
  timeline_.at(when, [this, alive = alive_, when] {
    if (!*alive || next_turn_ != when) return;
    next_turn_ = Monotonic::max();
    take_turn();
  });
}

bool Node::send(const Message& message) {
  if (!link_.bound()) return false;
  const Header header{protocol_version, cluster_id(identity_.cluster), link_.epoch(), identity_.name,
                      identity_.incarnation};
  return network_.send_to_broker(routing_id_, encoder_.encode(header, message));
}

void Node::on_connected() {
  link_.on_connected(now().monotonic, 0);
  wake();
}

void Node::on_disconnected() {
  changed(link_.on_disconnected(now().monotonic, 0), nullptr);
  wake();
}

void Node::on_frame(ByteView frame) {
  const auto envelope = decoder_.decode(frame);
  ENSURE(envelope.has_value(), "a broker sent what cannot be decoded");
  bool accepted = false;
  const auto change = link_.on_message(now().monotonic, 0, envelope->header, envelope->message, accepted);
  changed(change, &envelope->message);
  if (accepted && link_.bound() && change == LeaderLink::Change::None) on_message(envelope->message);
  wake();
}

void Node::changed(LeaderLink::Change change, const Message* message) {
  if (change == LeaderLink::Change::Unbound) on_unbound();
  if (change == LeaderLink::Change::Bound) on_bound(std::get<Welcome>(*message));
}

void Node::take_turn() {
  while (true) {
    const auto step = link_.step(now().monotonic);
    changed(step.change, nullptr);
    const Header header{protocol_version, cluster_id(identity_.cluster), link_.epoch(), identity_.name,
                        identity_.incarnation};
    if (step.action == LeaderLink::Action::Hello) {
      network_.send_to_broker(routing_id_, encoder_.encode(header, make_hello()));
    }
    if (step.action == LeaderLink::Action::Ping) send(Ping{});
    if (step.action == LeaderLink::Action::None && step.change == LeaderLink::Change::None) break;
  }
  Monotonic next = link_.deadline();
  if (const auto wanted = turn()) next = std::min(next, *wanted);
  if (next != Monotonic::max()) wake_at(next);
}

}  // namespace cidbus::sim
