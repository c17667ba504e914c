// A simulated cluster: a group of brokers, workers and clients, the networks between them, and the truths
// that they are held against. What goes wrong is the business of faults.h.
//
// Thread rule: one thread. Limits: limits::brokers.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tests/sim/base/broker_links.h"
#include "tests/sim/broker_node.h"
#include "tests/sim/client_node.h"
#include "tests/sim/proposer_node.h"
#include "tests/sim/worker_node.h"

namespace cidbus::sim {

struct ClusterShape {
  std::size_t brokers = 3;
  Durability durability = Durability::Quorum;
};
// `brokers`: 0 for a number by chance.
ClusterShape draw_shape(Prng& prng, std::size_t brokers);

class Cluster : private BrokerNode::Owner, private BrokerLinks::Owner {
 public:
  // Everything starts. `trace`: where to tell what happens; null for nowhere.
  Cluster(const ClusterShape& shape, Prng prng, std::ostream* trace);

  Timeline timeline;
  Chronicle chronicle;
  const Durability durability;
  Truths truths;
  BusNetwork bus;
  BrokerNetwork mesh;

  // ---- brokers
  [[nodiscard]] std::size_t size() const { return brokers_.size(); }
  BrokerNode& broker(std::size_t place) { return *brokers_[place]; }
  void kill(std::size_t place);
  void crash(std::size_t place);
  // Unless it runs already.
  void start(std::size_t place);
  void break_link(std::size_t one, std::size_t other) { links_->break_connection(one, other); }
  // The broker that serves, when exactly one does.
  BrokerNode* sole_leader();
  // One leads, all follow it and have applied almost everything.
  bool all_agree();
  // Brokers whose state is corrupt.
  [[nodiscard]] std::size_t corrupt() const;
  // Told when a broker takes office.
  std::function<void(std::size_t)> on_office_taken;

  // ---- nodes
  [[nodiscard]] std::size_t workers() const { return workers_.size(); }
  [[nodiscard]] bool has_worker(std::size_t place) const { return workers_[place] != nullptr; }
  WorkerNode& worker(std::size_t place) { return *workers_[place]; }
  void add_worker(std::size_t place);
  void kill_worker(std::size_t place) { workers_[place].reset(); }
  // It hands back, says goodbye, and goes.
  void drain_worker(std::size_t place);
  void remove_drained();
  [[nodiscard]] const std::vector<std::unique_ptr<ClientNode>>& clients() const { return clients_; }
  [[nodiscard]] const ProposerNode& proposer() const { return *proposer_; }
  // Whether all of them have been told this version of the configuration.
  [[nodiscard]] bool all_know(std::uint64_t config_version) const;
  [[nodiscard]] std::size_t nodes() const { return clients_.size() + workers_.size() + draining_.size() + 1; }

 private:
  BrokerNode& broker(group::Seat seat) override { return *brokers_[group::place(seat)]; }
  [[nodiscard]] std::size_t holders(const group::LogPosition& position) const override;
  void on_office(group::Seat seat) override;
  void on_end(group::Seat seat) override;
  void on_publish(group::Seat seat, FeedTopic topic, ByteView frame) override;
  void on_follow(group::Seat seat, FeedTopic topic) override;
  void on_power_cut(group::Seat seat) override;
  [[nodiscard]] bool runs(std::size_t place) const override;
  void on_link(std::size_t place, group::Seat peer, bool up) override;

  void make_brokers(std::size_t count);
  void make_clients();
  void restart_later(std::size_t place);
  void subscribe(std::size_t follower, std::size_t publisher, FeedTopic topic);
  [[nodiscard]] NodeGround node_ground() { return {timeline, bus, truths, chronicle, addresses_}; }

  Prng prng_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<BrokerNode>> brokers_;
  std::optional<BrokerLinks> links_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  std::vector<std::unique_ptr<WorkerNode>> draining_;
  std::vector<std::unique_ptr<ClientNode>> clients_;
  std::unique_ptr<ProposerNode> proposer_;
};

}  // namespace cidbus::sim
