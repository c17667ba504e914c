// One simulated group: brokers, clients that submit and read, and faults drawn from a seed; then everything
// heals, and what was promised must hold and go on.
//
// What kinds of faults a seed has, and how many, is drawn too (a swarm): a run without reordering finds what
// a run with everything hides. Each kind has a stream of chance of its own.
//
// Thread rule: one thread. Limits: limit_of_healing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/base/broker_links.h"
#include "tests/sim/group/broker.h"

namespace cidbus::group_sim {

struct WorldOptions {
  std::size_t brokers = 0;  // 0: drawn
  Durability durability = Durability::Quorum;
  Duration faults_last = std::chrono::seconds(20);
  group::Timers timers = group::lan_timers();
  std::size_t append_batches = 0;    // in a message; 0: drawn
  bool snapshots = true;             // some groups take them
  std::uint64_t snapshot_after = 0;  // records; 0: drawn
  // Three brokers, and most leaders die within 60 ms: what is committed when, and by whom, is what is tried.
  bool short_offices = false;
  // Journals are lost one after the other, while links are cut, leaders that are deposed long do not notice,
  // and old messages come again: who is told what about what it lost is what is tried.
  bool lost_journals = false;
};

struct RunReport {
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  double simulated_seconds = 0;
  std::size_t brokers = 0;
  std::size_t offices = 0;
  std::size_t acknowledged = 0;
  std::uint64_t messages = 0;
  double healed_seconds = 0;                    // until all brokers held all, after the faults
  std::map<std::string, std::uint64_t> faults;  // by kind
  std::map<std::string, std::uint64_t> marks;   // rare branches, by name
};

class World : private sim::BrokerLinks::Owner {
 public:
  explicit World(std::uint64_t seed, const WorldOptions& options = {});
  // To the end; throws CheckFailed on a truth that does not hold.
  RunReport run();

  // ---- for scenarios
  sim::Timeline& timeline() { return timeline_; }
  BrokerNetwork& network() { return network_; }
  [[nodiscard]] std::size_t size() const { return brokers_.size(); }
  SimBroker& broker(std::size_t at) { return *brokers_[at]; }
  void run_for(Duration time);
  // Runs until `done`, at most so long; gives whether it came.
  bool run_until(Duration most, const std::function<bool()>& done);
  void kill(std::size_t at);
  void restart(std::size_t at);
  // Another, empty disk is in the place of its own. REQUIRES: it is dead.
  void replace_disk(std::size_t at);
  void break_connection(std::size_t one, std::size_t other) { links_->break_connection(one, other); }
  // No disk is new, has lost its journal, or has a hole in it.
  [[nodiscard]] bool all_whole() const;
  // The broker that serves, when exactly one does.
  [[nodiscard]] SimBroker* sole_leader();
  void submit_to_leaders();
  Checkers& checkers() { return checkers_; }

 private:
  struct Kind;
  void schedule_fault();
  void make_fault();
  void schedule_submission();
  [[nodiscard]] bool runs(std::size_t broker) const override { return brokers_[broker]->running(); }
  void on_link(std::size_t broker, group::Seat peer, bool up) override;
  void cut_some_links();
  void harm_some_disk();
  void pause_some();
  void damage_some();
  void schedule_replacement();
  void mark(const group::Notice& notice);
  void crash_some(std::size_t count);
  void on_office(group::Seat leader);
  void heal();
  [[nodiscard]] bool all_agree();
  void check_end();
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::size_t holders(const SimBroker& leader, const group::LogPosition& position) const;
  std::size_t any() { return faults_.below(brokers_.size()); }

  WorldOptions options_;
  sim::Timeline timeline_;
  Prng prng_;
  Prng faults_;
  Prng replacements_;  // of its own: the other faults of a seed are what they are without it
  Prng workload_;
  Checkers checkers_;
  BrokerNetwork network_;
  SimBroker::World shared_;
  std::vector<std::unique_ptr<SimBroker>> brokers_;
  std::optional<sim::BrokerLinks> links_;
  std::vector<int> kinds_;  // of faults that this seed has
  Duration between_faults_{};
  Duration between_submissions_{};
  bool faulty_ = false;
  std::optional<std::size_t> without_disk_;  // it waits for another one
  std::uint64_t submissions_ = 0;
  RunReport report_;
};

}  // namespace cidbus::group_sim
