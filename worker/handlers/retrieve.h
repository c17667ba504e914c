// `retrieve`: brings everything below a CID to the node that runs it, so that it is at hand there, also while
// the nodes that hold it now are away.
//
// Every block of the DAG is fetched, hashed and synced in the node's store before the task completes; what is
// there already is not fetched again. It stays until the node needs the room: nothing is pinned.
//
// Values: blocks, bytes (of all blocks, those that were there included). Result: the CID itself.
//
// Thread rule: handler.h. Limits: limits::dag_blocks.
#pragma once

#include <memory>

#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_retrieve();

}  // namespace cidbus
