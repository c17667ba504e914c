#include "tests/sim/group/world.h"

#include <algorithm>

#include "tests/sim/base/drawn.h"
#include "tests/sim/base/partitions.h"

namespace cidbus::group_sim {

using namespace std::chrono_literals;
using group::place;
using group::Seat;
using sim::drawn;

namespace {

constexpr Duration limit_of_healing = 30s;
// Kinds of faults, as they are drawn.
enum Fault : int {
  Crash,
  CrashMany,
  Cut,
  Break,
  Pause,
  Disk,
  Clock,
  Assassin,
  Handover,
  Damage,
  fault_kinds
};

}  // namespace

World::World(std::uint64_t seed, const WorldOptions& options)
    : options_(options),
      prng_(seed),
      faults_(prng_.fork()),
      replacements_(mix_bits(seed)),
      workload_(prng_.fork()),
      network_(timeline_, prng_.fork()),
      shared_{timeline_,
              network_,
              [this](Seat to, group::Received received) { brokers_[place(to)]->on(std::move(received)); },
              checkers_,
              [this](const SimBroker& leader, const group::LogPosition& position) {
                return holders(leader, position);
              },
              [this](Seat of) { return brokers_[place(of)]->disk().losses(); },
              [this](Seat of) { return brokers_[place(of)]->disk().incarnation(); },
              [this](Seat leader) { on_office(leader); },
              [this](const group::Notice& notice) { mark(notice); }} {
  static constexpr std::size_t sizes[] = {1, 2, 3, 3, 3, 4, 5, 5};
  if (options_.short_offices) options_.brokers = 3;
  if (options_.lost_journals) {
    options_.brokers = prng_.chance(1, 2) ? 3 : 5;
    options_.timers.check_quorum = 3s;
  }
  if (options_.brokers == 0) options_.brokers = sizes[prng_.below(std::size(sizes))];
  std::vector<group::Member> members;
  for (std::size_t at = 0; at < options_.brokers; ++at)
    members.push_back({"b" + std::to_string(at + 1), "h" + std::to_string(at + 1) + ":9096",
                       static_cast<std::int32_t>(prng_.below(4))});
  std::size_t append_batches = prng_.chance(1, 2) ? prng_.between(1, 3) : limits::append_batches;
  DiskProfile disk;
  if (prng_.chance(1, 3)) disk.batches_a_sync = prng_.between(1, 3);
  if (prng_.chance(1, 3)) disk.sync = drawn(prng_, 100us, 20ms);
  const std::size_t snapshot_piece = prng_.between(2000, 20'000);
  if (options_.short_offices) append_batches = disk.batches_a_sync = 1;
  if (options_.append_batches != 0) append_batches = options_.append_batches;
  for (std::size_t at = 0; at < options_.brokers; ++at) {
    group::GroupConfig config(members, members[at].name);
    config.durability = options_.durability;
    config.timers = options_.timers;
    config.append_batches = append_batches;
    if (options_.short_offices) config.window_batches = 1;
    config.snapshot_piece = snapshot_piece;
    brokers_.push_back(std::make_unique<SimBroker>(shared_, config, prng_.fork()));
    brokers_.back()->disk().set_profile(disk);
  }
  for (int kind = 0; kind < fault_kinds; ++kind)
    if (prng_.chance(1, 2)) kinds_.push_back(kind);
  if (prng_.chance(1, 2) && !options_.short_offices && options_.snapshots)
    shared_.snapshot_after = prng_.between(50, 300);
  if (options_.snapshot_after != 0) shared_.snapshot_after = options_.snapshot_after;
  if (options_.short_offices) kinds_ = {Assassin};
  if (options_.lost_journals) kinds_ = {Damage, Damage, Cut, Crash};
  between_faults_ = options_.lost_journals ? drawn(prng_, 20ms, 200ms) : drawn(prng_, 100ms, 4s);
  between_submissions_ = drawn(prng_, options_.short_offices ? 20ms : 5ms, 60ms);
  links_.emplace(timeline_, network_, faults_.fork(), brokers_.size(),
                 static_cast<sim::BrokerLinks::Owner&>(*this));
  for (auto& broker : brokers_) broker->start();
}

void World::on_link(std::size_t broker, Seat peer, bool up) {
  if (up) return brokers_[broker]->on(group::Connected{peer});
  brokers_[broker]->on(group::Disconnected{peer});
}

// ---- running

void World::run_for(Duration time) {
  run_until(time, [] { return false; });
}

bool World::run_until(Duration most, const std::function<bool()>& done) {
  const Monotonic until = timeline_.now().monotonic + most;
  while (timeline_.now().monotonic < until) {
    if (done()) return true;
    if (!timeline_.step()) break;
  }
  return done();
}

RunReport World::run() {
  if (prng_.chance(1, 2) || options_.short_offices) {
    sim::NetworkProfile profile = sim::draw_network(prng_);
    profile.haunted = prng_.chance(1, 4);
    network_.set_profile(profile);
    shared_.flatters = prng_.chance(1, 4);
  }
  if (options_.lost_journals) network_.set_profile({.haunted = true});
  schedule_submission();
  run_for(drawn(prng_, 0ms, 2s));
  faulty_ = !kinds_.empty();
  if (faulty_) schedule_fault();
  const bool may_replace = brokers_.size() > 2 && options_.durability != Durability::Memory;
  if (faulty_ && may_replace && replacements_.chance(1, 3)) schedule_replacement();
  run_for(options_.faults_last);
  faulty_ = false;
  heal();
  const Monotonic healed = timeline_.now().monotonic;
  const bool settled = run_until(limit_of_healing, [this] { return all_agree(); });
  check(settled, "one leader after healing", "not within ", limit_of_healing / 1s, " s", describe());
  report_.healed_seconds = std::chrono::duration<double>(timeline_.now().monotonic - healed).count();
  run_for(2s);
  check_end();
  report_.trace = timeline_.trace();
  report_.steps = timeline_.steps();
  report_.simulated_seconds =
      std::chrono::duration<double>(timeline_.now().monotonic - sim::Timeline().now().monotonic).count();
  report_.brokers = brokers_.size();
  report_.offices = checkers_.one_leader.offices();
  report_.acknowledged = checkers_.acknowledged.count();
  report_.messages = network_.sent();
  report_.marks["snapshots installed"] = shared_.snapshots_installed;
  return report_;
}

// ---- clients

void World::submit_to_leaders() {
  // Whoever believes to serve is given work: two at once must not both get away with it.
  for (auto& broker : brokers_) {
    if (broker->submit(submissions_ + 1)) ++submissions_;
    if (workload_.chance(1, 4)) broker->ask_read();
  }
}

void World::schedule_submission() {
  timeline_.after(drawn(workload_, between_submissions_ / 2, between_submissions_ * 2), [this] {
    submit_to_leaders();
    schedule_submission();
  });
}

// ---- faults

void World::schedule_fault() {
  timeline_.after(drawn(faults_, between_faults_ / 4, between_faults_ * 2), [this] {
    if (!faulty_) return;
    make_fault();
    schedule_fault();
  });
}

void World::make_fault() {
  switch (kinds_[faults_.below(kinds_.size())]) {
    case Crash:
      return crash_some(1);
    case CrashMany:
      return crash_some(faults_.between(1, brokers_.size()));
    case Cut:
      return cut_some_links();
    case Break:
      if (brokers_.size() > 1) {
        ++report_.faults["connection breaks"];
        const std::size_t one = any();
        break_connection(one, (one + faults_.between(1, brokers_.size() - 1)) % brokers_.size());
      }
      return;
    case Pause:
      return pause_some();
    case Disk:
      return harm_some_disk();
    case Handover:
      if (SimBroker* leader = sole_leader()) {
        ++report_.faults["hand-over"];
        const bool named = faults_.chance(1, 2);
        leader->on(group::HandOver{named ? static_cast<Seat>(any()) : group::nobody, faults_.chance(1, 4)});
      }
      return;
    case Damage:
      return damage_some();
    case Assassin:
      return;  // on_office
    case Clock:
      ++report_.faults["clock runs wrong"];
      return brokers_[any()]->set_clock_rate(static_cast<int>(faults_.between(0, 100)) - 50);
    default:
      return;
  }
}

// Who has just taken office dies, before or after its first record is anywhere else.
void World::on_office(Seat leader) {
  if (!faulty_ || options_.durability == Durability::Memory ||
      !faults_.chance(options_.short_offices ? 3 : 2, 4))
    return;
  if (std::find(kinds_.begin(), kinds_.end(), Assassin) == kinds_.end()) return;
  ++report_.faults["new leader crashes"];
  const std::size_t at = place(leader);
  timeline_.after(drawn(faults_, 0ms, options_.short_offices ? 60ms : 20ms), [this, at] {
    kill(at);
    timeline_.after(drawn(faults_, 1ms, options_.short_offices ? 600ms : 2s), [this, at] { restart(at); });
  });
}

void World::crash_some(std::size_t count) {
  // Durability `memory` promises nothing over crashes.
  if (options_.durability == Durability::Memory) return;
  for (std::size_t done = 0; done < count; ++done) {
    // The leader dies more often than its share.
    SimBroker* leader = sole_leader();
    const std::size_t at = leader != nullptr && faults_.chance(1, 2) ? place(leader->config().self()) : any();
    if (!brokers_[at]->running()) continue;
    ++report_.faults["crash"];
    kill(at);
    timeline_.after(drawn(faults_, 1ms, 3s), [this, at] { restart(at); });
  }
}

void World::kill(std::size_t at) {
  if (!brokers_[at]->running()) return;
  brokers_[at]->crash();
  links_->on_death(at);
}

void World::restart(std::size_t at) {
  if (brokers_[at]->running() || without_disk_ == at) return;
  brokers_[at]->start();
  links_->on_start(at);
}

void World::cut_some_links() {
  if (brokers_.size() < 2) return;
  const sim::Partition partition = sim::draw_partition(faults_, brokers_.size());
  ++report_.faults["links cut: " + partition.shape];
  network_.cut(partition.cut);
  timeline_.after(drawn(faults_, 50ms, 5s), [this] { network_.heal(); });
}

// A broker dies, and finds its journal damaged when it comes back. One at a time: what two have lost may be
// lost for good, and no rule brings it back.
void World::damage_some() {
  const std::size_t at = any();
  if (!all_whole() || brokers_.size() == 1 || options_.durability == Durability::Memory) return;
  kill(at);
  // Of two, the other can not lead alone: nobody would bring this one up again.
  if (brokers_.size() > 2 && (options_.lost_journals || faults_.chance(1, 3))) {
    ++report_.faults["journal lost"];
    brokers_[at]->disk().lose_journal();
  } else if (brokers_[at]->disk().rot(faults_)) {
    ++report_.faults["bits rot"];
  }
  timeline_.after(drawn(faults_, 1ms, options_.lost_journals ? 50ms : 2s), [this, at] { restart(at); });
}

bool World::all_whole() const {
  return std::none_of(brokers_.begin(), brokers_.end(),
                      [](const auto& broker) { return broker->disk().damaged(); });
}

void World::replace_disk(std::size_t at) {
  brokers_[at]->disk().replace();
  checkers_.votes.on_another_disk(static_cast<Seat>(at));
}

// A disk is lost with everything on it, and the broker comes back on an empty one. That takes longer than
// anything else that may be under way: a deposed leader has left office by then (D4).
void World::schedule_replacement() {
  timeline_.after(drawn(replacements_, 200ms, options_.faults_last / 3), [this] {
    const std::size_t at = replacements_.below(brokers_.size());
    if (!faulty_) return;
    if (!all_whole() || !brokers_[at]->running()) return schedule_replacement();
    ++report_.faults["disk replaced"];
    kill(at);
    replace_disk(at);
    without_disk_ = at;
    timeline_.after(drawn(replacements_, 4s, 8s), [this, at] {
      without_disk_.reset();
      restart(at);
    });
  });
}

void World::mark(const group::Notice& notice) {
  using group::NoticeKind;
  if (notice.kind == NoticeKind::Refilled) ++report_.marks["holes refilled"];
  if (notice.kind == NoticeKind::TailDropped) ++report_.marks["damaged tails dropped"];
  if (notice.kind == NoticeKind::Repaired) ++report_.marks["lost journals brought up"];
}

void World::pause_some() {
  const std::size_t at = any();
  if (!brokers_[at]->running() || brokers_[at]->paused()) return;
  ++report_.faults["pause"];
  brokers_[at]->pause();
  timeline_.after(drawn(faults_, 10ms, 3s), [this, at] {
    if (brokers_[at]->running() && brokers_[at]->paused()) brokers_[at]->resume();
  });
}

void World::harm_some_disk() {
  const std::size_t at = any();
  SimDisk& disk = brokers_[at]->disk();
  const Duration lasts = drawn(faults_, 50ms, 5s);
  switch (faults_.below(5)) {
    case 4:
      ++report_.faults["received piece damaged"];
      return disk.damage_received();
    case 0:
      ++report_.faults["disk slow"];
      disk.set_slow(drawn(faults_, 5ms, 500ms));
      return timeline_.after(lasts, [&disk] { disk.set_slow({}); });
    case 1:
      ++report_.faults["disk full"];
      disk.set_full(true);
      brokers_[at]->on(group::RoomKnown{true});
      return timeline_.after(lasts, [this, at, &disk] {
        disk.set_full(false);
        brokers_[at]->on(group::RoomKnown{false});
      });
    case 2:
      ++report_.faults["disk hangs"];
      disk.set_hung(true);
      return timeline_.after(lasts, [&disk] { disk.set_hung(false); });
    default:
      if (!brokers_[at]->running() || options_.durability == Durability::Memory) return;
      ++report_.faults["sync fails"];
      disk.fail_next_sync([this, at] {
        timeline_.after({}, [this, at] {
          kill(at);
          timeline_.after(drawn(faults_, 1ms, 1s), [this, at] { restart(at); });
        });
      });
  }
}

void World::heal() {
  network_.heal();
  network_.set_profile({});
  shared_.flatters = false;
  without_disk_.reset();
  for (std::size_t at = 0; at < brokers_.size(); ++at) {
    SimBroker& broker = *brokers_[at];
    broker.set_clock_rate(0);
    broker.disk().set_profile({});
    broker.disk().set_slow({});
    broker.disk().set_full(false);
    broker.disk().set_hung(false);
    broker.on(group::RoomKnown{false});
    if (!broker.running()) restart(at);
    if (broker.paused()) broker.resume();
  }
}

// ---- truths at the end

SimBroker* World::sole_leader() {
  SimBroker* leader = nullptr;
  for (auto& broker : brokers_) {
    if (!broker->serving()) continue;
    if (leader != nullptr) return nullptr;
    leader = broker.get();
  }
  return leader;
}

bool World::all_agree() {
  SimBroker* leader = sole_leader();
  if (leader == nullptr || leader->applied() < leader->group().commit()) return false;
  return std::all_of(brokers_.begin(), brokers_.end(), [&](const auto& broker) {
    return broker->running() && !broker->disk().damaged() &&
           broker->group().epoch() == leader->group().epoch() &&
           broker->group().leader() == leader->config().self() &&
           broker->applied().value + 50 >= leader->applied().value;
  });
}

// For the one who must find out why it did not settle.
std::string World::describe() const {
  std::ostringstream text;
  const auto put = [&text](const group::LogPosition& position) -> std::ostream& {
    return text << position.epoch.value << "/" << position.index.value;
  };
  for (const auto& broker : brokers_) {
    text << "\n  " << broker->config().at(broker->config().self()).name;
    if (!broker->running()) {
      text << " is not running";
      continue;
    }
    const group::Group& group = broker->group();
    text << " " << to_text(group.role()) << ", epoch " << group.epoch().value << ", log from ";
    put(group.log().base()) << " to ";
    put(group.log().last()) << ", whole to ";
    put(group.log().whole()) << ", " << group.log().holes().size() << " holes, durable "
                             << group.log().durable().value << ", commit " << group.commit().value
                             << ", applied " << broker->applied().value
                             << (group.repairing() ? ", repairing" : "");
  }
  return text.str();
}

void World::check_end() {
  // A hand-over may be under way: it is over in a moment.
  check(run_until(2s, [this] { return all_agree(); }), "one leader after healing", "it did not last");
  for (auto& broker : brokers_) {
    if (broker.get() == sole_leader()) checkers_.acknowledged.on_end(broker->state());
  }
}

std::size_t World::holders(const SimBroker& leader, const group::LogPosition& position) const {
  return static_cast<std::size_t>(std::count_if(brokers_.begin(), brokers_.end(), [&](const auto& broker) {
    const SimDisk& disk = broker->disk();
    const bool known = disk.losses() == leader.losses_known(place(broker->config().self()));
    if (disk.holds(position, known)) return true;
    return options_.durability == Durability::Memory && broker->running() &&
           broker->group().log().has(position);
  }));
}

}  // namespace cidbus::group_sim
