#include "tests/sim/cluster.h"

#include <algorithm>
#include <array>

#include "tests/sim/base/drawn.h"

namespace cidbus::sim {

using namespace std::chrono_literals;
using group::place;
using group::Seat;

ClusterShape draw_shape(Prng& prng, std::size_t brokers) {
  static constexpr std::array<std::size_t, 8> sizes = {1, 1, 2, 3, 3, 3, 4, 5};
  ClusterShape shape;
  shape.brokers = sizes[prng.below(sizes.size())];
  if (brokers != 0) shape.brokers = brokers;
  if (shape.brokers == 1) shape.durability = Durability::Disk;
  if (prng.chance(1, 6)) shape.durability = Durability::Memory;
  return shape;
}

Cluster::Cluster(const ClusterShape& shape, Prng prng, std::ostream* trace)
    : chronicle(timeline, trace),
      durability(shape.durability),
      truths(durability),
      bus(timeline, prng.fork(), shape.brokers),
      mesh(timeline, prng.fork()),
      prng_(prng.fork()) {
  make_brokers(shape.brokers);
  workers_.resize(prng_.between(1, 4));
  for (std::size_t place = 0; place < workers_.size(); ++place) add_worker(place);
  make_clients();
}

void Cluster::make_brokers(std::size_t count) {
  std::vector<group::Member> members;
  for (std::size_t at = 1; at <= count; ++at) {
    const std::string name = "b" + std::to_string(at);
    addresses_.push_back(name + ":1");
    members.push_back({name, addresses_.back(), static_cast<std::int32_t>(prng_.below(4))});
  }
  const std::size_t append_batches = prng_.chance(1, 3) ? prng_.between(1, 3) : limits::append_batches;
  const std::size_t snapshot_piece = prng_.between(2000, 20'000);
  for (const group::Member& member : members) {
    group::GroupConfig config(members, member.name);
    config.durability = durability;
    config.append_batches = append_batches;
    config.snapshot_piece = snapshot_piece;
    const BrokerNode::Ground ground{timeline, bus, mesh, truths, chronicle, *this};
    brokers_.push_back(std::make_unique<BrokerNode>(ground, std::move(config), prng_.fork()));
  }
  links_.emplace(timeline, mesh, prng_.fork(), count, static_cast<BrokerLinks::Owner&>(*this));
  for (std::size_t at = 0; at < count; ++at) start(at);
}

void Cluster::make_clients() {
  const auto count = prng_.between(1, 3);
  for (std::uint64_t at = 0; at < count; ++at) {
    const NodeIdentity identity{"sim", "c" + std::to_string(at), Role::Client, {prng_()}};
    clients_.push_back(std::make_unique<ClientNode>(node_ground(), identity, prng_.fork(),
                                                    static_cast<std::uint32_t>(prng_.between(1, 300))));
  }
  const NodeIdentity operator_identity{"sim", "operator", Role::Client, {prng_()}};
  proposer_ = std::make_unique<ProposerNode>(node_ground(), operator_identity, prng_.fork(),
                                             static_cast<std::uint32_t>(prng_.below(8)));
}

// ---- brokers

void Cluster::kill(std::size_t at) {
  brokers_[at]->kill();
  links_->on_death(at);
}

void Cluster::crash(std::size_t at) {
  brokers_[at]->crash();
  links_->on_death(at);
}

void Cluster::start(std::size_t at) {
  if (brokers_[at]->running()) return;
  if (!brokers_[at]->start()) return restart_later(at);
  links_->on_start(at);
  for (std::size_t other = 0; other < size(); ++other)
    for (std::size_t topic = 0; topic < feed_topic_count; ++topic)
      if (other != at) subscribe(other, at, static_cast<FeedTopic>(topic));
}

// As sockets do, which subscribe again when a connection stands again.
void Cluster::subscribe(std::size_t follower, std::size_t publisher, FeedTopic topic) {
  if (!brokers_[follower]->follows(topic)) return;
  timeline.after(drawn(prng_, 1ms, 50ms), [this, follower, publisher, topic] {
    if (brokers_[follower]->follows(topic) && brokers_[publisher]->running())
      brokers_[publisher]->on_subscription(feed_frame(topic));
  });
}

void Cluster::on_follow(Seat seat, FeedTopic topic) {
  for (std::size_t other = 0; other < size(); ++other)
    if (other != place(seat)) subscribe(place(seat), other, topic);
}

void Cluster::on_publish(Seat seat, FeedTopic topic, ByteView frame) {
  if (topic == FeedTopic::Leader) bus.publish(place(seat), frame);
  std::shared_ptr<const Bytes> copy;
  for (const auto& other : brokers_) {
    if (other->seat() == seat || !other->follows(topic)) continue;
    if (copy == nullptr) copy = std::make_shared<const Bytes>(to_bytes(frame));
    mesh.send(seat, other->seat(), group::Channel::Bulk, [&other, copy] { other->on_peer_feed(copy); });
  }
}

void Cluster::restart_later(std::size_t at) {
  timeline.after(drawn(prng_, 1ms, 2s), [this, at] { start(at); });
}

BrokerNode* Cluster::sole_leader() {
  BrokerNode* leader = nullptr;
  for (auto& broker : brokers_) {
    if (!broker->running() || broker->paused() || !broker->broker().serving()) continue;
    if (leader != nullptr) return nullptr;
    leader = broker.get();
  }
  return leader;
}

bool Cluster::all_agree() {
  const BrokerNode* const leader = sole_leader();
  if (leader == nullptr || leader->state().applied() < leader->group().commit()) return false;
  return std::all_of(brokers_.begin(), brokers_.end(), [&](const auto& broker) {
    return broker->running() && broker->group().epoch() == leader->group().epoch() &&
           broker->group().leader() == leader->seat() &&
           broker->state().applied().value + 50 >= leader->state().applied().value;
  });
}

std::size_t Cluster::corrupt() const {
  return static_cast<std::size_t>(
      std::count_if(brokers_.begin(), brokers_.end(), [](const auto& broker) { return broker->corrupt(); }));
}

std::size_t Cluster::holders(const group::LogPosition& position) const {
  return static_cast<std::size_t>(std::count_if(brokers_.begin(), brokers_.end(),
                                                [&](const auto& broker) { return broker->holds(position); }));
}

void Cluster::on_office(Seat seat) {
  if (on_office_taken) on_office_taken(place(seat));
}

void Cluster::on_end(Seat seat) {
  kill(place(seat));
  restart_later(place(seat));
}

void Cluster::on_power_cut(Seat seat) {
  crash(place(seat));
  restart_later(place(seat));
}

bool Cluster::runs(std::size_t at) const { return brokers_[at]->running(); }

void Cluster::on_link(std::size_t at, Seat peer, bool up) { brokers_[at]->on_link(peer, up); }

// ---- nodes

void Cluster::add_worker(std::size_t at) {
  const NodeIdentity identity{"sim", "w" + std::to_string(at), Role::Worker, {prng_()}};
  workers_[at] = std::make_unique<WorkerNode>(node_ground(), identity, prng_.fork(),
                                              static_cast<std::uint32_t>(prng_.between(1, 4)));
}

bool Cluster::all_know(std::uint64_t config_version) const {
  const auto knows = [&](const auto& node) {
    return node == nullptr || node->config_version() == config_version;
  };
  return std::all_of(clients_.begin(), clients_.end(), knows) &&
         std::all_of(workers_.begin(), workers_.end(), knows) && knows(proposer_);
}

void Cluster::drain_worker(std::size_t at) {
  workers_[at]->drain();
  draining_.push_back(std::move(workers_[at]));
}

void Cluster::remove_drained() {
  std::erase_if(draining_, [](const auto& worker) { return worker->drained(); });
}

}  // namespace cidbus::sim
