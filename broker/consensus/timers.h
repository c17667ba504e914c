// The times of a group (CONSENSUS section 3), as multiples of its heartbeat.
//
// Three profiles: brokers in one network, in one region, far apart. All are measured on the monotonic clock.
//
// Thread rule: values. Limits: none.
#pragma once

#include <optional>
#include <string_view>

#include "shared/base/time.h"

namespace cidbus::group {

struct Timers {
  Duration heartbeat;     // h: between two beats of a leader
  Duration suspicion;     // T_e: silence after which a leader is suspected
  Duration stickiness;    // T_stick: a leader heard within it is defended against candidates
  Duration check_quorum;  // T_q: a leader that no majority answered within it is in no good standing
  Duration answers;       // T_ok: how long a probe waits for the last answers
  Duration hold;          // T_hold: how long a better broker is given to take office
  Duration vote;          // T_vote: how long a candidate waits for a majority
  Duration modesty;       // T_modest: how long one whom nobody follows lets others stand
  Duration reconnection;  // T_disc: how long a broken connection may be away before its broker counts as dead
  Duration slow_disk;     // a leader whose own sync takes longer hands over (E9)
  Duration steady;        // S: how long a better broker must be steady before it is handed office (H1)
  Duration tenure;        // and how long the leader must have been in office
};

constexpr Timers timers_for(Duration heartbeat, Duration suspicion) {
  using namespace std::chrono_literals;
  Timers timers{};
  timers.heartbeat = heartbeat;
  timers.suspicion = suspicion;
  timers.stickiness = suspicion - heartbeat;
  timers.check_quorum = suspicion;
  timers.answers = heartbeat / 2 > Duration(10ms) ? heartbeat / 2 : Duration(10ms);
  timers.hold = 3 * heartbeat;
  timers.vote = 4 * heartbeat;
  timers.modesty = 1s;
  timers.reconnection = 10ms;
  timers.slow_disk = suspicion > Duration(2s) ? suspicion : Duration(2s);
  timers.steady = 10s;
  timers.tenure = 30s;
  return timers;
}

constexpr Timers lan_timers() {
  using namespace std::chrono_literals;
  return timers_for(50ms, 300ms);
}
constexpr Timers cloud_timers() {
  using namespace std::chrono_literals;
  return timers_for(100ms, 1s);
}
constexpr Timers wan_timers() {
  using namespace std::chrono_literals;
  return timers_for(250ms, 2500ms);
}
constexpr std::optional<Timers> timers_of(std::string_view profile) {
  if (profile == "lan") return lan_timers();
  if (profile == "cloud") return cloud_timers();
  if (profile == "wan") return wan_timers();
  return std::nullopt;
}

}  // namespace cidbus::group
