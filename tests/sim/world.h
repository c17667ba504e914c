// One simulated run: a cluster, faults drawn from a seed, and, when they are over, everything has to come to
// its end.
//
// Checked at the end: every task that a client was told accepted is committed and final, with one result that
// was told once; one told cancelled is; all brokers have one state; nothing stays undone. What must hold all
// the while is in truths.h. Of a run with durability `memory` no broker dies: nothing is promised then.
//
// Thread rule: one thread. Limits: limit_of_simulated_time, limit_of_healing.
#pragma once

#include "tests/sim/faults.h"

namespace cidbus::sim {

struct WorldOptions {
  std::size_t brokers = 0;        // 0: by chance
  std::ostream* trace = nullptr;  // where to tell what happens
};

struct RunReport {
  std::uint64_t trace = 0;  // two runs of one seed have the same
  std::uint64_t steps = 0;
  double simulated_seconds = 0;
  std::size_t brokers = 0;
  std::uint64_t offices = 0;
  std::uint64_t accepted = 0;
  std::uint64_t completed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t requeues = 0;
  std::uint64_t strict_runs = 0;
  std::uint64_t config_changes = 0;  // accepted by vote
  std::uint64_t task_events = 0;
  std::uint64_t messages = 0;                   // on the bus and between brokers
  std::map<std::string, std::uint64_t> faults;  // by kind
  std::map<std::string, std::uint64_t> marks;   // rare branches, by name
  void add(const RunReport& other);
};

class World {
 public:
  explicit World(std::uint64_t seed, const WorldOptions& options = {});
  // Runs to the end; throws CheckFailed on a truth that does not hold.
  RunReport run();

 private:
  bool run_until(Duration most, const std::function<bool()>& done);
  void run_for(Duration time);
  void run_until_done();
  // What is not done yet, for people.
  [[nodiscard]] std::string undone() const;
  void check_end();
  void check_healed();
  void check_config(const StateMachine& state);
  void check_promises();
  void count();

  Prng prng_;
  Cluster cluster_;
  Faults faults_;
  RunReport report_;
};

}  // namespace cidbus::sim
