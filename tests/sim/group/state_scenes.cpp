#include "tests/sim/group/state_scenes.h"

#include "shared/base/limits/state_digest.h"
#include "tests/sim/group/scene.h"

namespace cidbus::group_sim {
namespace {

using namespace std::chrono_literals;

WorldOptions brokers(std::size_t count) {
  WorldOptions options;
  options.brokers = count;
  return options;
}

// Enough for one record, at least, whose digest all remember.
constexpr std::size_t past_a_digest = 2 * limits::digest_every;

const group::StateComparison& comparison(Scene& scene, std::size_t at) {
  return scene.broker(at).group().comparison();
}

void is_healed(Scene& scene, std::size_t at) {
  const auto healed = [&] { return !scene.broker(at).corrupt() && comparison(scene, at).good(); };
  check(scene.world.run_until(20s, healed), "R7 a wrong state is replaced", "it was not");
  scene.submit(past_a_digest);
  // Its followers, or it as a follower, have been found equal since.
  const LogIndex since{scene.broker(at).applied().value - limits::digest_every};
  const auto agrees = [&] { return comparison(scene, at).agreed() >= since; };
  check(scene.world.run_until(5s, agrees), "R7 a wrong state is replaced",
        "it is not found equal afterwards");
  scene.ends_well();
}

void is_outvoted_and_healed(Scene& scene, std::size_t at) {
  const auto another = [&] {
    const SimBroker* const leads = scene.world.sole_leader();
    return leads != nullptr && leads != &scene.broker(at);
  };
  check(scene.world.run_until(10s, another), "R7 an outvoted leader goes", "it did not");
  is_healed(scene, at);
}

void play_standby_among(std::size_t count, std::uint64_t seed) {
  Scene scene(seed, brokers(count));
  const std::size_t leader = scene.leader();
  const std::size_t corrupt = (leader + 1) % scene.world.size();
  scene.submit(10);
  scene.until(5s, "it has applied something", [&] { return !scene.broker(corrupt).state().empty(); });
  scene.broker(corrupt).corrupt_state();
  scene.submit(past_a_digest);
  is_healed(scene, corrupt);
  check(scene.leader() == leader, "R7 a majority keeps its leader", "it lost its office");
}

}  // namespace

void play_corrupt_standby(std::uint64_t seed) { play_standby_among(seed % 2 == 0 ? 3 : 5, seed); }

void play_corrupt_standby_of_two(std::uint64_t seed) { play_standby_among(2, seed); }

void play_corrupt_leader(std::uint64_t seed) {
  Scene scene(seed, brokers(seed % 2 == 0 ? 3 : 5));
  const std::size_t corrupt = scene.leader();
  scene.submit(10);
  scene.broker(corrupt).corrupt_state();
  scene.submit(past_a_digest);
  is_outvoted_and_healed(scene, corrupt);
}

void play_corrupt_straggler(std::uint64_t seed) {
  Scene scene(seed, brokers(3));
  const std::size_t leader = scene.leader();
  const std::size_t corrupt = (leader + 1) % 3;
  scene.submit(10);
  scene.until(5s, "it has applied something", [&] { return !scene.broker(corrupt).state().empty(); });
  scene.broker(corrupt).corrupt_state();
  scene.submit(20);
  scene.link_to_all(corrupt, false);
  scene.submit(10 * past_a_digest);
  if (seed % 2 == 0) {
    // What it was is forgotten with its memory, but for its snapshots; it may be good again.
    scene.world.kill(corrupt);
    scene.world.restart(corrupt);
  }
  scene.link_to_all(corrupt, true);
  scene.submit(past_a_digest);
  scene.until(20s, "it has caught up", [&] {
    return scene.broker(corrupt).applied().value + 10 > scene.broker(leader).applied().value;
  });
  scene.submit(past_a_digest);
  scene.world.run_for(2s);
  const LogIndex since{scene.broker(leader).applied().value - past_a_digest};
  const auto agrees = [&] { return comparison(scene, corrupt).agreed() >= since; };
  check(scene.world.run_until(20s, agrees), "R7 a wrong state is replaced",
        "it is not found equal afterwards");
  scene.ends_well();
}

void play_corrupt_leader_and_one_away(std::uint64_t seed) {
  WorldOptions options = brokers(3);
  options.snapshots = false;  // one that a corrupt leader sends to whoever lags is believed
  Scene scene(seed, options);
  const std::size_t corrupt = scene.leader();
  const std::size_t away = (corrupt + 1) % 3;
  const std::size_t other = (corrupt + 2) % 3;
  scene.submit(10);
  scene.world.kill(away);
  scene.broker(corrupt).corrupt_state();
  scene.submit(past_a_digest);
  scene.world.run_for(2s);
  check(comparison(scene, other).good() && scene.leader() == corrupt, "R7 nobody is wrong by one word",
        "one word against one decided");
  scene.world.restart(away);
  scene.submit(past_a_digest);
  is_outvoted_and_healed(scene, corrupt);
}

}  // namespace cidbus::group_sim
