#include <gtest/gtest.h>

#include <thread>

#include "shared/io/bus_asker.h"
#include "shared/io/bus_link.h"
#include "shared/io/clock.h"
#include "shared/io/random.h"
#include "shared/io/reactor.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

Monotonic soon() { return read_clock().monotonic + 10s; }

// Turns of the reactor until the condition holds.
template <typename Condition>
void run_until(Reactor& reactor, Condition condition) {
  const Monotonic deadline = soon();
  while (!condition()) {
    ASSERT_LT(read_clock().monotonic, deadline) << "the condition never held";
    reactor.run_once(10ms);
  }
}

TEST(Addresses, AreAListOfHostAndPort) {
  const auto two = parse_addresses("127.0.0.1:9096,b2.example:9196");
  ASSERT_TRUE(two);
  EXPECT_EQ(*two, (std::vector<std::string>{"127.0.0.1:9096", "b2.example:9196"}));
  for (const char* bad : {"", "host", "host:", ":9096", "h:0", "h:65536", "h:1,", "h:9x"}) {
    EXPECT_EQ(parse_addresses(bad).error().kind, FaultKind::BadUsage) << bad;
  }
  EXPECT_EQ(address_at("127.0.0.1:9096", 2), "127.0.0.1:9098");
}

TEST(RoutingIds, CarryNameAndIncarnation) {
  const NodeIdentity node{"test", "w1", Role::Worker, {0xabc}};
  const std::string id = routing_id(node);
  EXPECT_TRUE(id.starts_with("w1#0000000000000abc#")) << id;
  EXPECT_NE(id, routing_id(node)) << "the end of it is nobody else's to guess";
  const auto parsed = parse_routing_id(as_bytes(id));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->first, "w1");
  EXPECT_EQ(parsed->second, Incarnation{0xabc});
  EXPECT_FALSE(parse_routing_id(as_bytes("w1")));
  EXPECT_TRUE(parse_routing_id(as_bytes("w1#0000000000000abc")));
  EXPECT_FALSE(parse_routing_id(as_bytes("w1#xyz")));
  EXPECT_FALSE(parse_routing_id(as_bytes("w1#0000000000000abc#")));
  EXPECT_FALSE(parse_routing_id(as_bytes("w1#0000000000000abc#0123456789abcdef0")));
  EXPECT_FALSE(parse_routing_id(as_bytes("w1#0000000000000abcd#0123456789abcde")));
  EXPECT_FALSE(parse_routing_id(as_bytes("a b#0000000000000abc")));
}

TEST(Sockets, ARouterSaysThatAPeerIsUnknown) {
  SocketContext context;
  Socket router(context, SocketKind::Router);
  ASSERT_TRUE(router.bind("127.0.0.1:*"));
  EXPECT_EQ(router.send({as_bytes("nobody"), as_bytes("hello")}), SendAnswer::Unroutable);
}

TEST(Sockets, ATakenPortIsAOneLineFault) {
  SocketContext context;
  Socket first(context, SocketKind::Router);
  ASSERT_TRUE(first.bind("127.0.0.1:*"));
  Socket second(context, SocketKind::Router);
  const Status taken = second.bind(first.bound_address());
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("in use"), std::string::npos) << taken.error().message;
  EXPECT_EQ(second.bind("nonsense").error().kind, FaultKind::BadUsage);
}

TEST(Sockets, ASharedLastFrameIsLetGoWhenItHasBeenSent) {
  SocketContext context;
  Socket router(context, SocketKind::Router);
  ASSERT_TRUE(router.bind("127.0.0.1:*"));
  Socket dealer(context, SocketKind::Dealer);
  dealer.monitor();
  ASSERT_TRUE(dealer.connect(router.bound_address()));
  Reactor reactor;
  bool connected = false;
  reactor.watch_monitor(dealer, [&](Now) { connected = dealer.next_event() == ConnectionEvent::Connected; });
  run_until(reactor, [&] { return connected; });
  auto block = std::make_shared<const Bytes>(100'000, std::uint8_t{7});
  const std::weak_ptr<const Bytes> watched = block;
  ASSERT_EQ(dealer.send({as_bytes("head")}, *block, block), SendAnswer::Sent);
  block.reset();
  Frames frames;
  bool received = false;
  reactor.watch(router, [&](Now) { received = router.receive(frames); });
  run_until(reactor, [&] { return received && watched.expired(); });
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[2].size(), 100'000u);
}

// A broker as small as can be: answers hello with welcome, and a snapshot request with a snapshot.
class TinyBroker {
 public:
  TinyBroker(SocketContext& context, Reactor& reactor, const std::string& address = "127.0.0.1:*")
      : router_(context, SocketKind::Router), reactor_(reactor) {
    const Status bound = router_.bind(address);
    EXPECT_TRUE(bound) << bound.error().message;
    reactor.watch(router_, [this](Now) { on_readable(); });
  }
  ~TinyBroker() { reactor_.unwatch(router_); }
  std::string address() const { return router_.bound_address(); }
  int hellos = 0;
  NodeLoad told;  // by the last of them
  int pings = 0;
  Epoch epoch{3};
  std::optional<Refused> refusal;
  std::optional<Redirect> redirect;  // in answer to a hello
  bool deaf = false;

 private:
  void on_readable() {
    while (router_.receive(frames_)) {
      ASSERT_EQ(frames_.size(), 2u);
      const auto envelope = decoder_.decode(frames_[1]);
      ASSERT_TRUE(envelope);
      if (deaf) continue;
      if (const auto* hello = std::get_if<Hello>(&envelope->message)) {
        ++hellos;
        told = hello->load;
        if (refusal) {
          answer(*refusal);
        } else if (redirect) {
          answer(*redirect);
        } else {
          answer(Welcome{"b1", 20ms, 5s, 30s, 100});
        }
      } else if (const auto* request = std::get_if<SnapshotRequest>(&envelope->message)) {
        Snapshot snapshot;
        snapshot.request = request->request;
        snapshot.leader = redirect ? redirect->leader : "b1";
        snapshot.brokers = {{"b1", "h:1", !redirect, epoch, {}, {}, {}, {}}};
        if (redirect && !redirect->leader.empty())
          snapshot.brokers.push_back({redirect->leader, redirect->endpoint, true, epoch, {}, {}, {}, {}});
        answer(snapshot);
      } else if (std::holds_alternative<Ping>(envelope->message)) {
        ++pings;
        answer(Pong{});
      }
    }
  }
  void answer(const Message& message) {
    const Header header{protocol_version, cluster_id("test"), epoch, "b1", {1}};
    router_.send({frames_[0], encoder_.encode(header, message)});
  }

  Socket router_;
  Reactor& reactor_;
  Frames frames_;
  Encoder encoder_;
  Decoder decoder_;
};

class RecordingOwner : public BusLink::Owner {
 public:
  Hello make_hello() override { return {}; }
  void on_bound(Now, const Welcome&) override { ++bound; }
  void on_unbound(Now) override { ++unbound; }
  void on_message(Now, const Header&, const Message& message) override {
    if (std::holds_alternative<Snapshot>(message)) ++snapshots;
  }
  void on_own_word(Now, const Header&, const Message& message) override {
    if (std::holds_alternative<Snapshot>(message)) ++standby_snapshots;
  }
  void on_refused(Now, const Refused& why) override { refusal = std::string(why.reason); }
  NodeLoad load() override { return {.slots = 3, .blocks = 7}; }
  int bound = 0;
  int unbound = 0;
  int snapshots = 0;
  int standby_snapshots = 0;
  std::string refusal;
};

class BusLinkTest : public ::testing::Test {
 protected:
  SocketContext context;
  Reactor reactor;
  RecordingOwner owner;
  NodeIdentity identity{"test", "c1", Role::Client, {5}};
};

TEST_F(BusLinkTest, BindsPingsAndBindsAgainToABrokerThatCameBack) {
  auto broker = std::make_unique<TinyBroker>(context, reactor);
  const std::string address = broker->address();
  BusLink link(context, reactor, identity, {address}, owner);
  ASSERT_TRUE(link.open());
  run_until(reactor, [&] { return owner.bound == 1 && broker->pings > 2; });
  EXPECT_EQ(link.epoch(), Epoch{3});
  EXPECT_EQ(broker->told.blocks, 7u) << "the load travels with the hello";
  ASSERT_TRUE(link.send(SnapshotRequest{{1}}));
  run_until(reactor, [&] { return owner.snapshots == 1; });
  broker.reset();
  run_until(reactor, [&] { return owner.unbound == 1; });
  EXPECT_FALSE(link.send(SnapshotRequest{{2}}));
  broker = std::make_unique<TinyBroker>(context, reactor, address);
  run_until(reactor, [&] { return owner.bound == 2; });
}

TEST_F(BusLinkTest, FindsALeaderThatItWasNotGivenAndStaysWhenWhoNamedItDies) {
  TinyBroker leader(context, reactor);
  auto standby = std::make_unique<TinyBroker>(context, reactor);
  const std::string given = standby->address();
  const std::string named = leader.address();
  standby->redirect = Redirect{"b1", named, {{"b1", named}, {"b2", given}}};
  BusLink link(context, reactor, identity, {given}, owner);
  ASSERT_TRUE(link.open());
  run_until(reactor, [&] { return owner.bound == 1; });
  EXPECT_EQ(link.leader_address(), named);
  standby.reset();
  const int pings = leader.pings;
  run_until(reactor, [&] { return leader.pings > pings + 2; });
  EXPECT_EQ(owner.unbound, 0);
  // Another link of this process, given the dead one's address alone.
  RecordingOwner later;
  NodeIdentity other{"test", "c2", Role::Client, {6}};
  BusLink second(context, reactor, other, {given}, later);
  ASSERT_TRUE(second.open());
  run_until(reactor, [&] { return later.bound == 1; });
}

TEST_F(BusLinkTest, AsksThoseThatDoNotLeadAndTakesNoneOfThemForTheLeader) {
  TinyBroker broker(context, reactor);
  broker.redirect = Redirect{};
  BusLink link(context, reactor, identity, {broker.address()}, owner);
  ASSERT_TRUE(link.open());
  link.ask_standbys({{1}});  // nobody has said yet whether it leads
  run_until(reactor, [&] { return broker.hellos > 0 && link.leaderless(); });
  EXPECT_EQ(owner.standby_snapshots, 0);
  link.ask_standbys({{2}});
  run_until(reactor, [&] { return owner.standby_snapshots == 1; });
  EXPECT_EQ(owner.snapshots, 0);
  broker.redirect.reset();
  run_until(reactor, [&] { return owner.bound == 1; });
  link.ask_standbys({{3}});
  ASSERT_TRUE(link.send(SnapshotRequest{{4}}));
  run_until(reactor, [&] { return owner.snapshots > 0; });
  EXPECT_EQ(owner.snapshots, 1) << "a leader is not asked as a standby";
}

TEST_F(BusLinkTest, ALeaderThatAnswersAsAStandbyHasLostItsOffice) {
  TinyBroker next(context, reactor);
  TinyBroker broker(context, reactor);
  BusLink link(context, reactor, identity, {broker.address(), next.address()}, owner);
  next.redirect = Redirect{};
  ASSERT_TRUE(link.open());
  run_until(reactor, [&] { return owner.bound == 1; });
  const std::string named = next.address();
  next.redirect.reset();
  broker.redirect = Redirect{"b2", named};
  ASSERT_TRUE(link.send(SnapshotRequest{{1}}));
  run_until(reactor, [&] { return owner.unbound == 1 && owner.bound == 2; });
  EXPECT_EQ(owner.snapshots, 0);
  EXPECT_EQ(owner.standby_snapshots, 1);
  EXPECT_EQ(link.leader_address(), named);
}

TEST_F(BusLinkTest, ARefusedHelloIsToldAndTriedAgain) {
  TinyBroker broker(context, reactor);
  broker.refusal = Refused{Refusal::NameTaken, "there is a c1 already", 0ms};
  BusLink link(context, reactor, identity, {broker.address()}, owner);
  ASSERT_TRUE(link.open());
  run_until(reactor, [&] { return broker.hellos > 2; });
  EXPECT_EQ(owner.refusal, "there is a c1 already");
  EXPECT_EQ(owner.bound, 0);
  broker.refusal.reset();
  run_until(reactor, [&] { return owner.bound == 1; });
}

// A TinyBroker on a thread of its own, for the asker, which blocks.
class ThreadedBroker {
 public:
  explicit ThreadedBroker(SocketContext& context)
      : broker(context, reactor), thread_([this] { reactor.run(); }) {}
  ~ThreadedBroker() {
    reactor.stop();
    thread_.join();
  }
  Reactor reactor;
  TinyBroker broker;

 private:
  std::thread thread_;
};

TEST(BusAskerTest, AsksAndGetsTheAnswerToItsOwnRequest) {
  SocketContext context;
  ThreadedBroker threaded(context);
  BusAsker asker(context, {"test", "c1", Role::Client, {5}}, {"127.0.0.1:1", threaded.broker.address()});
  for (int round = 0; round < 3; ++round) {
    const RequestId request = asker.next_request();
    std::string leader;
    const Status asked = asker.ask(SnapshotRequest{request}, soon(), [&](const Message& message) {
      const auto* snapshot = std::get_if<Snapshot>(&message);
      if (snapshot == nullptr || snapshot->request != request) return false;
      leader = snapshot->leader;
      return true;
    });
    ASSERT_TRUE(asked) << asked.error().message;
    EXPECT_EQ(leader, "b1");
  }
}

TEST(BusAskerTest, NoBrokerIsUnavailableAndNamesTheAddressesTried) {
  SocketContext context;
  BusAsker asker(context, {"test", "c1", Role::Client, {5}}, {"127.0.0.1:1", "127.0.0.1:2"});
  const Status asked =
      asker.ask(SnapshotRequest{{1}}, read_clock().monotonic + 50ms, [](const Message&) { return true; });
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind, FaultKind::Unavailable);
  EXPECT_NE(asked.error().message.find("127.0.0.1:1, 127.0.0.1:2"), std::string::npos)
      << asked.error().message;
}

TEST(Clock, IsMonotonicAndAfter2020) {
  const Now first = read_clock();
  const Now second = read_clock();
  EXPECT_LE(first.monotonic, second.monotonic);
  EXPECT_GT(second.wall.milliseconds, 1'577'836'800'000);
}

TEST(Randomness, DoesNotRepeat) {
  EXPECT_NE(random_session(), random_session());
  EXPECT_NE(random_incarnation(), random_incarnation());
}

}  // namespace
}  // namespace cidbus
