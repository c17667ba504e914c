#include "client/command/cluster_blocks.h"

#include <algorithm>

#include "shared/exchange/bus_block_index.h"
#include "shared/exchange/network_blocks.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr ByteCount read_cache_bytes = 64 << 20;
constexpr Duration contact_time = std::chrono::seconds(5);
constexpr Duration look_for = std::chrono::seconds(30);  // a block, before it is said that nobody has it
constexpr Duration unknown_patience =
    std::chrono::seconds(5);  // while the index names nobody who may have it

class ClusterBlocks final : public BlockAccess {
 public:
  ClusterBlocks(Context& context, std::uint32_t copies)
      : context_(context),
        asker_(context.sockets(), context.new_identity(), context.common().brokers),
        index_(asker_),
        cache_(read_cache_bytes, WhenFull::Evict),
        blocks_(context.sockets(), index_, context.new_identity(), options(context, copies), nullptr,
                cache_) {}

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
    if (const Status reached = reach(); !reached) return reached;
    return blocks_.flush();
  }

 private:
  static NetworkBlocksOptions options(const Context& context, std::uint32_t copies) {
    NetworkBlocksOptions options;
    options.client.copies = copies;
    options.client.unknown_patience = unknown_patience;
    if (context.common().timeout) options.client.patience = *context.common().timeout;
    return options;
  }
  [[nodiscard]] Duration time_left(Duration otherwise) const {
    const Duration left = context_.deadline(otherwise) - read_clock().monotonic;
    return std::max<Duration>(left, std::chrono::milliseconds(1));
  }
  // The exchange is patient with brokers; a person wants to know soon that there is none.
  Status reach() {
    if (reached_) return {};
    const Monotonic by = read_clock().monotonic + std::min(time_left(contact_time), contact_time);
    const auto placed = index_.place(1, 0, {}, by);
    if (!placed) return tl::unexpected(placed.error());
    reached_ = true;
    return {};
  }

  Context& context_;
  BusAsker asker_;
  BusBlockIndex index_;
  MemoryStore cache_;
  NetworkBlocks blocks_;
  bool reached_ = false;  // a leader has answered once
};

}  // namespace

std::unique_ptr<BlockAccess> open_cluster_blocks(Context& context, std::uint32_t copies) {
  return std::make_unique<ClusterBlocks>(context, copies);
}

}  // namespace cidbus
