#include "gateway/cluster_blocks.h"

#include <algorithm>

#include "shared/base/limits/words.h"
#include "shared/exchange/bus_block_index.h"
#include "shared/exchange/network_blocks.h"
#include "shared/io/random.h"

namespace cidbus {

namespace {

// A client's name: the gateway's, as far as it goes, and the thread's number.
NodeIdentity thread_identity(const NodeIdentity& gateway, std::size_t number) {
  const std::string suffix = ".f" + std::to_string(number);
  const std::size_t most = limits::name_length - suffix.size();
  return {gateway.cluster, gateway.name.substr(0, most) + suffix, Role::Client, random_incarnation()};
}

NetworkBlocksOptions fetch_options(const ClusterBlocksOptions& options, const std::atomic<bool>& stop) {
  NetworkBlocksOptions fetching;
  fetching.timeout = options.fetch_time;
  fetching.client.unknown_patience = std::min(options.unknown_time, options.fetch_time);
  fetching.client.stopped = [&stop] { return stop.load(); };
  return fetching;
}

class ClusterBlocks final : public BlockSource {
 public:
  ClusterBlocks(SocketContext& context, const NodeIdentity& identity, const ClusterBlocksOptions& options,
                const std::atomic<bool>& stop, MemoryStore& cache)
      : asker_(context, identity, options.brokers),
        index_(asker_),
        blocks_(context, index_, identity, fetch_options(options, stop), nullptr, cache) {}

  Result<Block> get(const Cid& cid) override { return blocks_.get(cid); }
  void prefetch(std::span<const Cid> cids) override { blocks_.prefetch(cids); }

 private:
  BusAsker asker_;
  BusBlockIndex index_;
  NetworkBlocks blocks_;
};

}  // namespace

std::unique_ptr<BlockSource> make_cluster_blocks(SocketContext& context, const ClusterBlocksOptions& options,
                                                 std::size_t number, const std::atomic<bool>& stop,
                                                 MemoryStore& cache) {
  const NodeIdentity identity = thread_identity(options.gateway, number);
  return std::make_unique<ClusterBlocks>(context, identity, options, stop, cache);
}

}  // namespace cidbus
