#include "tests/sim/network.h"

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

void Network::add_node(const std::string& routing_id, NodeEnd& end) {
  ENSURE(!connections_.contains(routing_id), routing_id);
  connections_[routing_id].node = &end;
  connect_later(routing_id);
}

void Network::remove_node(const std::string& routing_id) {
  const auto found = connections_.find(routing_id);
  ENSURE(found != connections_.end(), routing_id);
  if (found->second.silent) {  // nobody is told that it is gone, until the silence is over
    found->second.node = nullptr;
    return;
  }
  const bool was_up = found->second.up;
  connections_.erase(found);
  if (!was_up || broker_ == nullptr) return;
  timeline_.after(Duration(prng_.between(50'000, 5'000'000)), [this] {
    if (broker_ != nullptr) broker_->on_connection_broke();
  });
}

void Network::set_broker(BrokerEnd* end) {
  if (end == nullptr) {
    for (auto& [routing_id, connection] : connections_) {
      if (connection.up) break_connection(connection, routing_id);
    }
  }
  broker_ = end;
  if (end == nullptr) return;
  for (const auto& [routing_id, connection] : connections_) connect_later(routing_id);
}

void Network::connect_later(const std::string& routing_id) {
  timeline_.after(Duration(prng_.between(200'000, 20'000'000)), [this, routing_id] {
    const auto found = connections_.find(routing_id);
    if (found == connections_.end() || found->second.up || broker_ == nullptr) return;
    Connection& connection = found->second;
    if (connection.node == nullptr) return;
    connection.up = true;
    connection.generation = ++generations_;
    connection.node->on_connected();
  });
}

void Network::break_connection(Connection& connection, const std::string& routing_id) {
  connection.up = connection.silent = false;
  const std::uint64_t generation = ++generations_;
  connection.generation = generation;
  const auto told = Duration(prng_.between(10'000, 10'000'000));
  timeline_.after(told, [this, routing_id] {
    const auto found = connections_.find(routing_id);
    if (found == connections_.end() || found->second.up) return;
    if (found->second.node == nullptr) {
      connections_.erase(found);
      return;
    }
    found->second.node->on_disconnected();
    connect_later(routing_id);
  });
  timeline_.after(Duration(prng_.between(10'000, 10'000'000)), [this] {
    if (broker_ != nullptr) broker_->on_connection_broke();
  });
}

Network::Connection* Network::some_connection(const std::string*& routing_id) {
  if (connections_.empty()) return nullptr;
  auto chosen = connections_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(prng_.below(connections_.size())));
  routing_id = &chosen->first;
  return chosen->second.up ? &chosen->second : nullptr;
}

bool Network::break_some_connection() {
  const std::string* routing_id = nullptr;
  Connection* connection = some_connection(routing_id);
  if (connection != nullptr) break_connection(*connection, *routing_id);
  return connection != nullptr;
}

bool Network::silence_some_connection(Duration lasts) {
  const std::string* routing_id = nullptr;
  Connection* connection = some_connection(routing_id);
  if (connection == nullptr || connection->silent) return false;
  connection->silent = true;
  timeline_.after(lasts, [this, id = *routing_id, generation = connection->generation] {
    const auto still = connections_.find(id);
    if (still == connections_.end() || still->second.generation != generation || !still->second.up) return;
    break_connection(still->second, id);
  });
  return true;
}

void Network::inject(const std::string& routing_id, ByteView frame) {
  if (broker_ == nullptr) return;
  timeline_.trace(digest(frame));
  timeline_.after(Duration(prng_.between(30'000, 400'000)), [this, routing_id, bytes = to_bytes(frame)] {
    if (broker_ != nullptr) broker_->on_frame(as_bytes(routing_id), bytes);
  });
}

Monotonic Network::arrival(Monotonic& last) {
  const Duration delay(prng_.chance(1, 50) ? prng_.between(1'000'000, 40'000'000)
                                           : prng_.between(30'000, 400'000));
  last = std::max(last, timeline_.now().monotonic + delay);
  return last;
}

SendAnswer Network::send_to_node(std::string_view routing_id, ByteView frame) {
  const auto found = connections_.find(routing_id);
  if (found == connections_.end() || !found->second.up) return SendAnswer::Unroutable;
  if (prng_.chance(1, 2000)) return SendAnswer::Full;  // a pipe at its limit: the frame goes nowhere
  if (found->second.silent) return SendAnswer::Sent;
  timeline_.trace(digest(frame));
  Connection& connection = found->second;
  timeline_.at(arrival(connection.last_to_node),
               [this, id = found->first, generation = connection.generation, bytes = to_bytes(frame)] {
                 const auto still = connections_.find(id);
                 if (still == connections_.end() || still->second.generation != generation) return;
                 if (!still->second.silent) still->second.node->on_frame(bytes);
               });
  return SendAnswer::Sent;
}

bool Network::send_to_broker(const std::string& routing_id, ByteView frame) {
  const auto found = connections_.find(routing_id);
  if (found == connections_.end() || !found->second.up) return false;
  if (found->second.silent) return true;
  timeline_.trace(digest(frame));
  last_to_broker_ = to_bytes(frame);
  Connection& connection = found->second;
  timeline_.at(arrival(connection.last_to_broker), [this, routing_id, generation = connection.generation,
                                                    bytes = to_bytes(frame)] {
    const auto still = connections_.find(routing_id);
    if (still == connections_.end() || still->second.generation != generation || broker_ == nullptr) return;
    if (still->second.silent) return;
    broker_->on_frame(as_bytes(routing_id), bytes);
  });
  return true;
}

}  // namespace cidbus::sim
