#include "tests/sim/bus_network.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;

std::uint64_t digest(ByteView frame) {
  std::uint64_t hash = frame.size();
  for (const auto byte : frame) hash = (hash ^ byte) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

void BusNetwork::add_node(const std::string& routing_id, NodeEnd& end) {
  const auto [node, is_new] = nodes_.try_emplace(routing_id);
  ENSURE(is_new, routing_id);
  node->second = {&end, std::vector<Connection>(brokers_.size())};
  for (std::size_t broker = 0; broker < brokers_.size(); ++broker) connect_later(routing_id, broker);
}

void BusNetwork::remove_node(const std::string& routing_id) {
  Node& node = nodes_.at(routing_id);
  node.end = nullptr;
  for (std::size_t broker = 0; broker < brokers_.size(); ++broker) {
    Connection& connection = node.connections[broker];
    if (!connection.up || connection.silent) continue;  // a silent one: nobody is told until it is over
    connection.up = false;
    timeline_.after(Duration(prng_.between(50'000, 5'000'000)), [this, broker] {
      if (brokers_[broker] != nullptr) brokers_[broker]->on_connection_broke();
    });
  }
  forget_if_gone(routing_id);
}

void BusNetwork::forget_if_gone(const std::string& routing_id) {
  const auto node = nodes_.find(routing_id);
  if (node == nodes_.end() || node->second.end != nullptr) return;
  const auto& connections = node->second.connections;
  if (std::none_of(connections.begin(), connections.end(), [](const auto& one) { return one.up; }))
    nodes_.erase(node);
}

void BusNetwork::set_broker(std::size_t broker, BrokerEnd* end) {
  if (end == nullptr) {
    for (const auto& [routing_id, node] : nodes_)
      if (node.connections[broker].up) break_connection(routing_id, broker);
  }
  brokers_[broker] = end;
  if (end == nullptr) return;
  for (const auto& [routing_id, node] : nodes_) connect_later(routing_id, broker);
}

void BusNetwork::connect_later(const std::string& routing_id, std::size_t broker) {
  timeline_.after(Duration(prng_.between(200'000, 20'000'000)), [this, routing_id, broker] {
    const auto found = nodes_.find(routing_id);
    if (found == nodes_.end() || found->second.end == nullptr || brokers_[broker] == nullptr) return;
    Connection& connection = found->second.connections[broker];
    if (connection.up) return;
    connection = {};
    connection.up = true;
    connection.generation = ++generations_;
    found->second.end->on_connected(broker);
  });
}

BusNetwork::Connection* BusNetwork::find(const std::string& routing_id, std::size_t broker,
                                         std::uint64_t generation) {
  const auto found = nodes_.find(routing_id);
  if (found == nodes_.end()) return nullptr;
  Connection& connection = found->second.connections[broker];
  return connection.up && connection.generation == generation ? &connection : nullptr;
}

// ---- trouble

void BusNetwork::break_connection(const std::string& routing_id, std::size_t broker) {
  Connection& connection = nodes_.at(routing_id).connections[broker];
  connection = {};
  timeline_.after(Duration(prng_.between(10'000, 10'000'000)),
                  [this, routing_id, broker] { tell_broken(routing_id, broker); });
  timeline_.after(Duration(prng_.between(10'000, 10'000'000)), [this, broker] {
    if (brokers_[broker] != nullptr) brokers_[broker]->on_connection_broke();
  });
}

void BusNetwork::tell_broken(const std::string& routing_id, std::size_t broker) {
  forget_if_gone(routing_id);
  const auto found = nodes_.find(routing_id);
  if (found == nodes_.end() || found->second.end == nullptr || found->second.connections[broker].up) return;
  found->second.end->on_disconnected(broker);
  connect_later(routing_id, broker);
}

void BusNetwork::trouble(const std::string& routing_id, std::size_t broker, Trouble trouble, Duration lasts) {
  if (trouble == Trouble::Breaks) return break_connection(routing_id, broker);
  Connection& connection = nodes_.at(routing_id).connections[broker];
  connection.silent = connection.silent || trouble == Trouble::Silent;
  connection.to_node.clogged =
      connection.to_node.clogged || trouble == Trouble::Clogged || trouble == Trouble::ClogsToNode;
  connection.to_broker.clogged =
      connection.to_broker.clogged || trouble == Trouble::Clogged || trouble == Trouble::ClogsToBroker;
  timeline_.after(lasts, [this, routing_id, broker, generation = connection.generation] {
    if (find(routing_id, broker, generation) != nullptr) end_trouble(routing_id, broker);
  });
}

void BusNetwork::end_trouble(const std::string& routing_id, std::size_t broker) {
  Connection& connection = nodes_.at(routing_id).connections[broker];
  if (connection.silent) return break_connection(routing_id, broker);
  connection.to_node.clogged = connection.to_broker.clogged = false;
  // Now, so that what is under way already comes behind it.
  for (Bytes& frame : std::exchange(connection.to_node.held, {})) {
    timeline_.after({}, [this, routing_id, broker, generation = connection.generation,
                         frame = std::move(frame)]() mutable {
      deliver_to_node(routing_id, broker, generation, std::move(frame));
    });
  }
  for (Bytes& frame : std::exchange(connection.feed.held, {})) {
    timeline_.after({}, [this, routing_id, broker, generation = connection.generation,
                         frame = std::move(frame)]() mutable {
      deliver_feed(routing_id, broker, generation, std::move(frame));
    });
  }
  for (Bytes& frame : std::exchange(connection.to_broker.held, {})) {
    timeline_.after({}, [this, routing_id, broker, generation = connection.generation,
                         frame = std::move(frame)]() mutable {
      deliver_to_broker(routing_id, broker, generation, std::move(frame));
    });
  }
}

bool BusNetwork::trouble_one(Trouble kind, Duration lasts) {
  if (nodes_.empty()) return false;
  auto chosen = nodes_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(prng_.below(nodes_.size())));
  const std::size_t broker = prng_.below(brokers_.size());
  const Connection& connection = chosen->second.connections[broker];
  if (!connection.up || connection.silent) return false;
  trouble(chosen->first, broker, kind, lasts);
  return true;
}

void BusNetwork::trouble_node(Trouble kind, Duration lasts) {
  if (nodes_.empty()) return;
  auto chosen = nodes_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(prng_.below(nodes_.size())));
  for (std::size_t broker = 0; broker < brokers_.size(); ++broker)
    if (chosen->second.connections[broker].up) trouble(chosen->first, broker, kind, lasts);
}

void BusNetwork::trouble_all(std::size_t broker, Trouble kind, Duration lasts) {
  for (const auto& [routing_id, node] : nodes_) {
    if (node.connections[broker].up) trouble(routing_id, broker, kind, lasts);
  }
}

void BusNetwork::heal() {
  for (const auto& [routing_id, node] : nodes_) {
    for (std::size_t broker = 0; broker < brokers_.size(); ++broker)
      if (node.connections[broker].up) end_trouble(routing_id, broker);
  }
}

// ---- frames

Monotonic BusNetwork::arrival(Direction& direction) {
  const Duration delay(prng_.chance(1, 50) ? prng_.between(1'000'000, 40'000'000)
                                           : prng_.between(30'000, 400'000));
  direction.last_arrival = std::max(direction.last_arrival, timeline_.now().monotonic + delay);
  return direction.last_arrival;
}

void BusNetwork::inject(std::size_t broker, const std::string& routing_id, ByteView frame) {
  if (brokers_[broker] == nullptr) return;
  timeline_.trace(digest(frame));
  timeline_.after(Duration(prng_.between(30'000, 400'000)),
                  [this, broker, routing_id, bytes = to_bytes(frame)] {
                    if (brokers_[broker] != nullptr) brokers_[broker]->on_frame(as_bytes(routing_id), bytes);
                  });
}

SendAnswer BusNetwork::send_to_node(std::size_t broker, std::string_view routing_id, ByteView frame) {
  const auto found = nodes_.find(routing_id);
  if (found == nodes_.end() || !found->second.connections[broker].up) return SendAnswer::Unroutable;
  if (prng_.chance(1, 2000)) return SendAnswer::Full;  // a pipe at its limit: the frame goes nowhere
  Connection& connection = found->second.connections[broker];
  if (connection.silent) return SendAnswer::Sent;
  ++sent_;
  timeline_.trace(digest(frame));
  timeline_.at(arrival(connection.to_node), [this, id = found->first, broker, bytes = to_bytes(frame),
                                             generation = connection.generation]() mutable {
    deliver_to_node(id, broker, generation, std::move(bytes));
  });
  return SendAnswer::Sent;
}

void BusNetwork::deliver_to_node(const std::string& routing_id, std::size_t broker, std::uint64_t generation,
                                 Bytes frame) {
  Connection* const connection = find(routing_id, broker, generation);
  if (connection == nullptr || connection->silent) return;
  if (connection->to_node.clogged) return connection->to_node.held.push_back(std::move(frame));
  nodes_.at(routing_id).end->on_frame(broker, frame);
}

void BusNetwork::publish(std::size_t broker, ByteView frame) {
  for (auto& [routing_id, node] : nodes_) {
    Connection& connection = node.connections[broker];
    if (!connection.up || connection.silent || prng_.chance(1, 50)) continue;
    timeline_.at(arrival(connection.feed), [this, id = routing_id, broker, bytes = to_bytes(frame),
                                            generation = connection.generation]() mutable {
      deliver_feed(id, broker, generation, std::move(bytes));
    });
  }
}

void BusNetwork::deliver_feed(const std::string& routing_id, std::size_t broker, std::uint64_t generation,
                              Bytes frame) {
  Connection* const connection = find(routing_id, broker, generation);
  if (connection == nullptr || connection->silent) return;
  if (connection->to_node.clogged) return connection->feed.held.push_back(std::move(frame));
  nodes_.at(routing_id).end->on_feed(frame);
}

bool BusNetwork::send_to_broker(const std::string& routing_id, std::size_t broker, ByteView frame) {
  Connection& connection = nodes_.at(routing_id).connections[broker];
  if (!connection.up) return false;
  if (connection.silent) return true;
  ++sent_;
  timeline_.trace(digest(frame));
  last_to_broker_ = to_bytes(frame);
  timeline_.at(arrival(connection.to_broker), [this, routing_id, broker, bytes = to_bytes(frame),
                                               generation = connection.generation]() mutable {
    deliver_to_broker(routing_id, broker, generation, std::move(bytes));
  });
  return true;
}

void BusNetwork::deliver_to_broker(const std::string& routing_id, std::size_t broker,
                                   std::uint64_t generation, Bytes frame) {
  Connection* const connection = find(routing_id, broker, generation);
  if (connection == nullptr || connection->silent || brokers_[broker] == nullptr) return;
  if (connection->to_broker.clogged) return connection->to_broker.held.push_back(std::move(frame));
  brokers_[broker]->on_frame(as_bytes(routing_id), frame);
}

}  // namespace cidbus::sim
