// The client against real servers and against peers that misbehave, all over TCP.

#include "shared/exchange/block_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "shared/exchange/test_cluster.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Client : public testing::Test {
 protected:
  TestNode& add_node(const std::string& name, ByteCount capacity = 1 << 30) {
    return *nodes_.emplace_back(std::make_unique<TestNode>(context_, index_, name, capacity));
  }
  std::unique_ptr<BlockClient> make_client(const BlockClientOptions& options = {}) {
    return std::make_unique<BlockClient>(context_, index_, test_node("client"), options,
                                         [this](const Block& block) { arrived_.push_back(block); });
  }
  // An address where a peer listens and never says a word.
  std::string silent_address() {
    auto& socket = silent_.emplace_back(std::make_unique<Socket>(context_, SocketKind::Router));
    EXPECT_TRUE(socket->bind("127.0.0.1:*"));
    return socket->bound_address();
  }
  // Answers everything it is asked for with these bytes.
  OddPeer& add_liar(const std::string& name) {
    auto& peer = odd_.emplace_back(std::make_unique<OddPeer>(
        context_, [](Socket& socket, ByteView sender, const Envelope& envelope, Encoder& encoder) {
          const auto* want = std::get_if<WantBlocks>(&envelope.message);
          if (want == nullptr) return;
          for (const ByteView cid : want->cids) {
            const BlockReply reply{want->request, cid, BlockAnswer::Here};
            socket.send({sender, encoder.encode(test_header(), reply), as_bytes("a lie")});
          }
        }));
    index_.add_node({name, peer->address()});
    return *peer;
  }
  void claim(const std::string& name, std::span<const Block> blocks) {
    for (const Block& block : blocks) index_.announce(name, std::vector{block_key(block.cid())}, {});
  }
  static std::vector<Cid> cids_of(std::span<const Block> blocks) {
    std::vector<Cid> cids;
    for (const Block& block : blocks) cids.push_back(block.cid());
    return cids;
  }
  std::size_t copies_of(const Block& block) {
    std::size_t copies = 0;
    for (const auto& node : nodes_) copies += node->holds(block) ? 1 : 0;
    return copies;
  }

  SocketContext context_;
  TestIndex index_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::vector<std::unique_ptr<Socket>> silent_;
  std::vector<std::unique_ptr<OddPeer>> odd_;
  std::vector<Block> arrived_;
  std::atomic<bool> late_ = false;
};

TEST_F(Client, FetchesAThousandBlocksFromThreeProvidersAtOnce) {
  for (const char* name : {"w1", "w2", "w3"}) add_node(name);
  const std::vector<Block> blocks = random_blocks(1000, 20'000);
  for (const auto& node : nodes_) ASSERT_TRUE(node->store().put(blocks).all_kept());
  const auto client = make_client();
  std::map<Cid, std::size_t> came;
  const Status fetched = client->fetch_all(cids_of(blocks), soon(), [&](const Block& block) {
    came[block.cid()] = block.bytes().size();
    return Status();
  });
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(came.size(), 1000u);
  EXPECT_EQ(client->counts().blocks_fetched, 1000u);
  for (const auto& node : nodes_) EXPECT_GT(node->counts().blocks_sent, 100u) << node->name();
  EXPECT_LT(index_.finds(), 20) << "many are looked for at once";
}

TEST_F(Client, FetchesAcrossNodesThatEachHoldAPart) {
  const std::vector<Block> blocks = random_blocks(30, 50'000);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(add_node("w" + std::to_string(i)).store().put({blocks.data() + i * 10, 10}).all_kept());
  }
  const auto client = make_client();
  std::size_t came = 0;
  ASSERT_TRUE(client->fetch_all(cids_of(blocks), soon(), [&](const Block&) {
    ++came;
    return Status();
  }));
  EXPECT_EQ(came, 30u);
}

TEST_F(Client, SaysInTimeThatNoNodeHoldsABlock) {
  add_node("w1");
  const auto client = make_client();
  const Cid nobodys = random_block(10, 1).cid();
  const Monotonic begun = read_clock().monotonic;
  const auto fetched = client->fetch(nobodys, in(120ms));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::NotFound);
  EXPECT_THAT(fetched.error().message, HasSubstr("no node holds " + to_text(nobodys)));
  EXPECT_GE(read_clock().monotonic - begun, 120ms) << "a node that has it may be starting";
  EXPECT_GE(index_.finds(), 2);
  EXPECT_FALSE(client->is_fetching(nobodys)) << "given up for good";
}

TEST_F(Client, LooksNoLongerThanItsPatienceForABlockThatTheIndexDoesNotKnow) {
  add_node("w1");
  BlockClientOptions options;
  options.unknown_patience = 20ms;
  const auto client = make_client(options);
  const Monotonic deadline = soon();
  const auto fetched = client->fetch(random_block(100, 1).cid(), deadline);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::NotFound);
  EXPECT_LT(read_clock().monotonic, deadline - 20s);
}

TEST_F(Client, LooksUntilTheDeadlineForABlockThatTheIndexKnows) {
  const Block block = random_block(100, 1);
  index_.add_node({"silent", silent_address()});
  claim("silent", std::vector{block});
  BlockClientOptions options;
  options.unknown_patience = 1ms;
  options.provider_silence = 20ms;
  const auto client = make_client(options);
  const Monotonic deadline = in(200ms);
  const auto fetched = client->fetch(block.cid(), deadline);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::TimedOut);
  EXPECT_GE(read_clock().monotonic, deadline);
}

TEST_F(Client, DoesNotSayThatNobodyHoldsWhatAHolderHadNoTimeToSend) {
  const Block block = random_block(100, 1);
  index_.add_node({"slow", silent_address()});
  claim("slow", std::vector{block});
  const auto fetched = make_client()->fetch(block.cid(), in(50ms));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::TimedOut);
}

TEST_F(Client, EndsItsSearchWhenItIsStopped) {
  add_node("w1");
  BlockClientOptions options;
  options.stopped = [] { return true; };
  const auto client = make_client(options);
  const auto fetched = client->fetch(random_block(100, 1).cid(), soon());
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::Unavailable);
}

TEST_F(Client, FindsABlockWhoseNodeStartsWhileItLooks) {
  TestNode& node = add_node("w1");
  const Block block = random_block(1000, 1);
  index_.on_find = [&](int number) {
    if (number == 3) late_ = true;
  };
  node.stop();
  index_.remove_node("w1");
  // The node comes up in the middle: the third search still finds nobody, a later one does.
  std::thread starter([&] {
    while (!late_) std::this_thread::yield();
    EXPECT_TRUE(node.store().put({&block, 1}).all_kept());
    node.restart();
  });
  const auto client = make_client();
  const auto fetched = client->fetch(block.cid(), soon());
  starter.join();
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_TRUE(equal(fetched->bytes(), block.bytes()));
}

TEST_F(Client, PassesOnWhatTheIndexSaysWhenNoBrokerIsThere) {
  index_.set_fault(Fault{FaultKind::Unavailable, "no broker reachable at 127.0.0.1:9096"});
  const auto client = make_client();
  const auto fetched = client->fetch(random_block(10, 1).cid(), in(60ms));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::Unavailable);
  EXPECT_EQ(fetched.error().message, "no broker reachable at 127.0.0.1:9096");
}

TEST_F(Client, TurnsFromALiarToAnHonestNodeAndCountsTheLies) {
  const std::vector<Block> blocks = random_blocks(50, 3000);
  add_liar("a-liar");
  claim("a-liar", blocks);
  ASSERT_TRUE(add_node("w1").store().put(blocks).all_kept());
  const auto client = make_client();
  std::size_t came = 0;
  ASSERT_TRUE(client->fetch_all(cids_of(blocks), soon(), [&](const Block& block) {
    EXPECT_TRUE(verify(block.cid(), block.bytes()));
    ++came;
    return Status();
  }));
  EXPECT_EQ(came, 50u);
  EXPECT_LE(client->counts().wrong_blocks, 50u);
  EXPECT_EQ(client->counts().blocks_fetched, 50u);
}

TEST_F(Client, SaysWhoSentOtherBytesWhenNobodyIsHonest) {
  const Block block = random_block(3000, 1);
  add_liar("a-liar");
  claim("a-liar", {&block, 1});
  const auto client = make_client();
  const auto fetched = client->fetch(block.cid(), in(300ms));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::NotFound);
  EXPECT_THAT(fetched.error().message, HasSubstr("a-liar sent other bytes"));
  EXPECT_EQ(client->counts().wrong_blocks, 1u) << "a liar is not asked again";
}

TEST_F(Client, TurnsFromASilentNodeToOneThatAnswers) {
  const std::vector<Block> blocks = random_blocks(20, 3000);
  index_.add_node({"a-silent", silent_address()});
  claim("a-silent", blocks);
  ASSERT_TRUE(add_node("w1").store().put(blocks).all_kept());
  const auto client = make_client({.provider_silence = 50ms});
  std::size_t came = 0;
  ASSERT_TRUE(client->fetch_all(cids_of(blocks), soon(), [&](const Block&) {
    ++came;
    return Status();
  }));
  EXPECT_EQ(came, 20u);
}

TEST_F(Client, SaysWhoDidNotAnswer) {
  const Block block = random_block(3000, 1);
  index_.add_node({"a-silent", silent_address()});
  claim("a-silent", {&block, 1});
  const auto client = make_client({.provider_silence = 20ms});
  const auto fetched = client->fetch(block.cid(), in(100ms));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, FaultKind::TimedOut);
  EXPECT_THAT(fetched.error().message, HasSubstr("a-silent"));
}

TEST_F(Client, TurnsFromANodeThatLostItsBlocksAndFromOneThatDied) {
  const std::vector<Block> blocks = random_blocks(20, 3000);
  add_node("a-empty");
  claim("a-empty", blocks);
  TestNode& dead = add_node("b-dead");
  ASSERT_TRUE(dead.store().put(blocks).all_kept());
  dead.stop();
  ASSERT_TRUE(add_node("w1").store().put(blocks).all_kept());
  const auto client = make_client({.provider_silence = 100ms});
  std::size_t came = 0;
  ASSERT_TRUE(client->fetch_all(cids_of(blocks), soon(), [&](const Block&) {
    ++came;
    return Status();
  }));
  EXPECT_EQ(came, 20u);
}

TEST_F(Client, GoesOnWhenAProviderDiesInTheMiddle) {
  const std::vector<Block> blocks = random_blocks(200, 100'000);
  TestNode& mortal = add_node("a-mortal");
  ASSERT_TRUE(mortal.store().put(blocks).all_kept());
  ASSERT_TRUE(add_node("w1").store().put(blocks).all_kept());
  const auto client = make_client();
  std::size_t came = 0;
  ASSERT_TRUE(client->fetch_all(cids_of(blocks), soon(), [&](const Block&) {
    if (++came == 10) mortal.stop();
    return Status();
  }));
  EXPECT_EQ(came, 200u);
}

TEST_F(Client, EndsWithTheFaultOfWhoTakesTheBlocks) {
  const std::vector<Block> blocks = random_blocks(10, 100);
  ASSERT_TRUE(add_node("w1").store().put(blocks).all_kept());
  const auto client = make_client();
  const Status fetched = client->fetch_all(
      cids_of(blocks), soon(), [](const Block&) -> Status { return fault(FaultKind::Failed, "enough"); });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().message, "enough");
  EXPECT_TRUE(client->fetch(blocks[3].cid(), soon())) << "and can go on";
}

TEST_F(Client, IsNotHarmedByRubbishAndUnaskedBlocks) {
  const Block block = random_block(100, 1);
  odd_.push_back(std::make_unique<OddPeer>(
      context_, [](Socket& socket, ByteView sender, const Envelope&, Encoder& encoder) {
        const Block unasked = random_block(50, 50);
        for (const std::size_t size : {0, 7, 8, 640}) socket.send({sender, random_bytes(size, size)});
        const BlockReply reply{{1}, unasked.cid().bytes(), BlockAnswer::Here};
        socket.send({sender, encoder.encode(test_header(), reply), unasked.bytes()});
        socket.send({sender, encoder.encode(test_header(), reply)});
        socket.send({sender, encoder.encode(test_header("another"), reply), unasked.bytes()});
        socket.send({sender, encoder.encode(test_header(), Ping{})});
      }));
  index_.add_node({"a-odd", odd_.back()->address()});
  claim("a-odd", {&block, 1});
  ASSERT_TRUE(add_node("w1").store().put({&block, 1}).all_kept());
  const auto client = make_client({.provider_silence = 50ms});
  EXPECT_TRUE(client->fetch(block.cid(), soon()));
  EXPECT_TRUE(arrived_.empty());
}

TEST_F(Client, LeavesANodeOfAnotherCluster) {
  const Block block = random_block(100, 1);
  MemoryStore foreign_store(1 << 20, WhenFull::Refuse);
  ASSERT_TRUE(foreign_store.put({&block, 1}).all_kept());
  const auto foreign =
      ExchangeServer::start(context_, foreign_store, test_node("foreign", "another"), "127.0.0.1:*");
  ASSERT_TRUE(foreign);
  index_.add_node({"a-foreign", (*foreign)->address()});
  claim("a-foreign", {&block, 1});
  ASSERT_TRUE(add_node("w1").store().put({&block, 1}).all_kept());
  const auto client = make_client();
  EXPECT_TRUE(client->fetch(block.cid(), soon()));
  EXPECT_EQ((*foreign)->counts().blocks_sent, 0u);
}

TEST_F(Client, HandsPrefetchedBlocksOverAsTheyCome) {
  const std::vector<Block> blocks = random_blocks(20, 1000);
  ASSERT_TRUE(add_node("w1").store().put(blocks).all_kept());
  const auto client = make_client();
  client->prefetch(cids_of({blocks.data(), 19}));
  EXPECT_TRUE(client->is_fetching(blocks[0].cid()));
  ASSERT_TRUE(client->fetch(blocks[19].cid(), soon()));
  const Monotonic deadline = soon();
  while (arrived_.size() < 19 && read_clock().monotonic < deadline) client->work();
  EXPECT_EQ(arrived_.size(), 19u);
}

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
