// The blocks of the cluster the command talks to: read from the nodes that hold them, put on nodes with room.
//
// Thread rule: the command's thread. Limits: 64 MiB of blocks read are kept; otherwise NetworkBlocks'.
#pragma once

#include <cstdint>
#include <memory>

#include "client/command/context.h"

namespace cidbus {

// REQUIRES: the context outlives it. Nothing is sent before it is used.
std::unique_ptr<BlockAccess> open_cluster_blocks(Context& context, std::uint32_t copies);

}  // namespace cidbus
