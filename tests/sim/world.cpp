#include "tests/sim/world.h"

#include <algorithm>

#include "broker/tasks/state_machine.h"
#include "shared/base/ensure.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest_fault_phase = 40s;
constexpr Duration limit_of_simulated_time = 30min;

}  // namespace

World::World(std::uint64_t seed)
    : prng_(seed),
      network_(timeline_, prng_.fork()),
      durability_(seed % 4 == 0 ? Durability::Memory : Durability::Disk),
      broker_(timeline_, network_, prng_.fork(), durability_),
      strict_(durability_ == Durability::Disk ? &broker_.checker() : nullptr),
      rubbish_(network_, prng_.fork()) {
  broker_.start();
  const auto workers = prng_.between(1, 4);
  for (std::uint64_t place = 0; place < workers; ++place) {
    workers_.emplace_back();
    add_worker(place);
  }
  const auto clients = prng_.between(1, 3);
  for (std::uint64_t place = 0; place < clients; ++place) {
    const NodeIdentity identity{"sim", "c" + std::to_string(place), Role::Client, {prng_()}};
    clients_.push_back(std::make_unique<ClientNode>(timeline_, network_, identity, prng_.fork(),
                                                    static_cast<std::uint32_t>(prng_.between(1, 300))));
  }
  faults_until_ = timeline_.now().monotonic + Duration(prng_.below(longest_fault_phase.count()));
  schedule_fault();
  schedule_rubbish();
}

void World::add_worker(std::size_t place) {
  ++worker_lives_;
  const NodeIdentity identity{"sim", "w" + std::to_string(place), Role::Worker, {prng_()}};
  workers_[place] = std::make_unique<WorkerNode>(timeline_, network_, identity, prng_.fork(),
                                                 static_cast<std::uint32_t>(prng_.between(1, 4)), strict_);
}

void World::schedule_fault() {
  timeline_.after(Duration(prng_.between(1'000'000, 4'000'000'000)), [this] {
    if (timeline_.now().monotonic >= faults_until_) return;
    make_fault();
    schedule_fault();
  });
}

void World::schedule_rubbish() {
  timeline_.after(Duration(prng_.between(20'000'000, 2'000'000'000)), [this] {
    if (timeline_.now().monotonic >= faults_until_) return;
    rubbish_.send();
    schedule_rubbish();
  });
}

void World::make_fault() {
  const auto choice = prng_.below(100);
  if (choice < 30 && durability_ == Durability::Disk) {
    fail_broker(choice < 15);
  } else if (choice < 45) {
    silence();
  } else if (choice < 60) {
    if (network_.break_some_connection()) ++report_.connection_breaks;
  } else if (choice < 75) {
    replace_worker(false);
  } else if (choice < 90) {
    replace_worker(true);
  } else {
    fill_disk();
  }
}

// Longer than any timeout, or shorter: the nodes at both ends find out for themselves.
void World::silence() {
  const Duration lasts(prng_.chance(1, 4) ? prng_.between(20'000'000'000, 60'000'000'000)
                                          : prng_.between(100'000'000, 9'000'000'000));
  if (network_.silence_some_connection(lasts)) ++report_.silences;
}

void World::fail_broker(bool power_cut) {
  if (!broker_.running()) return;
  if (power_cut) {
    broker_.crash();
    ++report_.broker_crashes;
  } else {
    broker_.kill();
    ++report_.broker_kills;
  }
  timeline_.after(Duration(prng_.between(1'000'000, 3'000'000'000)), [this] { broker_.start(); });
}

void World::replace_worker(bool in_order) {
  const auto place = prng_.below(workers_.size());
  if (workers_[place] == nullptr) return;
  if (in_order) {
    workers_[place]->drain();
    draining_.push_back(std::move(workers_[place]));
    ++report_.worker_drains;
  } else {
    workers_[place].reset();
    ++report_.worker_crashes;
  }
  timeline_.after(Duration(prng_.between(1'000'000, 8'000'000'000)), [this, place] { add_worker(place); });
}

void World::remove_drained() {
  std::erase_if(draining_, [](const auto& worker) { return worker->drained(); });
}

void World::fill_disk() {
  ++report_.full_disks;
  broker_.files().set_capacity(broker_.files().used());
  timeline_.after(Duration(prng_.between(10'000'000, 4'000'000'000)),
                  [this] { broker_.files().set_capacity(ByteCount{1} << 40); });
}

bool World::all_done() const {
  const bool healed = timeline_.now().monotonic >= faults_until_ && broker_.running();
  return healed &&
         std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->done(); });
}

void World::run_until_done() {
  const Monotonic limit = timeline_.now().monotonic + limit_of_simulated_time;
  while (!all_done()) {
    ENSURE(timeline_.now().monotonic < limit, "work stays undone though all faults are over");
    ENSURE(timeline_.step(), "nothing will ever happen again");
    if (timeline_.steps() % 256 == 0) remove_drained();
  }
}

// What was told before it was on the disk gets there; who is gone without a word is forgotten.
void World::settle() {
  for (const Monotonic until = timeline_.now().monotonic + 90s; timeline_.now().monotonic < until;) {
    ENSURE(timeline_.step());
  }
  remove_drained();
}

RunReport World::run() {
  const Monotonic began = timeline_.now().monotonic;
  run_until_done();
  settle();
  check_end();
  report_.trace = timeline_.trace();
  report_.steps = timeline_.steps();
  report_.simulated_seconds = std::chrono::duration<double>(timeline_.now().monotonic - began).count();
  report_.requeues = broker_.checker().requeues();
  report_.snapshots = broker_.snapshots();
  report_.strict_runs = strict_.runs();
  report_.task_events = broker_.feed().task_events();
  report_.rubbish = rubbish_.sent();
  report_.rubbish_refused = broker_.feed().refused_messages();
  return report_;
}

void World::check_end() {
  broker_.state().check_invariants();
  broker_.feed().check(broker_.state());
  const std::size_t nodes = clients_.size() + workers_.size() + draining_.size();
  ENSURE(broker_.peers() <= nodes, "peers that are gone are kept", broker_.peers(), nodes);
  for (const auto& client : clients_) {
    for (const auto& [ticket, entry] : client->ledger()) {
      if (entry.task.value == 0) {
        ENSURE(entry.rejected || entry.unknown, "a submission was never answered");
        continue;
      }
      ++report_.accepted;
      ENSURE(broker_.checker().has_task(entry.task), "accepted and lost", to_text(entry.task));
      ENSURE(broker_.checker().is_final(entry.task), "accepted and never final", to_text(entry.task));
      ENSURE(entry.results == 1, "accepted and never told", to_text(entry.task));
      if (entry.state == TaskState::Completed) ++report_.completed;
      const bool told_cancelled = client->cancelled().contains(entry.task);
      ENSURE(!told_cancelled || entry.state == TaskState::Cancelled, "cancelled and not",
             to_text(entry.task));
      report_.cancelled += told_cancelled ? 1 : 0;
    }
  }
}

}  // namespace cidbus::sim
