// What goes wrong in a simulated cluster, by chance: which kinds of faults a seed has is drawn (a swarm: a
// run without reordering finds what a run with everything hides), and how often they come.
//
// Invariants: 1. faults have streams of chance of their own: taking one away leaves the workload as it was.
// 2. After heal() nothing goes wrong any more, but what troubles single nodes may last a minute longer.
//
// Thread rule: one thread. Limits: one broker is damaged at a time: what two have lost may be lost for good,
// and nobody is elected where one has lost its journal before another new one was ever brought up (D4).
// One has a corrupt state in a run, and nothing else begins while it has: a snapshot that a corrupt leader
// sends to one that lags is believed.
#pragma once

#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/rubbish_sender.h"

namespace cidbus::sim {

class Faults {
 public:
  Faults(Cluster& cluster, Prng prng);

  void begin();
  void heal();

 private:
  using Make = void (Faults::*)();
  struct Kind {
    Make make;
    bool harms_memory;  // durability `memory` promises nothing over it
  };
  static const std::vector<Kind>& kinds();

  void schedule();
  void schedule_rubbish();
  void schedule_corruption();
  void corrupt_some();
  void kill_some();
  void cut_power_of_some();
  void cut_power_while_writing();
  void stop_in_order();
  void pause();
  void hand_over();
  void partition();
  void clog_links();
  void break_link();
  void depose_behind_clogs();
  void trouble_nodes();
  void cut_off_node();
  void step_clock();
  void slow_disk();
  void fill_disk();
  void hang_disk();
  void fail_disk();
  void damage_disk();
  void kill_worker();
  void drain_worker();
  void pause_node();
  void on_office(std::size_t broker);

  [[nodiscard]] std::size_t any() { return prng_.below(cluster_.size()); }
  // The leader more often than its share.
  [[nodiscard]] std::size_t some_broker();
  void tell(const std::string& kind, std::size_t broker);
  void start_later(std::size_t broker, Duration most);

  Cluster& cluster_;
  Prng prng_;
  Prng corruption_;  // of its own, so that the other faults of a seed are what they are without it
  RubbishSender rubbish_;
  std::vector<Make> drawn_;
  bool assassin_ = false;  // who has just taken office dies
  bool corrupts_ = false;  // one broker's state
  Duration between_{};
  bool active_ = false;
};

}  // namespace cidbus::sim
