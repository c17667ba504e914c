// Randomness from the kernel, for identities that must not repeat or be guessed, and for seeds.
//
// Thread rule: any thread. Limits: none.
#pragma once

#include "shared/base/ids.h"

namespace cidbus {

std::uint64_t random_seed();
Incarnation random_incarnation();
SessionId random_session();

}  // namespace cidbus
