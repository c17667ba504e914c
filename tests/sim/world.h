// One simulated cluster: a broker, workers and clients under faults drawn from a seed, until everything has
// healed and all work is done.
//
// The truths that are checked are in the checkers (journal_checker.h, strict_checker.h, feed_checker.h,
// client_node.h) and in check_end(): every task that a client was told accepted is in the journal and final,
// with one result; one told cancelled is; the state's invariants hold; nothing stays undone once the faults
// have stopped. One seed in four runs with durability `memory`; its broker never dies, for a group of one
// promises nothing then.
//
// Thread rule: one thread. Limits: limit_of_simulated_time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/sim/broker_node.h"
#include "tests/sim/client_node.h"
#include "tests/sim/rubbish_sender.h"
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
  std::uint64_t silences = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t strict_runs = 0;
  std::uint64_t task_events = 0;
  std::uint64_t rubbish = 0;
  std::uint64_t rubbish_refused = 0;  // as the broker's last life counted it
};

class World {
 public:
  explicit World(std::uint64_t seed);
  // Runs to the end; aborts on a truth that does not hold.
  RunReport run();

 private:
  void add_worker(std::size_t place);
  void schedule_fault();
  void schedule_rubbish();
  void silence();
  void make_fault();
  void fail_broker(bool power_cut);
  void replace_worker(bool in_order);
  void remove_drained();
  void fill_disk();
  [[nodiscard]] bool all_done() const;
  void run_until_done();
  void settle();
  void check_end();

  Timeline timeline_;
  Prng prng_;
  Network network_;
  Durability durability_;
  BrokerNode broker_;
  StrictChecker strict_;
  RubbishSender rubbish_;
  std::vector<std::unique_ptr<WorkerNode>> workers_;
  std::vector<std::unique_ptr<WorkerNode>> draining_;
  std::vector<std::unique_ptr<ClientNode>> clients_;
  Monotonic faults_until_;
  std::uint64_t worker_lives_ = 0;
  RunReport report_;
};

}  // namespace cidbus::sim
