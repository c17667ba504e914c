#include "client/library/client_blocks.h"

#include <algorithm>

#include "client/client.h"
#include "shared/exchange/bus_block_index.h"
#include "shared/exchange/network_blocks.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr Duration look_for = std::chrono::seconds(30);  // a block, before it is said that nobody has it
constexpr Duration unknown_patience =
    std::chrono::seconds(5);  // while the index names nobody who may have it

class ClientBlocks final : public BlockAccess {
 public:
  ClientBlocks(SocketContext& context, ClientBlocksOptions options, MemoryStore& cache)
      : options_(std::move(options)),
        asker_(context, client_identity(options_.cluster), options_.brokers),
        index_(asker_),
        blocks_(context, index_, client_identity(options_.cluster), network_options(options_), nullptr,
                cache) {}

  Result<Block> get(const Cid& cid) override {
    if (const Status reached = reach(); !reached) return tl::unexpected(reached.error());
    blocks_.set_timeout(time_left(look_for));
    return blocks_.get(cid);
  }
  void prefetch(std::span<const Cid> cids) override { blocks_.prefetch(cids); }
  Status put(const Cid& cid, ByteView bytes) override {
    if (const Status reached = reach(); !reached) return reached;
    return blocks_.put(cid, bytes);
  }
  Status flush() override {
    if (!reached_) return {};  // nothing was put; a put that failed has waited for a broker and told so
    return blocks_.flush();
  }

 private:
  static NetworkBlocksOptions network_options(const ClientBlocksOptions& options) {
    NetworkBlocksOptions network;
    network.client.copies = options.copies;
    network.client.unknown_patience = unknown_patience;
    network.client.patience = options.patience;
    network.client.stopped = options.stopped;
    return network;
  }
  [[nodiscard]] Duration time_left(Duration otherwise) const {
    if (!options_.deadline) return otherwise;
    return std::max<Duration>(*options_.deadline - read_clock().monotonic, std::chrono::milliseconds(1));
  }
  // The exchange is patient with brokers; a person wants to know soon that there is none.
  Status reach() {
    if (reached_) return {};
    const Monotonic by = read_clock().monotonic + std::min(time_left(options_.contact), options_.contact);
    const auto placed = index_.place(1, 0, {}, by);
    if (!placed) return tl::unexpected(placed.error());
    reached_ = true;
    return {};
  }

  const ClientBlocksOptions options_;
  BusAsker asker_;
  BusBlockIndex index_;
  NetworkBlocks blocks_;
  bool reached_ = false;  // a leader has answered once
};

}  // namespace

std::unique_ptr<BlockAccess> open_client_blocks(SocketContext& context, ClientBlocksOptions options,
                                                MemoryStore& cache) {
  return std::make_unique<ClientBlocks>(context, std::move(options), cache);
}

}  // namespace cidbus
