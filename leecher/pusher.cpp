#include "leecher/pusher.h"

#include <thread>

#include "shared/base/limits/exchange.h"
#include "shared/exchange/block_client.h"
#include "shared/exchange/bus_block_index.h"
#include "shared/io/mailbox.h"

namespace cidbus {
namespace {

constexpr std::uint32_t copies = 2;  // DESIGN section 7: of what `add` has promised
constexpr std::size_t batch_blocks = 256;
constexpr std::chrono::milliseconds look_every{1000};

BlockClientOptions client_options(const std::atomic<bool>& stop) {
  BlockClientOptions options;
  options.copies = copies;
  options.stopped = [&stop] { return stop.load(); };
  return options;
}

}  // namespace

struct Pusher::State {
  State(SocketContext& given_context, NodeIdentity given_leecher, std::vector<std::string> given_brokers,
        LocalBlocks given_local, const std::atomic<bool>& given_stop)
      : context(given_context),
        leecher(std::move(given_leecher)),
        brokers(std::move(given_brokers)),
        local(std::move(given_local)),
        stop(given_stop) {}

  void work() {
    const NodeIdentity identity = client_identity(leecher.cluster, leecher.name + ".push");
    BusAsker asker(context, identity, brokers);
    BusBlockIndex index(asker);
    BlockClient client(context, index, identity, client_options(stop), [](const Block&) {});
    while (!stop) {
      begin.wait(look_every);
      begin.take_all();
      bool goes = true;
      while (goes && !stop && local.online && local.added.counts().blocks > 0) {
        const Status pushed = push_batch(client);
        ended.push(pushed ? "" : pushed.error().message);
        goes = pushed.has_value();
      }
    }
  }

  Status push_batch(BlockClient& client) {
    std::vector<Cid> cids;
    ByteCount bytes = 0;
    const Status listed = local.added.for_each([&](const Multihash& multihash, ByteCount size) {
      cids.push_back(Cid::v1(Codec::Raw, multihash));
      bytes += size;
      return cids.size() < batch_blocks && bytes < limits::store_bytes / 2;
    });
    if (!listed) return listed;
    std::vector<Block> blocks;
    Status stored;
    for (const Cid& cid : cids) {
      auto block = local.added.get(cid);
      if (!block) return tl::unexpected(block.error());
      if (!*block || !stored) continue;
      blocks.push_back(**block);
      stored = client.store(blocks.back());
    }
    const Status flushed = client.flush();  // also after a fault: it ends the lot
    if (!stored) return stored;
    if (!flushed) return flushed;
    static_cast<void>(local.cache.put(blocks));  // without room there it is on the workers all the same
    return local.added.remove(cids);
  }

  SocketContext& context;
  const NodeIdentity leecher;
  const std::vector<std::string> brokers;
  const LocalBlocks local;
  const std::atomic<bool>& stop;
  Mailbox<bool> begin;
  Mailbox<std::string> ended;
  std::thread thread;
};

Pusher::Pusher(SocketContext& context, NodeIdentity leecher, std::vector<std::string> brokers,
               LocalBlocks local, const std::atomic<bool>& stop)
    : state_(
          std::make_unique<State>(context, std::move(leecher), std::move(brokers), std::move(local), stop)) {
  state_->thread = std::thread([this] { state_->work(); });
}

Pusher::~Pusher() {
  state_->begin.push(true);
  state_->thread.join();
}

void Pusher::begin() { state_->begin.push(true); }
int Pusher::descriptor() const { return state_->ended.fd(); }
std::string Pusher::take_trouble() {
  const std::vector<std::string> ends = state_->ended.take_all();
  return ends.empty() ? std::string() : ends.back();
}
bool Pusher::is_done() const { return state_->local.added.counts().blocks == 0; }

}  // namespace cidbus
