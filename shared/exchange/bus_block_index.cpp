#include "shared/exchange/bus_block_index.h"

#include "shared/base/ensure.h"

namespace cidbus {

namespace {

StoringNode storing_node(const NodeAddress& node) {
  return {std::string(node.name), std::string(node.endpoint)};
}

}  // namespace

Result<BlockHolders> BusBlockIndex::find(std::span<const BlockKey> keys, Monotonic deadline) {
  ENSURE(keys.size() <= limits::items_a_message, keys.size());
  const RequestId request = asker_.next_request();
  BlockHolders holders;
  const Status asked =
      asker_.ask(Find{request, {keys.begin(), keys.end()}}, deadline, [&](const Message& message) {
        const auto* answer = std::get_if<Providers>(&message);
        if (answer == nullptr || answer->request != request || answer->blocks.size() != keys.size())
          return false;
        for (const NodeAddress& node : answer->nodes) holders.nodes.push_back(storing_node(node));
        for (const Found& found : answer->blocks) holders.holders.push_back(found.holders);
        return true;
      });
  if (!asked) return tl::unexpected(asked.error());
  return holders;
}

Result<BlockPlacement> BusBlockIndex::place(std::uint32_t copies, ByteCount bytes,
                                            std::span<const std::string> exclude, Monotonic deadline) {
  const RequestId request = asker_.next_request();
  BlockPlacement placement;
  const Status asked = asker_.ask(Place{request, copies, bytes, {exclude.begin(), exclude.end()}}, deadline,
                                  [&](const Message& message) {
                                    const auto* answer = std::get_if<Placement>(&message);
                                    if (answer == nullptr || answer->request != request) return false;
                                    for (const NodeAddress& node : answer->nodes) {
                                      placement.nodes.push_back(storing_node(node));
                                    }
                                    placement.storing_nodes = answer->storing_nodes;
                                    return true;
                                  });
  if (!asked) return tl::unexpected(asked.error());
  return placement;
}

}  // namespace cidbus
