// One simulated cluster: a broker, workers and clients under faults drawn from a seed, until everything has
// healed and all work is done.
//
// The truths that are checked are in the nodes' own checkers (journal_checker.h, client_node.h) and in
// finish(): every task that a client was told accepted is in the journal and final, with one result; the
// state's invariants hold; nothing stays undone once the faults have stopped.
//
// Thread rule: one thread. Limits: limit_of_simulated_time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/sim/broker_node.h"
#include "tests/sim/client_node.h"
#include "tests/sim/worker_node.h"

namespace cidbus::sim {

struct RunReport {
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  double simulated_seconds = 0;
  std::uint64_t accepted = 0;
  std::uint64_t completed = 0;
  std::uint64_t broker_crashes = 0;
  std::uint64_t broker_kills = 0;
  std::uint64_t worker_crashes = 0;
  std::uint64_t worker_drains = 0;
  std::uint64_t connection_breaks = 0;
  std::uint64_t requeues = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t full_disks = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed);
  // Runs to the end; aborts on a truth that does not hold.
  RunReport run();

 private:
  void add_worker(std::size_t place);
  void schedule_fault();
  void make_fault();
  void fail_broker(bool power_cut);
  void replace_worker(bool in_order);
  void remove_drained();
  void fill_disk();
  [[nodiscard]] bool all_done() const;
  void run_until_done();
  void check_end();

  Timeline timeline_;
  Prng prng_;
  Network network_;
  BrokerNode broker_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  std::vector<std::unique_ptr<WorkerNode>> draining_;
  std::vector<std::unique_ptr<ClientNode>> clients_;
  Monotonic faults_until_;
  std::uint64_t worker_lives_ = 0;
  RunReport report_;
};

}  // namespace cidbus::sim
