// What goes wrong in a simulated cluster, by chance: which kinds of faults a seed has is drawn (a swarm: a
// run without reordering finds what a run with everything hides), and how often they come.
//
// Invariants: 1. faults have streams of chance of their own: taking one away leaves the workload as it was.
// 2. After heal() nothing goes wrong any more, but what troubles single nodes may last a minute longer.
//
// Thread rule: one thread. Limits: what `not_yet` lists is switched off.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/rubbish_sender.h"

namespace cidbus::sim {

// Faults that damage what was synced. They come when the group's core can repair a damaged journal (CONSENSUS
// D1 to D4); until then a broker that finds damage refuses to start, rightly.
inline constexpr std::array<std::string_view, 3> not_yet = {
    "bit rot", "lost file", "a write that failed, is there after a restart, and is gone after a power cut"};

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
  void kill_worker();
  void drain_worker();
  void on_office(std::size_t broker);

  [[nodiscard]] std::size_t any() { return prng_.below(cluster_.size()); }
  // The leader more often than its share.
  [[nodiscard]] std::size_t some_broker();
  void tell(const std::string& kind, std::size_t broker);
  void start_later(std::size_t broker, Duration most);

  Cluster& cluster_;
  Prng prng_;
  RubbishSender rubbish_;
  std::vector<Make> drawn_;
  bool assassin_ = false;  // who has just taken office dies
  Duration between_{};
  bool active_ = false;
};

}  // namespace cidbus::sim
