// `pin` and `unpin`: says of everything below a CID that the node which runs the task is to keep it, and
// takes that back.
//
// A pin first brings every block of the DAG into the node's store, as `retrieve` does, and is then written
// down: so what is pinned was once whole there, and a pin asked for again brings back what has been damaged
// since. `unpin` deletes nothing. What is not pinned on
// this node is NotFound: another try may meet the one that pinned it.
//
// Values of pin: blocks, bytes (of all blocks, those that were there included). Result of both: the CID.
//
// Thread rule: handler.h. Limits: limits::dag_blocks, limits::pins_a_worker.
#pragma once

#include <memory>

#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_pin();
std::unique_ptr<Handler> make_unpin();

}  // namespace cidbus
