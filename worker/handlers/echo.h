// `echo`: answers its parameters as values, in the order given. The no-op of the benches, and what tests of
// everything around a handler run.
//
// It takes any parameter; these two also do something, and are answered like the rest:
//   delay_ms  waits so long first, 0 to 600000; a cancelled token ends the wait
//   fail      fails with this text (FaultKind::Failed: no retry), after the delay
// Inputs are ignored. It is declared not deterministic so that no memo answers in its place.
//
// Thread rule: handler.h. Limits: limits::result_bytes of parameters.
#pragma once

#include <memory>

#include "shared/base/limits/tasks.h"
#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_echo();

}  // namespace cidbus
