// The server by itself, asked by a bare socket.

#include "shared/exchange/exchange_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "shared/base/limits/content.h"
#include "shared/base/limits/messages.h"
#include "shared/exchange/test_cluster.h"
#include "shared/io/reactor.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Server : public testing::Test {
 protected:
  Server() : asker_(context_, SocketKind::Dealer) {
    EXPECT_TRUE(asker_.connect(node_.address()));
    reactor_.watch(asker_, [](Now) {});
  }

  void send(const Message& message, const Header& header = test_header()) {
    send_frames({encoder_.encode(header, message)});
  }
  void send(const Message& message, ByteView block) {
    send_frames({encoder_.encode(test_header(), message), block});
  }
  void send_frames(std::initializer_list<ByteView> frames) {
    const Monotonic deadline = soon();
    while (asker_.send(frames) != SendAnswer::Sent) {
      ASSERT_LT(read_clock().monotonic, deadline) << "the server never took it";
      reactor_.run_once(1ms);
    }
  }
  // The next message of the server; views live until the next call.
  Message receive() {
    const Monotonic deadline = soon();
    while (!asker_.receive(frames_)) {
      if (read_clock().monotonic >= deadline) {
        ADD_FAILURE() << "the server never answered";
        return Ping{};
      }
      reactor_.run_once(10ms);
    }
    auto envelope = decoder_.decode(frames_[0]);
    EXPECT_TRUE(envelope);
    return envelope ? std::move(envelope->message) : Message(Ping{});
  }
  Refused expect_refused() {
    const Message message = receive();
    const auto* refused = std::get_if<Refused>(&message);
    EXPECT_NE(refused, nullptr) << name_of(message);
    return refused != nullptr ? *refused : Refused{};
  }
  // A real client goes on.
  void expect_serves() {
    const Block block = random_block(777, ++seed_);
    ASSERT_TRUE(node_.store().put({&block, 1}).all_kept());
    send(WantBlocks{{1}, {block.cid().bytes()}});
    const Message message = receive();
    const auto* reply = std::get_if<BlockReply>(&message);
    ASSERT_NE(reply, nullptr) << name_of(message);
    EXPECT_EQ(reply->answer, BlockAnswer::Here);
    ASSERT_EQ(frames_.size(), 2u);
    EXPECT_TRUE(equal(frames_[1], block.bytes()));
  }

  SocketContext context_;
  TestIndex index_;
  TestNode node_{context_, index_, "w1", ByteCount{1} << 30};
  Socket asker_;
  Reactor reactor_;
  Encoder encoder_;
  Decoder decoder_;
  Frames frames_;
  std::uint64_t seed_ = 1000;
};

TEST_F(Server, SendsABlockAndSaysWhatIsMissing) {
  expect_serves();
  send(WantBlocks{{7}, {random_block(5, 1).cid().bytes()}});
  const Message message = receive();
  const auto* reply = std::get_if<BlockReply>(&message);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->answer, BlockAnswer::Missing);
  EXPECT_EQ(reply->request, RequestId{7});
  EXPECT_EQ(frames_.size(), 1u);
}

TEST_F(Server, StoresABlockOnlyWhenItIsWhatItsCidNames) {
  const Block block = random_block(1000, 1);
  send(StoreBlock{{3}, block.cid().bytes()}, block.bytes());
  const Message first = receive();
  EXPECT_EQ(std::get<StoreReply>(first).answer, StoreAnswer::Synced);
  EXPECT_TRUE(node_.holds(block));

  const Block other = random_block(1000, 2);
  send(StoreBlock{{4}, other.cid().bytes()}, block.bytes());
  const Message second = receive();
  EXPECT_EQ(std::get<StoreReply>(second).answer, StoreAnswer::BadHash);
  EXPECT_THAT(std::string(std::get<StoreReply>(second).reason), HasSubstr(to_text(other.cid())));
  EXPECT_FALSE(node_.holds(other));

  const Block huge = random_block(limits::block_bytes + 1, 3);
  send(StoreBlock{{5}, huge.cid().bytes()}, huge.bytes());
  EXPECT_EQ(std::get<StoreReply>(receive()).answer, StoreAnswer::BadHash);
  EXPECT_EQ(node_.counts().bad_blocks, 2u);
  expect_serves();
}

TEST_F(Server, OneThatTakesNoBlocksSaysNoRoomAndServesWhatItHas) {
  const Block block = random_block(1000, 1);
  node_.server().set_taking(false);
  send(StoreBlock{{3}, block.cid().bytes()}, block.bytes());
  const Message refused = receive();
  EXPECT_EQ(std::get<StoreReply>(refused).answer, StoreAnswer::NoRoom);
  EXPECT_EQ(std::get<StoreReply>(refused).reason, "it is leaving its role");
  EXPECT_FALSE(node_.holds(block));
  expect_serves();
  node_.server().set_taking(true);
  send(StoreBlock{{4}, block.cid().bytes()}, block.bytes());
  const Message stored = receive();
  EXPECT_EQ(std::get<StoreReply>(stored).answer, StoreAnswer::Synced);
}

TEST_F(Server, RefusesWhatItCannotTakeAndGoesOn) {
  const Block block = random_block(100, 1);
  send(WantBlocks{{1}, {block.cid().bytes()}}, test_header("another"));
  Refused refused = expect_refused();
  EXPECT_EQ(refused.why, Refusal::WrongCluster);
  EXPECT_EQ(refused.reason, "this node belongs to cluster test");

  Header old = test_header();
  old.version = 99;
  send(WantBlocks{{1}, {block.cid().bytes()}}, old);
  EXPECT_EQ(expect_refused().why, Refusal::WrongVersion);

  send(Ping{});
  EXPECT_EQ(expect_refused().why, Refusal::BadMessage);
  send(StoreBlock{{1}, block.cid().bytes()});
  EXPECT_EQ(expect_refused().why, Refusal::BadMessage) << "a block to store without its bytes";
  send(WantBlocks{{1}, {block.cid().bytes()}}, block.bytes());
  EXPECT_EQ(expect_refused().why, Refusal::BadMessage) << "a frame too many";
  send(WantBlocks{{1}, {as_bytes("no cid")}});
  EXPECT_EQ(expect_refused().why, Refusal::BadMessage);
  for (const std::size_t size : {0, 1, 8, 64, 1000, 100'000}) {
    send_frames({random_bytes(size, size + 1)});
    EXPECT_EQ(expect_refused().why, Refusal::BadMessage) << size;
  }
  EXPECT_EQ(node_.counts().refused_messages, 12u);
  EXPECT_EQ(node_.store().counts().blocks, 0u);
  expect_serves();
}

TEST_F(Server, CutsWhoSendsAFrameBeyondTheLimitAndServesTheOthers) {
  expect_serves();
  Socket giant(context_, SocketKind::Dealer);
  giant.monitor();
  ASSERT_TRUE(giant.connect(node_.address()));
  bool connected = false;
  bool cut = false;
  reactor_.watch_monitor(giant, [&](Now) {
    while (const auto event = giant.next_event()) {
      connected = connected || *event == ConnectionEvent::Connected;
      cut = cut || *event == ConnectionEvent::Disconnected;
    }
  });
  const Monotonic deadline = soon();
  while (!connected && read_clock().monotonic < deadline) reactor_.run_once(10ms);
  ASSERT_EQ(giant.send({Bytes(limits::socket_frame_bytes + 1)}), SendAnswer::Sent);
  while (!cut && read_clock().monotonic < deadline) reactor_.run_once(10ms);
  EXPECT_TRUE(cut);
  reactor_.unwatch_monitor(giant);
  expect_serves();
}

TEST_F(Server, AnswersBusyRatherThanQueueWithoutBoundAndSendsWhatItTook) {
  const std::vector<Block> blocks = random_blocks(1, 1 << 20);
  ASSERT_TRUE(node_.store().put(blocks).all_kept());
  WantBlocks want{{1}, {}};
  for (std::size_t i = 0; i < limits::serve_wants + 100; ++i) want.cids.push_back(blocks[0].cid().bytes());
  send(want);
  std::size_t here = 0;
  std::size_t busy = 0;
  for (std::size_t i = 0; i < want.cids.size(); ++i) {
    const Message message = receive();
    const auto* reply = std::get_if<BlockReply>(&message);
    ASSERT_NE(reply, nullptr);
    here += reply->answer == BlockAnswer::Here ? 1 : 0;
    busy += reply->answer == BlockAnswer::Busy ? 1 : 0;
  }
  EXPECT_EQ(here, limits::serve_wants);
  EXPECT_EQ(busy, 100u);
  EXPECT_EQ(node_.counts().busy, 100u);
}

TEST_F(Server, KeepsFewBytesOnTheWayToAPeerThatDoesNotRead) {
  const std::vector<Block> blocks = random_blocks(64, 1 << 20);
  ASSERT_TRUE(node_.store().put(blocks).all_kept());
  Socket idle(context_, SocketKind::Dealer, {.routing_id = {}, .queue = 1, .receive_queue = 1});
  ASSERT_TRUE(idle.connect(node_.address()));
  WantBlocks want{{1}, {}};
  for (int round = 0; round < 10; ++round) {
    for (const Block& block : blocks) want.cids.push_back(block.cid().bytes());
  }
  const Monotonic deadline = soon();
  while (idle.send({encoder_.encode(test_header(), want)}) != SendAnswer::Sent) {
    ASSERT_LT(read_clock().monotonic, deadline);
    reactor_.run_once(1ms);
  }
  // Until it stands still: as much on the way as may be, for one peer.
  while (node_.counts().most_bytes_on_the_way < limits::serve_peer_bytes) {
    ASSERT_LT(read_clock().monotonic, deadline);
    reactor_.run_once(1ms);
  }
  expect_serves();
  EXPECT_LE(node_.counts().most_bytes_on_the_way, limits::serve_peer_bytes + (1 << 20));
  EXPECT_LT(node_.counts().blocks_sent, 640u);
}

TEST_F(Server, WithANarrowWindowFewerBytesAreOnTheWayAndAllIsServed) {
  node_.server().set_window(2 << 20);
  node_.server().set_batch(1 << 20);
  EXPECT_EQ(node_.server().window(), ByteCount{2 << 20});
  const std::vector<Block> blocks = random_blocks(16, 1 << 20);
  ASSERT_TRUE(node_.store().put(blocks).all_kept());
  WantBlocks want{{1}, {}};
  for (const Block& block : blocks) want.cids.push_back(block.cid().bytes());
  send(want);
  for (std::size_t count = 0; count < blocks.size(); ++count) {
    const Message message = receive();
    ASSERT_EQ(std::get<BlockReply>(message).answer, BlockAnswer::Here);
  }
  EXPECT_LE(node_.counts().most_bytes_on_the_way, ByteCount{2 << 20});
}

// Holds its first put until it is let go, as a slow disk does.
class SlowStore final : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  PutReport put(std::span<const Block> blocks) override {
    if (!begun_.exchange(true)) gate_.lock();
    return MemoryStore::put(blocks);
  }
  [[nodiscard]] bool begun() const { return begun_; }
  void hold() { gate_.lock(); }
  void let_go() { gate_.unlock(); }

 private:
  std::atomic<bool> begun_ = false;
  std::mutex gate_;
};

TEST_F(Server, WritesInOneSyncWhatCameWhileTheDiskWasBusy) {
  auto owned = std::make_unique<SlowStore>(1 << 30, WhenFull::Refuse);
  SlowStore& slow = *owned;
  slow.hold();
  TestNode node(context_, index_, "slow", std::move(owned));
  Socket writer(context_, SocketKind::Dealer);
  ASSERT_TRUE(writer.connect(node.address()));
  const std::vector<Block> blocks = random_blocks(200, 1000);
  const Monotonic deadline = soon();
  for (const Block& block : blocks) {
    const ByteView frame = encoder_.encode(test_header(), StoreBlock{{1}, block.cid().bytes()});
    while (writer.send({frame, block.bytes()}) != SendAnswer::Sent) {
      ASSERT_LT(read_clock().monotonic, deadline);
      reactor_.run_once(1ms);
    }
  }
  while (!slow.begun() && read_clock().monotonic < deadline) reactor_.run_once(1ms);
  slow.let_go();
  while (node.counts().blocks_stored < blocks.size() && read_clock().monotonic < deadline) {
    reactor_.run_once(1ms);
  }
  EXPECT_EQ(node.counts().blocks_stored, 200u);
  EXPECT_LT(node.counts().synced_writes, 100u);
}

TEST(ServerStart, SaysThatItsPortIsTaken) {
  SocketContext context;
  MemoryStore store(1000, WhenFull::Refuse);
  const auto first = ExchangeServer::start(context, store, test_node("w1"), "127.0.0.1:*");
  ASSERT_TRUE(first);
  const auto second = ExchangeServer::start(context, store, test_node("w2"), (*first)->address());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

}  // namespace
}  // namespace cidbus
