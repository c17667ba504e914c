// The client as it fetches, against real servers and against peers that misbehave, all over TCP.

#include <gmock/gmock.h>

#include <map>

#include "shared/exchange/block_client_fixture.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

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

// A key is the front of a digest, so a CID with wrong last letters is located, at who holds the right one.
TEST_F(Client, LooksNoLongerForABlockThatItsHoldersDenyOrThatTheIndexRefusesToLookFor) {
  TestNode& node = add_node("w1");
  const Block block = random_block(100, 1);
  claim("w1", std::vector{block});
  const auto client = make_client();
  const Monotonic deadline = soon();
  const auto denied = client->fetch(block.cid(), deadline);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().kind, FaultKind::NotFound);
  EXPECT_THAT(denied.error().message,
              HasSubstr("no node that can be reached holds " + to_text(block.cid()) + ": " + node.name()));
  index_.set_fault(Fault{FaultKind::TryAgain, "cut off"});
  const auto refused = client->fetch(random_block(100, 2).cid(), deadline);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cut off");
  EXPECT_LT(read_clock().monotonic, deadline - 10s);
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

}  // namespace
}  // namespace cidbus
