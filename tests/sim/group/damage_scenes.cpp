#include "tests/sim/group/damage_scenes.h"

#include <vector>

#include "tests/sim/group/scene.h"

namespace cidbus::group_sim {
namespace {

using namespace std::chrono_literals;
using group::place;
using group::Seat;

WorldOptions brokers(std::size_t count) {
  WorldOptions options;
  options.brokers = count;
  options.snapshots = false;  // all is in the journal
  return options;
}

}  // namespace

void play_forgotten_claim(std::uint64_t seed) {
  Scene scene(seed, brokers(3));
  const std::size_t leader = scene.leader();
  const std::size_t damaged = (leader + 1) % 3;
  const std::size_t behind = (leader + 2) % 3;
  scene.submit(10);
  scene.link_to_all(behind, false);
  const LogIndex before = scene.broker(behind).group().log().last().index;
  scene.submit(10);
  scene.world.kill(leader);
  scene.world.kill(damaged);
  scene.broker(damaged).disk().rot_behind(before);
  scene.world.restart(damaged);
  scene.link(damaged, behind, true);
  scene.world.run_for(5s);
  scene.ends_well();
}

void play_denied_once(std::uint64_t seed) {
  WorldOptions options = brokers(3);
  options.timers.check_quorum = 10s;  // the leader holds out alone, with a disk that hangs
  options.timers.slow_disk = 20s;
  Scene scene(seed, options);
  const std::size_t leader = scene.leader();
  const std::size_t damaged = (leader + 1) % 3;
  const std::size_t behind = (leader + 2) % 3;  // whom the damaged one asks first
  const auto log = [&](std::size_t at) -> const group::LogWindow& { return scene.broker(at).group().log(); };
  scene.submit(10);
  scene.until(5s, "its disk rests", [&] { return log(leader).durable() == log(leader).last().index; });
  const LogIndex before = log(leader).last().index;
  scene.link(leader, behind, false);
  scene.broker(leader).disk().set_hung(true);
  scene.world.submit_to_leaders();
  const auto has_its_word = [&] {
    return scene.broker(leader).group().replication().follower(static_cast<Seat>(damaged)).durable > before;
  };
  scene.until(2s, "the leader has a standby's word for the record", has_its_word);
  scene.link(leader, damaged, false);
  scene.world.kill(damaged);
  scene.broker(damaged).disk().rot_behind(before);
  scene.world.restart(damaged);
  scene.world.run_for(100ms);  // the one behind says that it lacks the record
  scene.link(damaged, behind, false);
  scene.link(leader, behind, true);
  const auto is_committed = [&] { return scene.broker(leader).group().commit() > before; };
  scene.until(5s, "two words for the record commit it", is_committed);
  scene.link(leader, behind, false);
  scene.world.kill(leader);
  scene.world.restart(leader);
  scene.link(leader, damaged, true);  // and it says that it lacks the record, which its disk never had
  scene.world.run_for(5s);
  scene.ends_well();
}

void play_earlier_candidacy(std::uint64_t seed) {
  Scene scene(seed, brokers(3));
  const std::size_t leader = scene.leader();
  const std::size_t voter = (leader + 1) % 3;
  const std::size_t forgetful = (leader + 2) % 3;
  const Seat candidate = static_cast<Seat>(forgetful);
  scene.submit(10);
  scene.link_to_all(forgetful, false);
  scene.submit(10);  // its disk never had them
  scene.world.kill(leader);
  scene.world.kill(forgetful);
  scene.world.restart(forgetful);
  scene.world.run_for(1s);
  const Epoch epoch = scene.broker(voter).group().epoch();
  const auto probes = [&] { return scene.broker(forgetful).group().role() == group::Role::Probing; };
  scene.until(2s, "it asks who objects", probes);
  // Nobody does. Such a word binds nobody; which round it answers is all one here.
  for (std::uint64_t round = 1; round < 100; ++round)
    scene.broker(forgetful).on(group::Received{static_cast<Seat>(voter), epoch,
                                               group::Aye{round, scene.broker(voter).group().rank()}});
  const auto stands = [&] { return scene.broker(forgetful).group().role() == group::Role::Candidate; };
  scene.until(100ms, "it stands", stands);
  const group::VoteRequest earlier{scene.broker(voter).group().log().last(), 42, 0};
  scene.link(forgetful, voter, true);
  scene.broker(voter).on(group::Received{candidate, {epoch.value + 1}, earlier});
  scene.world.run_for(1s);
  scene.ends_well();
}

void play_unmatched_acknowledgement(std::uint64_t seed) {
  WorldOptions options = brokers(3);
  options.timers.check_quorum = 10s;  // leaders hold out alone
  Scene scene(seed, options);
  const std::size_t old = scene.leader();
  scene.submit(10);
  const auto submit_to = [&](std::size_t at, std::uint64_t first) {
    for (std::uint64_t count = 0; count < 10; ++count) {
      scene.broker(at).submit(first + count);
      scene.world.run_for(5ms);
    }
  };
  scene.link_to_all(old, false);
  submit_to(old, 1'000'000);
  std::size_t next = old;
  scene.until(10s, "another leads", [&] {
    for (std::size_t at = 0; at < 3; ++at)
      if (at != old && scene.broker(at).serving()) next = at;
    return next != old;
  });
  scene.world.kill(3 - old - next);
  submit_to(next, 2'000'000);
  submit_to(next, 3'000'000);
  scene.link(old, next, true);
  scene.world.run_for(5s);
  scene.ends_well();
}

void play_replaced_disk(std::uint64_t seed) {
  Scene scene(seed, brokers(3));
  const std::size_t leader = scene.leader();
  const std::size_t replaced = (leader + 1) % 3;
  const std::size_t behind = (leader + 2) % 3;
  scene.submit(10);
  scene.link_to_all(behind, false);
  scene.submit(10);
  scene.world.kill(replaced);
  scene.world.replace_disk(replaced);
  scene.world.kill(leader);
  scene.world.restart(replaced);
  scene.link(replaced, behind, true);
  scene.world.run_for(5s);
  scene.ends_well();
}

void play_stale_goal(std::uint64_t seed) {
  WorldOptions options = brokers(3);
  options.append_batches = 1;  // the journal comes in many pieces
  Scene scene(seed, options);
  const std::size_t leader = scene.leader();
  const std::size_t damaged = (leader + 1) % 3;
  const std::size_t behind = (leader + 2) % 3;
  scene.submit(5);
  const Epoch epoch = scene.broker(leader).group().epoch();
  const LogIndex old_goal = scene.broker(leader).group().log().last().index;
  const auto lose_journal = [&] {
    scene.world.kill(damaged);
    scene.broker(damaged).disk().lose_journal();
    scene.world.restart(damaged);
  };
  lose_journal();
  scene.until(5s, "it is whole again", [&] { return !scene.broker(damaged).disk().damaged(); });
  scene.link_to_all(behind, false);
  scene.submit(300);
  lose_journal();
  // The leader dies when the damaged one has what the old goal was, and little more.
  const auto has_old_goal = [&] { return scene.broker(damaged).group().log().durable() >= old_goal; };
  scene.until(5s, "it has some of its journal again", has_old_goal);
  scene.world.kill(leader);
  scene.broker(damaged).on(group::Received{static_cast<Seat>(leader), epoch, group::RepairGoal{1, old_goal}});
  scene.link(damaged, behind, true);
  scene.world.run_for(5s);
  scene.ends_well();
}

void play_forgotten_office(std::uint64_t seed) {
  WorldOptions options = brokers(5);
  options.timers.check_quorum = 10s;  // a deposed leader that is not told believes in its office for long
  Scene scene(seed, options);
  const std::size_t old = scene.leader();
  scene.submit(5);
  const std::size_t damaged = (old + 1) % 5;
  scene.link_to_all(old, false);
  scene.link_to_all(damaged, false);
  std::size_t next = old;
  scene.until(10s, "another leads", [&] {
    for (std::size_t at = 0; at < 5; ++at)
      if (at != old && scene.broker(at).serving()) next = at;
    return next != old;
  });
  std::vector<std::size_t> others;
  for (std::size_t at = 0; at < 5; ++at)
    if (at != old && at != damaged && at != next) others.push_back(at);
  // From here on the damaged one is the third that a majority needs.
  scene.link_to_all(others[1], false);
  scene.link(damaged, next, true);
  scene.submit(10);
  scene.world.kill(damaged);
  scene.broker(damaged).disk().lose_journal();
  scene.link_to_all(damaged, false);
  scene.link(damaged, old, true);
  scene.world.restart(damaged);
  scene.world.run_for(1s);
  scene.world.kill(next);
  scene.world.kill(others[0]);
  scene.link(damaged, others[1], true);
  scene.link(old, others[1], true);
  scene.world.run_for(15s);
  scene.ends_well();
}

}  // namespace cidbus::group_sim
