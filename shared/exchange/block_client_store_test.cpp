// The client as it stores, against real servers and against peers that misbehave, all over TCP.

#include <gmock/gmock.h>

#include "shared/exchange/block_client_fixture.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(Client, StoresEveryBlockOnTwoNodesBeforeFlushReturns) {
  for (const char* name : {"w1", "w2", "w3"}) add_node(name);
  const std::vector<Block> blocks = random_blocks(100, 50'000);
  const auto client = make_client();
  for (const Block& block : blocks) ASSERT_TRUE(client->store(block));
  ASSERT_TRUE(client->flush());
  for (const Block& block : blocks) EXPECT_EQ(copies_of(block), 2u);
  EXPECT_EQ(client->counts().blocks_settled, 100u);
  ASSERT_TRUE(client->flush()) << "nothing new to wait for";
}

TEST_F(Client, IsContentWithOneCopyWhereOneNodeStores) {
  add_node("w1");
  const Block block = random_block(100, 1);
  const auto client = make_client();
  ASSERT_TRUE(client->store(block));
  ASSERT_TRUE(client->flush());
  EXPECT_EQ(copies_of(block), 1u);
}

TEST_F(Client, ReplacesATargetThatDiesMidway) {
  for (const char* name : {"w1", "w2", "w3"}) add_node(name);
  const std::vector<Block> blocks = random_blocks(200, 100'000);
  const auto client = make_client();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i == 50) nodes_[0]->stop();  // the index goes on naming it
    const Status stored = client->store(blocks[i]);
    ASSERT_TRUE(stored) << stored.error().message;
  }
  const Status flushed = client->flush();
  ASSERT_TRUE(flushed) << flushed.error().message;
  for (const Block& block : blocks) {
    EXPECT_GE(copies_of(block), 2u);
    EXPECT_TRUE(nodes_[1]->holds(block) || nodes_[2]->holds(block)) << "the death of one loses nothing";
  }
}

TEST_F(Client, WaitsForATargetThatRestarts) {
  for (const char* name : {"w1", "w2"}) add_node(name);
  const std::vector<Block> blocks = random_blocks(60, 10'000);
  const auto client = make_client();
  for (std::size_t i = 0; i < 30; ++i) ASSERT_TRUE(client->store(blocks[i]));
  nodes_[0]->stop();
  for (std::size_t i = 30; i < 60; ++i) ASSERT_TRUE(client->store(blocks[i]));
  nodes_[0]->restart();
  const Status flushed = client->flush();
  ASSERT_TRUE(flushed) << flushed.error().message;
  for (const Block& block : blocks) EXPECT_EQ(copies_of(block), 2u);
}

TEST_F(Client, ReplacesAFullTarget) {
  add_node("w1", 1'000'000);
  for (const char* name : {"w2", "w3"}) add_node(name);
  const std::vector<Block> blocks = random_blocks(60, 50'000);
  const auto client = make_client();
  for (const Block& block : blocks) ASSERT_TRUE(client->store(block));
  const Status flushed = client->flush();
  ASSERT_TRUE(flushed) << flushed.error().message;
  for (const Block& block : blocks) EXPECT_GE(copies_of(block), 2u);
  EXPECT_GT(nodes_[0]->counts().no_room, 0u);
}

TEST_F(Client, SaysThatThereIsNoRoomAndStoresAgainOnceThereIs) {
  add_node("w1", 100'000);
  const std::vector<Block> blocks = random_blocks(10, 50'000);
  const auto client = make_client({.room_patience = 20ms});
  Status stored;
  for (const Block& block : blocks) {
    if (stored) stored = client->store(block);
  }
  const Status flushed = client->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind, FaultKind::TryAgain);
  EXPECT_THAT(flushed.error().message, HasSubstr("w1: the block store is full"));
  // What was on its way when the lot failed may still come and fill the node again.
  Status again = flushed;
  for (const Monotonic deadline = soon(); !again && read_clock().monotonic < deadline;) {
    ASSERT_TRUE(nodes_[0]->store().remove(cids_of(blocks)));
    ASSERT_TRUE(client->store(blocks[9]));
    again = client->flush();
  }
  EXPECT_TRUE(again);
}

TEST_F(Client, GivesUpWhenNoNodeStores) {
  const auto client = make_client({.patience = 50ms});
  ASSERT_TRUE(client->store(random_block(10, 1)));
  const Status flushed = client->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().message, "no node stores blocks; start a cidbus-worker");
}

TEST_F(Client, WaitsNoLongerForNodesToStoreOnceItIsStopped) {
  BlockClientOptions options;
  options.stopped = [] { return true; };
  const auto client = make_client(options);
  ASSERT_TRUE(client->store(random_block(10, 1)));
  const Status flushed = client->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind, FaultKind::Unavailable);
  EXPECT_THAT(flushed.error().message, HasSubstr("stopping"));
}

TEST_F(Client, ReplacesASilentTarget) {
  index_.add_node({"a-silent", silent_address()});
  for (const char* name : {"w1", "w2"}) add_node(name);
  const Block block = random_block(1000, 1);
  const auto client = make_client({.target_silence = 50ms});
  ASSERT_TRUE(client->store(block));
  const Status flushed = client->flush();
  ASSERT_TRUE(flushed) << flushed.error().message;
  EXPECT_EQ(copies_of(block), 2u);
}

// Takes everything and keeps nothing, so that gigabytes can pass.
class BottomlessStore final : public BlockStore {
 public:
  Result<std::optional<Block>> get(const Cid&, Check) override { return std::nullopt; }
  Result<bool> has(const Cid&) override { return false; }
  PutReport put(std::span<const Block> blocks) override {
    for (const Block& block : blocks) bytes_ += block.bytes().size();
    blocks_ += blocks.size();
    return {std::vector(blocks.size(), PutAnswer::Stored), {}};
  }
  Status remove(std::span<const Cid>) override { return {}; }
  Status for_each(const std::function<bool(const Multihash&, ByteCount)>&) override { return {}; }
  [[nodiscard]] StoreCounts counts() const override { return {blocks_, bytes_, 0, 0}; }

 private:
  std::atomic<std::uint64_t> blocks_ = 0;
  std::atomic<ByteCount> bytes_ = 0;
};

TEST_F(Client, StoresTwoGibibytesInBoundedMemory) {
  auto owned = std::make_unique<BottomlessStore>();
  const BottomlessStore& store = *owned;
  nodes_.push_back(std::make_unique<TestNode>(context_, index_, "w1", std::move(owned)));
  const auto client = make_client();
  const auto alive = std::make_shared<std::atomic<std::int64_t>>(0);
  std::int64_t most_alive = 0;
  for (std::uint64_t i = 0; i < 2048; ++i) {
    // Named by its number, since this store believes anything; let go when ZeroMQ and client have both done
    // so.
    auto content = std::shared_ptr<Bytes>(new Bytes(1 << 20), [alive](const Bytes* bytes) {
      --*alive;
      delete bytes;
    });
    most_alive = std::max<std::int64_t>(most_alive, ++*alive);
    Bytes digest(32);
    std::memcpy(digest.data(), &i, sizeof(i));
    const Cid cid = Cid::v1(Codec::Raw, Multihash(HashCode::Sha2_256, digest));
    const Status stored = client->store(Block(cid, *content, content));
    ASSERT_TRUE(stored) << stored.error().message;
  }
  ASSERT_TRUE(client->flush());
  EXPECT_EQ(store.counts().blocks, 2048u);
  EXPECT_EQ(store.counts().bytes, 2ULL << 30);
  EXPECT_LE(client->counts().most_bytes_held, limits::store_bytes);
  EXPECT_LE(most_alive, 32 + 4) << "MiB held by anybody at once";
}

}  // namespace
}  // namespace cidbus
