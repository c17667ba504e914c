// A simulated group, and the handles that a written scene needs: a step that does not come about is a failure
// of the scene.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include "tests/sim/group/world.h"

namespace cidbus::group_sim {

class Scene {
 public:
  Scene(std::uint64_t seed, const WorldOptions& options) : world(seed, options) {}

  World world;

  SimBroker& broker(std::size_t at) { return world.broker(at); }
  void until(Duration most, const char* what, const std::function<bool()>& done) {
    check(world.run_until(most, done), "scene", "it did not come about that ", what);
  }
  std::size_t leader() {
    until(std::chrono::seconds(20), "somebody leads, and all are part of the group",
          [this] { return world.sole_leader() != nullptr && world.all_whole(); });
    return group::place(world.sole_leader()->config().self());
  }
  // So many submissions, accepted.
  void submit(std::size_t count) {
    const std::size_t before = world.checkers().acknowledged.count();
    const auto enough = [&] { return world.checkers().acknowledged.count() >= before + count; };
    for (std::size_t sent = 0; sent < 20 * count && !enough(); ++sent) {
      world.submit_to_leaders();
      world.run_for(std::chrono::milliseconds(2));
    }
    until(std::chrono::seconds(5), "submissions are accepted", enough);
  }
  void link(std::size_t one, std::size_t other, bool connected) {
    world.network().cut(static_cast<group::Seat>(one), static_cast<group::Seat>(other), !connected);
    world.network().cut(static_cast<group::Seat>(other), static_cast<group::Seat>(one), !connected);
  }
  void link_to_all(std::size_t one, bool connected) {
    for (std::size_t other = 0; other < world.size(); ++other)
      if (other != one) link(one, other, connected);
  }
  // Everybody is back: one leads, and all that was accepted is there.
  void ends_well() {
    world.network().heal();
    for (std::size_t at = 0; at < world.size(); ++at) world.restart(at);
    until(std::chrono::seconds(30), "all are whole",
          [this] { return world.sole_leader() != nullptr && world.all_whole(); });
    submit(1);
    world.checkers().acknowledged.on_end(world.sole_leader()->state());
  }
};

}  // namespace cidbus::group_sim
