#include "worker/hand_over.h"

#include <algorithm>
#include <span>

#include "shared/exchange/block_client.h"
#include "shared/exchange/bus_block_index.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr std::size_t batch_blocks = 512;
constexpr Duration found_within = std::chrono::seconds(30);

class Mover {
 public:
  Mover(SocketContext& context, const NodeIdentity& worker, const std::vector<std::string>& brokers,
        BlockStore& store, const std::function<bool()>& stopped)
      : worker_(worker),
        store_(store),
        asker_(context, client_identity(worker.cluster, worker.name), brokers),
        index_(asker_),
        client_(context, index_, worker, client_options(stopped), [](const Block&) {}) {}

  // Each is read only when nobody else has it, and let go when another node has synced it.
  Status move(std::span<const Cid> cids) {
    const auto found = client_.find(cids, read_clock().monotonic + found_within);
    if (!found) return tl::unexpected(found.error());
    Status stored;
    for (std::size_t place = 0; place < cids.size() && stored; ++place)
      if (found->holders[place].empty()) stored = move_one(cids[place]);
    const Status flushed = client_.flush();  // also after a fault: it ends the lot
    return stored ? flushed : stored;
  }

  // Whether anybody else stores blocks.
  Result<bool> has_others() {
    const std::vector<std::string> itself{worker_.name};
    const auto placed = index_.place(1, 0, itself, read_clock().monotonic + found_within);
    if (!placed) return tl::unexpected(placed.error());
    return placed->storing_nodes > 1;
  }

  [[nodiscard]] std::uint64_t moved() const { return moved_; }

 private:
  static BlockClientOptions client_options(const std::function<bool()>& stopped) {
    BlockClientOptions options;
    options.copies = 2;  // this node's own is one
    options.keeps_copy = true;
    options.stopped = stopped;
    return options;
  }

  Status move_one(const Cid& cid) {
    const auto block = store_.get(cid);
    if (!block) return tl::unexpected(block.error());
    if (!*block) return {};  // taken out meanwhile
    ++moved_;
    return client_.store(**block);
  }

  const NodeIdentity& worker_;
  BlockStore& store_;
  BusAsker asker_;
  BusBlockIndex index_;
  BlockClient client_;
  std::uint64_t moved_ = 0;
};

}  // namespace

Result<std::uint64_t> hand_over_blocks(SocketContext& context, const NodeIdentity& worker,
                                       const std::vector<std::string>& brokers, BlockStore& store,
                                       const std::function<bool()>& stopped) {
  std::vector<Cid> cids;
  const Status listed = store.for_each([&](const Multihash& multihash, ByteCount) {
    cids.push_back(Cid::v1(Codec::Raw, multihash));
    return !stopped();
  });
  if (!listed) return tl::unexpected(listed.error());
  Mover mover(context, worker, brokers, store, stopped);
  const auto others = mover.has_others();
  if (!others) return tl::unexpected(others.error());
  if (!*others)
    return fault(FaultKind::TryAgain,
                 "no other node stores blocks: it is the last worker; start another one first");
  for (std::size_t begin = 0; begin < cids.size(); begin += batch_blocks) {
    if (stopped()) return fault(FaultKind::Unavailable, "it is being stopped");
    const std::size_t count = std::min(batch_blocks, cids.size() - begin);
    if (Status moved = mover.move(std::span(cids).subspan(begin, count)); !moved)
      return tl::unexpected(moved.error());
  }
  return mover.moved();
}

}  // namespace cidbus
