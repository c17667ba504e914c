#include "tests/sim/faults.h"

#include <algorithm>

#include "tests/sim/base/drawn.h"
#include "tests/sim/base/partitions.h"

namespace cidbus::sim {

using namespace std::chrono_literals;
using group::place;
using group::Seat;

namespace {

constexpr ByteCount no_bound = ByteCount{1} << 40;

}  // namespace

const std::vector<Faults::Kind>& Faults::kinds() {
  static const std::vector<Kind> all = {
      {&Faults::kill_some, true},
      {&Faults::cut_power_of_some, true},
      {&Faults::stop_in_order, true},
      {&Faults::cut_power_while_writing, true},
      {&Faults::fail_disk, true},
      {&Faults::damage_disk, true},
      {&Faults::pause, false},
      {&Faults::hand_over, false},
      {&Faults::partition, false},
      {&Faults::clog_links, false},
      {&Faults::break_link, false},
      {&Faults::trouble_nodes, false},
      {&Faults::cut_off_node, false},
      {&Faults::step_clock, false},
      {&Faults::slow_disk, false},
      {&Faults::fill_disk, false},
      {&Faults::hang_disk, false},
      {&Faults::kill_worker, false},
      {&Faults::drain_worker, false},
      {&Faults::pause_node, false},
      {&Faults::depose_behind_clogs, false},
  };
  return all;
}

Faults::Faults(Cluster& cluster, Prng prng)
    : cluster_(cluster),
      prng_(prng),
      corruption_(Prng(prng).fork()),
      rubbish_(cluster.bus, cluster.size(), prng_.fork()) {
  const bool memory = cluster.durability == Durability::Memory;
  for (const Kind& kind : kinds()) {
    if (prng_.chance(1, 2) && !(memory && kind.harms_memory)) drawn_.push_back(kind.make);
  }
  assassin_ = prng_.chance(1, 3) && !memory;
  between_ = drawn(prng_, 100ms, 4s);
  corrupts_ = cluster.size() > 2 && !memory && corruption_.chance(1, 6);
  cluster.on_office_taken = [this](std::size_t broker) { on_office(broker); };
}

void Faults::begin() {
  active_ = true;
  if (prng_.chance(1, 2)) cluster_.mesh.set_profile(draw_network(prng_));
  if (!drawn_.empty()) schedule();
  schedule_rubbish();
  if (corrupts_) schedule_corruption();
}

void Faults::schedule() {
  cluster_.timeline.after(drawn(prng_, between_ / 4, between_ * 2), [this] {
    if (!active_) return;
    if (cluster_.corrupt() == 0) (this->*drawn_[prng_.below(drawn_.size())])();
    schedule();
  });
}

void Faults::schedule_corruption() {
  cluster_.timeline.after(drawn(corruption_, 100ms, 6s), [this] {
    if (!active_) return;
    corrupt_some();
    if (corrupts_) schedule_corruption();
  });
}

void Faults::corrupt_some() {
  if (!cluster_.all_agree()) return;
  const std::size_t leader = place(cluster_.sole_leader()->seat());
  const std::size_t at = corruption_.chance(1, 2) ? leader : corruption_.below(cluster_.size());
  cluster_.mesh.heal();
  if (!cluster_.broker(at).corrupt_state(corruption_)) return;
  tell(at == leader ? "the leader's state is corrupted" : "a standby's state is corrupted", at);
  corrupts_ = false;
}

void Faults::schedule_rubbish() {
  cluster_.timeline.after(drawn(prng_, 20ms, 2s), [this] {
    if (!active_) return;
    cluster_.chronicle.fault("rubbish on the bus");
    rubbish_.send();
    schedule_rubbish();
  });
}

void Faults::tell(const std::string& kind, std::size_t broker) {
  cluster_.chronicle.fault(kind, cluster_.broker(broker).name());
}

std::size_t Faults::some_broker() {
  const BrokerNode* const leader = cluster_.sole_leader();
  return leader != nullptr && prng_.chance(1, 2) ? place(leader->seat()) : any();
}

void Faults::start_later(std::size_t broker, Duration most) {
  if (prng_.chance(1, 8)) most = 20s;
  cluster_.timeline.after(drawn(prng_, 1ms, most), [this, broker] { cluster_.start(broker); });
}

// ---- brokers that die, stop, or stand still

void Faults::kill_some() {
  const std::uint64_t count = prng_.chance(1, 4) ? prng_.between(1, cluster_.size()) : 1;
  for (std::uint64_t done = 0; done < count; ++done) {
    const std::size_t at = some_broker();
    if (!cluster_.broker(at).running()) continue;
    tell("kill -9", at);
    cluster_.kill(at);
    start_later(at, 3s);
  }
}

void Faults::cut_power_of_some() {
  const std::uint64_t count = prng_.chance(1, 4) ? cluster_.size() : 1;
  for (std::uint64_t done = 0; done < count; ++done) {
    const std::size_t at = count > 1 ? done : some_broker();
    if (!cluster_.broker(at).running()) continue;
    tell(count > 1 ? "power cut of all" : "power cut", at);
    cluster_.crash(at);
    start_later(at, 3s);
  }
}

void Faults::cut_power_while_writing() {
  const std::size_t at = some_broker();
  if (!cluster_.broker(at).running()) return;
  tell("power cut within a write", at);
  cluster_.broker(at).cut_power_at(prng_.below(12));
}

void Faults::stop_in_order() {
  const std::size_t at = some_broker();
  if (!cluster_.broker(at).running() || cluster_.broker(at).paused()) return;
  tell("stop in order", at);
  cluster_.broker(at).stop_in_order();
}

void Faults::pause() {
  const std::size_t at = some_broker();
  if (!cluster_.broker(at).running() || cluster_.broker(at).paused()) return;
  tell("pause", at);
  cluster_.broker(at).pause();
  cluster_.timeline.after(drawn(prng_, 10ms, 4s), [this, at] {
    if (cluster_.broker(at).running() && cluster_.broker(at).paused()) cluster_.broker(at).resume();
  });
}

void Faults::hand_over() {
  BrokerNode* const leader = cluster_.sole_leader();
  if (leader == nullptr) return;
  tell("hand-over by order", place(leader->seat()));
  leader->hand_over(prng_.chance(1, 2) ? static_cast<Seat>(any()) : group::nobody);
}

// Who has just taken office dies, before or after its first record is anywhere else.
void Faults::on_office(std::size_t at) {
  if (!active_ || !assassin_ || !prng_.chance(1, 2) || cluster_.corrupt() > 0) return;
  cluster_.timeline.after(drawn(prng_, 0ms, 20ms), [this, at] {
    if (!active_ || !cluster_.broker(at).running()) return;
    tell("new leader is killed", at);
    cluster_.kill(at);
    start_later(at, 2s);
  });
}

// ---- the network

void Faults::partition() {
  if (cluster_.size() == 1) return;
  const Partition partition = draw_partition(prng_, cluster_.size());
  cluster_.chronicle.fault("partition: " + partition.shape);
  cluster_.mesh.cut(partition.cut);
  const Duration lasts = drawn(prng_, 50ms, 5s);
  // Whoever is apart from the brokers may be apart from everybody.
  if (partition.alone != group::nobody && prng_.chance(1, 2))
    cluster_.bus.trouble_all(place(partition.alone), prng_.chance(1, 2) ? Trouble::Clogged : Trouble::Silent,
                             lasts);
  cluster_.timeline.after(lasts, [this] { cluster_.mesh.cut({}); });
}

void Faults::clog_links() {
  if (cluster_.size() == 1) return;
  const std::size_t one = any();
  const std::size_t other = (one + prng_.between(1, cluster_.size() - 1)) % cluster_.size();
  tell("clog between brokers", one);
  const Duration lasts = drawn(prng_, 20ms, 4s);
  cluster_.mesh.clog(static_cast<Seat>(one), static_cast<Seat>(other), lasts);
  if (prng_.chance(1, 2)) cluster_.mesh.clog(static_cast<Seat>(other), static_cast<Seat>(one), lasts);
}

// The worst that a deposed leader can do: nodes have just come to it, it is cut off from the others, and what
// it told those nodes while it still led arrives when they follow another.
void Faults::depose_behind_clogs() {
  BrokerNode* const leader = cluster_.sole_leader();
  if (leader == nullptr || cluster_.size() < 3) return;
  const std::size_t at = place(leader->seat());
  tell("leader is deposed behind clogs", at);
  cluster_.bus.trouble_all(at, Trouble::Breaks, {});
  const Duration lasts = drawn(prng_, 1s, 9s);
  cluster_.timeline.after(drawn(prng_, 5ms, 40ms), [this, at, lasts] {
    if (!active_) return;
    cluster_.bus.trouble_all(at, Trouble::ClogsToNode, lasts);
    for (std::size_t other = 0; other < cluster_.size(); ++other) {
      if (other == at) continue;
      cluster_.mesh.clog(static_cast<Seat>(at), static_cast<Seat>(other), lasts);
      cluster_.mesh.clog(static_cast<Seat>(other), static_cast<Seat>(at), lasts);
    }
  });
}

void Faults::break_link() {
  if (cluster_.size() == 1) return;
  const std::size_t one = any();
  tell("connection of brokers breaks", one);
  cluster_.break_link(one, (one + prng_.between(1, cluster_.size() - 1)) % cluster_.size());
}

// Longer than any timeout, or shorter: both ends find out for themselves.
void Faults::trouble_nodes() {
  static constexpr std::array<Trouble, 5> all = {Trouble::Breaks, Trouble::Silent, Trouble::Clogged,
                                                 Trouble::ClogsToNode, Trouble::ClogsToBroker};
  static constexpr std::array<const char*, 5> names = {
      "connection of a node breaks", "connection of a node is silent", "connection of a node clogs",
      "connection of a node clogs towards it", "connection of a node clogs towards the broker"};
  const std::size_t kind = prng_.below(all.size());
  const Duration lasts = prng_.chance(1, 3) ? drawn(prng_, 25s, 70s) : drawn(prng_, 100ms, 9s);
  if (prng_.chance(1, 4)) {
    const std::size_t at = some_broker();
    tell(std::string(names[kind]) + ": all of a broker", at);
    return cluster_.bus.trouble_all(at, all[kind], lasts);
  }
  if (cluster_.bus.trouble_one(all[kind], lasts)) cluster_.chronicle.fault(names[kind]);
}

// For so long that leases end, most of the time.
void Faults::cut_off_node() {
  cluster_.chronicle.fault("node is cut off");
  cluster_.bus.trouble_node(prng_.chance(1, 2) ? Trouble::Silent : Trouble::Clogged, drawn(prng_, 10s, 70s));
}

// ---- clocks

void Faults::step_clock() {
  const std::size_t at = any();
  if (prng_.chance(1, 2)) {
    tell("clock runs wrong", at);
    return cluster_.broker(at).clock().set_rate(static_cast<int>(prng_.between(0, 80)) - 40);
  }
  tell("clock is set", at);
  const auto minutes = static_cast<std::int64_t>(prng_.between(0, 40)) - 20;
  cluster_.broker(at).clock().set_wall_offset(std::chrono::minutes(minutes));
}

// ---- disks

void Faults::slow_disk() {
  const std::size_t at = some_broker();
  tell("disk is slow", at);
  cluster_.broker(at).set_slow_disk(drawn(prng_, 5ms, 500ms));
  cluster_.timeline.after(drawn(prng_, 50ms, 5s), [this, at] { cluster_.broker(at).set_slow_disk({}); });
}

void Faults::fill_disk() {
  const std::size_t at = some_broker();
  tell("disk is full", at);
  SimulatedDisk& files = cluster_.broker(at).files();
  files.set_capacity(files.used());
  cluster_.timeline.after(drawn(prng_, 10ms, 4s), [&files] { files.set_capacity(no_bound); });
}

void Faults::hang_disk() {
  const std::size_t at = some_broker();
  tell("disk hangs", at);
  cluster_.broker(at).set_hung_disk(true);
  cluster_.timeline.after(drawn(prng_, 50ms, 6s), [this, at] { cluster_.broker(at).set_hung_disk(false); });
}

// A write or a sync fails as a disk does, EIO: the broker ends.
void Faults::fail_disk() {
  const std::size_t at = some_broker();
  if (!cluster_.broker(at).running()) return;
  tell("disk fails", at);
  cluster_.broker(at).files().plan(prng_.below(12), DiskAccident::Broken);
}

// A broker dies, and finds what it had on disk damaged when it comes back.
void Faults::damage_disk() {
  const std::size_t at = some_broker();
  bool another = cluster_.size() == 1 || !cluster_.broker(at).running();
  for (std::size_t each = 0; each < cluster_.size(); ++each)
    another = another || cluster_.broker(each).damaged();
  if (another) return;
  cluster_.kill(at);
  if (const std::string kind = cluster_.broker(at).damage(prng_); !kind.empty()) tell(kind, at);
  start_later(at, 3s);
}

// ---- workers and clients

void Faults::kill_worker() {
  const std::size_t at = prng_.below(cluster_.workers());
  if (!cluster_.has_worker(at)) return;
  cluster_.chronicle.fault("worker is killed");
  cluster_.kill_worker(at);
  cluster_.timeline.after(drawn(prng_, 1ms, 8s), [this, at] { cluster_.add_worker(at); });
}

void Faults::drain_worker() {
  const std::size_t at = prng_.below(cluster_.workers());
  if (!cluster_.has_worker(at)) return;
  cluster_.chronicle.fault("worker is drained");
  cluster_.drain_worker(at);
  cluster_.timeline.after(drawn(prng_, 1ms, 8s), [this, at] { cluster_.add_worker(at); });
}

// For longer than a lease, sometimes.
void Faults::pause_node() {
  const Duration lasts = prng_.chance(1, 3) ? drawn(prng_, 20s, 70s) : drawn(prng_, 10ms, 6s);
  const std::size_t worker = prng_.below(cluster_.workers());
  if (prng_.chance(1, 3)) {
    cluster_.chronicle.fault("client is paused");
    cluster_.clients()[prng_.below(cluster_.clients().size())]->stand_still(lasts);
  } else if (cluster_.has_worker(worker)) {
    cluster_.chronicle.fault("worker is paused");
    cluster_.worker(worker).stand_still(lasts);
  }
}

// ---- the end

void Faults::heal() {
  active_ = false;
  cluster_.mesh.heal();
  cluster_.mesh.set_profile({});
  if (prng_.chance(1, 2)) cluster_.bus.heal();  // else each trouble of a node ends in its own time
  for (std::size_t at = 0; at < cluster_.size(); ++at) {
    BrokerNode& broker = cluster_.broker(at);
    broker.clock().set_rate(0);
    broker.clock().set_wall_offset({});
    broker.set_slow_disk({});
    broker.set_hung_disk(false);
    broker.files().set_capacity(no_bound);
    if (broker.running() && broker.paused()) broker.resume();
    cluster_.start(at);
  }
  cluster_.chronicle.say("faults", "are over");
}

}  // namespace cidbus::sim
