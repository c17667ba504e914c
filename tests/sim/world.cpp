#include "tests/sim/world.h"

#include <algorithm>

#include "broker/tasks/state_machine.h"
#include "tests/sim/base/drawn.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest_fault_phase = 25s;
constexpr Duration limit_of_healing = 30s;
constexpr Duration limit_of_simulated_time = 30min;
constexpr Duration limit_of_node_trouble = 2min;  // faults of single nodes outlast the healing
constexpr Duration settling = 12s;                // who is gone without a word is forgotten by then

}  // namespace

void RunReport::add(const RunReport& other) {
  simulated_seconds += other.simulated_seconds;
  steps += other.steps;
  offices += other.offices;
  accepted += other.accepted;
  completed += other.completed;
  cancelled += other.cancelled;
  requeues += other.requeues;
  config_changes += other.config_changes;
  strict_runs += other.strict_runs;
  task_events += other.task_events;
  messages += other.messages;
  for (const auto& [kind, times] : other.faults) faults[kind] += times;
  for (const auto& [name, times] : other.marks) marks[name] += times;
}

World::World(std::uint64_t seed, const WorldOptions& options)
    : prng_(seed),
      cluster_(draw_shape(prng_, options.brokers), prng_.fork(), options.trace),
      faults_(cluster_, prng_.fork()) {}

bool World::run_until(Duration most, const std::function<bool()>& done) {
  const Monotonic until = cluster_.timeline.now().monotonic + most;
  while (!done()) {
    if (cluster_.timeline.now().monotonic >= until) return false;
    check(cluster_.timeline.step(), "work is done", "nothing will ever happen again");
    if (cluster_.timeline.steps() % 256 == 0) cluster_.remove_drained();
  }
  return true;
}

void World::run_for(Duration time) {
  run_until(time, [] { return false; });
}

RunReport World::run() {
  faults_.begin();
  run_for(drawn(prng_, 0s, longest_fault_phase));
  faults_.heal();
  check(run_until(limit_of_healing, [this] { return cluster_.all_agree(); }), "one leader after healing",
        "not within ", limit_of_healing / 1s, " s");
  run_until_done();
  run_for(settling);
  cluster_.remove_drained();
  check_end();
  count();
  return report_;
}

void World::run_until_done() {
  const bool done = run_until(limit_of_simulated_time, [this] {
    return cluster_.proposer().done() && std::all_of(cluster_.clients().begin(), cluster_.clients().end(),
                                                     [](const auto& client) { return client->done(); });
  });
  check(done, "work is done", "not ", limit_of_simulated_time / 1min, " min after all faults: ", undone());
}

std::string World::undone() const {
  for (const auto& client : cluster_.clients()) {
    for (const auto& [ticket, entry] : client->ledger()) {
      if (entry.rejected || entry.unknown || entry.results == 1) continue;
      const bool is_final = cluster_.truths.journal.is_final(entry.task);
      return client->identity().name + " waits for " +
             (entry.task.value == 0 ? "an answer"
                                    : to_text(entry.task) + (is_final ? ", which is final" : ""));
    }
  }
  return cluster_.proposer().done() ? "some client has more to submit" : "a proposal is not decided";
}

void World::check_end() {
  check(run_until(2s, [this] { return cluster_.all_agree(); }), "one leader after healing",
        "it did not last");
  check_healed();
  for (std::size_t at = 0; at < cluster_.size(); ++at) {
    cluster_.broker(at).state().check_invariants();
    cluster_.broker(at).check_state();
  }
  const BrokerNode& leader = *cluster_.sole_leader();
  for (std::size_t at = 0; at < cluster_.size(); ++at)
    cluster_.broker(at).feed().check(leader.name(), leader.group().epoch(), leader.state());
  check(leader.broker().peers() <= cluster_.nodes(), "peers that are gone are forgotten",
        leader.broker().peers(), " of ", cluster_.nodes());
  check_config(leader.state());
  check_promises();
}

// As long as most have another state, one that is wrong is replaced once it has been compared.
void World::check_healed() {
  const auto healed = [this] {
    for (std::size_t at = 0; at < cluster_.size(); ++at)
      if (cluster_.broker(at).corrupt_for_long()) return false;
    return cluster_.all_agree();
  };
  if (cluster_.corrupt() > (cluster_.size() - 1) / 2) return;
  check(run_until(limit_of_healing, healed), "R7 a wrong state is replaced", "not within ",
        limit_of_healing / 1s, " s");
}

// With durability `memory` what was told may have been lost with all who had received it.
void World::check_config(const StateMachine& state) {
  if (cluster_.durability == Durability::Memory) return;
  const std::uint64_t version = cluster_.truths.config.version();
  check(state.config().version() == version, "config: what is accepted is in force", state.config().version(),
        " of ", version);
  check(run_until(limit_of_node_trouble, [&] { return cluster_.all_know(version); }),
        "config: every node is told", "version ", version);
}

void World::check_promises() {
  for (const auto& client : cluster_.clients()) {
    for (const auto& [ticket, entry] : client->ledger()) {
      if (entry.task.value == 0) {
        check(entry.rejected || entry.unknown, "every submission is answered", client->identity().name);
        continue;
      }
      const std::string task = to_text(entry.task);
      ++report_.accepted;
      check(cluster_.truths.journal.has_task(entry.task), "accepted is kept", task);
      check(cluster_.truths.journal.is_final(entry.task), "accepted becomes final", task);
      check(entry.results == 1, "a result is told once", task, " ", entry.results, " times");
      if (entry.state == TaskState::Completed) ++report_.completed;
      const bool told_cancelled = client->cancelled().contains(entry.task);
      check(!told_cancelled || entry.state == TaskState::Cancelled, "told cancelled is cancelled", task);
      report_.cancelled += told_cancelled ? 1 : 0;
    }
  }
}

void World::count() {
  report_.trace = cluster_.timeline.trace();
  report_.steps = cluster_.timeline.steps();
  report_.simulated_seconds =
      std::chrono::duration<double>(cluster_.timeline.now().monotonic - Timeline().now().monotonic).count();
  report_.brokers = cluster_.size();
  report_.offices = cluster_.truths.group.one_leader.offices();
  report_.config_changes = cluster_.truths.config.version();
  report_.requeues = cluster_.truths.journal.requeues();
  report_.strict_runs = cluster_.truths.strict.runs();
  report_.messages = cluster_.bus.sent() + cluster_.mesh.sent();
  for (std::size_t at = 0; at < cluster_.size(); ++at)
    report_.task_events += cluster_.broker(at).feed().task_events();
  report_.faults = cluster_.chronicle.faults();
  report_.marks = cluster_.chronicle.marks();
}

}  // namespace cidbus::sim
