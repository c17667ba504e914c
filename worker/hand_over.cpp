#include "worker/hand_over.h"

#include <algorithm>
#include <set>
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
    const auto leaving = ask_leaving();
    if (!leaving) return tl::unexpected(leaving.error());
    const auto found = client_.find(cids, read_clock().monotonic + found_within);
    if (!found) return tl::unexpected(found.error());
    Status stored;
    for (std::size_t place = 0; place < cids.size() && stored; ++place) {
      const auto& holders = found->holders[place];
      const bool is_safe = std::any_of(holders.begin(), holders.end(), [&](std::uint32_t holder) {
        return !leaving->contains(found->nodes[holder].name);
      });
      if (!is_safe) stored = move_one(cids[place]);
    }
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

  // Nodes that are on their way to another role.
  Result<std::set<std::string>> ask_leaving() {
    std::set<std::string> leaving;
    const RequestId request = asker_.next_request();
    const Status asked = asker_.ask(RoleQuery{request, {}}, read_clock().monotonic + found_within,
                                    [&](const Message& message) {
                                      const auto* answer = std::get_if<RoleReports>(&message);
                                      if (answer == nullptr || answer->request != request) return false;
                                      for (const NodeRole& node : answer->nodes)
                                        if (node.next != Role::Client) leaving.emplace(node.node);
                                      return true;
                                    });
    if (!asked) return tl::unexpected(asked.error());
    return leaving;
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

// Of the store, in their order, those that are not in `known`.
Result<std::vector<Cid>> list(BlockStore& store, const std::vector<Cid>& known,
                              const std::function<bool()>& stopped) {
  std::vector<Cid> cids;
  const Status listed = store.for_each([&](const Multihash& multihash, ByteCount) {
    Cid cid = Cid::v1(Codec::Raw, multihash);
    if (!std::binary_search(known.begin(), known.end(), cid)) cids.push_back(std::move(cid));
    return !stopped();
  });
  if (!listed) return tl::unexpected(listed.error());
  std::sort(cids.begin(), cids.end());
  return cids;
}

Status move_all(Mover& mover, std::span<const Cid> cids, const std::function<bool()>& stopped) {
  for (std::size_t begin = 0; begin < cids.size(); begin += batch_blocks) {
    if (stopped()) return fault(FaultKind::Unavailable, "it is being stopped");
    const std::size_t count = std::min(batch_blocks, cids.size() - begin);
    if (Status moved = mover.move(cids.subspan(begin, count)); !moved) return moved;
  }
  return {};
}

}  // namespace

Result<std::uint64_t> hand_over_blocks(SocketContext& context, const NodeIdentity& worker,
                                       const std::vector<std::string>& brokers, BlockStore& store,
                                       ExchangeServer& exchange, const std::function<bool()>& stopped) {
  const auto first = list(store, {}, stopped);
  if (!first) return tl::unexpected(first.error());
  Mover mover(context, worker, brokers, store, stopped);
  const auto others = mover.has_others();
  if (!others) return tl::unexpected(others.error());
  if (!*others)
    return fault(FaultKind::TryAgain,
                 "no other node stores blocks: it is the last worker; start another one first");
  if (Status moved = move_all(mover, *first, stopped); !moved) return tl::unexpected(moved.error());
  exchange.set_taking(false);
  const auto late = list(store, *first, stopped);
  const Status moved = late ? move_all(mover, *late, stopped) : tl::unexpected(late.error());
  if (moved) return mover.moved();
  exchange.set_taking(true);
  return tl::unexpected(moved.error());
}

}  // namespace cidbus
