// The rules on which the promises to clients and workers stand, where breaking one loses or doubles something
// over a change of the leader.
//
// In the product every rule is kept, and the compiler sees that: `keeps` is a constant. One test alone is
// built with CIDBUS_MUTANTS; there a rule can be broken, to prove that the checkers of the simulation notice
// (tests/sim/mutants/sim_mutants_test.cpp). The rules of the group have the same in broker/consensus/rules.h.
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstdint>

namespace cidbus {

enum class Promise : std::uint8_t {
  None,
  EpochFence,      // W2, C1: a node follows no leader of a lower epoch than it has heard of
  StrictStops,     // W3: a strict attempt stops before its lease may be another's
  StrictResult,    // W5: of a strict type only the attempt that has the lease is heard
  ResendIdentity,  // C3: what may have reached a broker is sent again under the same identity alone
};

#ifdef CIDBUS_MUTANTS
inline Promise broken_promise = Promise::None;  // set by the test before a run; a test program's only
inline bool keeps(Promise promise) { return promise != broken_promise; }
#else
constexpr bool keeps(Promise) { return true; }
#endif

}  // namespace cidbus
