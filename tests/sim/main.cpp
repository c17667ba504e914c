// Runs seeds of the simulation; scripts/sim is what people call.
//
//   cluster_sim FROM COUNT BROKERS [trace]    BROKERS 0: as each seed draws them
//
// Writes, tab by tab: `seed N` before each run, `failed N CHECKER WHAT` for one that fails, and at the end
// `sum NAME NUMBER`, `fault KIND NUMBER` and `mark NAME NUMBER`. Exit 1 when a seed failed.
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sim/world.h"

namespace {

using cidbus::sim::RunReport;

bool run_seed(std::uint64_t seed, const cidbus::sim::WorldOptions& options, RunReport& sum) {
  std::cout << "seed\t" << seed << std::endl;  // flushed: it may be the last that is heard
  try {
    sum.add(cidbus::sim::World(seed, options).run());
    return true;
  } catch (const cidbus::sim::CheckFailed& failed) {
    std::cout << "failed\t" << seed << "\t" << failed.checker << "\t" << failed.what << std::endl;
    return false;
  }
}

void print(const RunReport& sum) {
  std::cout << "sum\tsimulated seconds\t" << sum.simulated_seconds << "\nsum\tsteps\t" << sum.steps
            << "\nsum\tmessages\t" << sum.messages << "\nsum\toffices\t" << sum.offices
            << "\nsum\ttasks accepted\t" << sum.accepted << "\nsum\ttasks completed\t" << sum.completed
            << "\nsum\ttasks cancelled\t" << sum.cancelled << "\nsum\tattempts given back\t" << sum.requeues
            << "\nsum\tstrict attempts\t" << sum.strict_runs << "\nsum\tconfiguration changes\t"
            << sum.config_changes << "\nsum\tevents on the feed\t" << sum.task_events << "\n";
  for (const auto& [kind, times] : sum.faults) std::cout << "fault\t" << kind << "\t" << times << "\n";
  for (const auto& [name, times] : sum.marks) std::cout << "mark\t" << name << "\t" << times << "\n";
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::cerr << "usage: cluster_sim FROM COUNT BROKERS [trace]\n";
    return 2;
  }
  const auto number = [&](int at) { return std::strtoull(words[at], nullptr, 10); };
  const cidbus::sim::WorldOptions options{number(3), count > 4 ? &std::cout : nullptr};
  RunReport sum;
  bool all_well = true;
  for (std::uint64_t seed = number(1); seed < number(1) + number(2); ++seed)
    all_well = run_seed(seed, options, sum) && all_well;
  print(sum);
  return all_well ? 0 : 1;
}
