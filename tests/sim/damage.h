// What a disk does to what was synced on it, while its broker is down: bits rot, files are gone or cut short.
//
// Only such damage is done as the group must survive (CONSENSUS D1 to D3). Not: both slots of the vote file
// (D4), nor a batch and its identity at once, since nothing then tells that it ever was there. And it comes
// to a broker that was killed, not to one whose power was cut: a rotten batch of the very last sync looks
// like a write that the cut tore.
//
// Thread rule: functions. Limits: none.
#pragma once

#include <string>

#include "shared/base/prng.h"
#include "tests/support/simulated_disk.h"

namespace cidbus::sim {

// Gives what was done, or nothing when there was nothing to damage. `may_lose`: others can bring up again
// what is lost beyond refilling. REQUIRES: `files` is a broker's, which does not run.
std::string damage_some(SimulatedDisk& files, Prng& prng, bool may_lose);

}  // namespace cidbus::sim
