// The role as a whole: a leader as small as can be, real block exchange, real HTTP.
#include "gateway/gateway.h"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <set>

#include "gateway/options.h"
#include "gateway/test_support.h"
#include "shared/exchange/test_cluster.h"
#include "shared/io/http_test_client.h"

namespace cidbus {
namespace {

using http_test::Answer;
using http_test::Client;
using ::testing::Contains;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class QuietLog final : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
};

// Welcomes whom it is told to, and answers who holds what.
class TinyLeader {
 public:
  TinyLeader(SocketContext& context, TestIndex& index)
      : index_(index),
        peer_(context, [this](Socket& socket, ByteView sender, const Envelope& envelope, Encoder& encoder) {
          answer(socket, sender, envelope, encoder);
        }) {}
  [[nodiscard]] const std::string& address() const { return peer_.address(); }
  // "name: role", and "name: goodbye"
  std::set<std::string> heard() {
    const std::lock_guard guard(mutex_);
    return heard_;
  }

 private:
  void answer(Socket& socket, ByteView sender, const Envelope& envelope, Encoder& encoder) {
    const auto send = [&](const Message& message) {
      Header header = test_header();
      header.epoch = {1};
      socket.send({sender, encoder.encode(header, message)});
    };
    const std::string name(envelope.header.sender);
    if (const auto* hello = std::get_if<Hello>(&envelope.message)) {
      note(name + ": " + std::string(to_text(hello->role)));
      send(Welcome{"b1", 100ms, 5s, 30s, 100});
    } else if (std::holds_alternative<Goodbye>(envelope.message)) {
      note(name + ": goodbye");
    } else if (std::holds_alternative<Ping>(envelope.message)) {
      send(Pong{});
    } else if (const auto* find = std::get_if<Find>(&envelope.message)) {
      const auto holders = index_.find(find->blocks, soon());
      Providers providers{find->request, {}, {}};
      for (const StoringNode& node : holders->nodes) providers.nodes.push_back({node.name, node.endpoint});
      for (std::size_t at = 0; at < find->blocks.size(); ++at) {
        providers.blocks.push_back({find->blocks[at], holders->holders[at]});
      }
      send(providers);
    }
  }
  void note(std::string line) {
    const std::lock_guard guard(mutex_);
    heard_.insert(std::move(line));
  }

  TestIndex& index_;
  std::mutex mutex_;
  std::set<std::string> heard_;
  OddPeer peer_;  // its thread ends before what it uses
};

class GatewayTest : public ::testing::Test {
 protected:
  ~GatewayTest() override { stop(); }
  void start(const std::string& broker, Duration fetch_time = 20s) {
    GatewayOptions options;
    options.identity = {"test", "g1", Role::Gateway, {9}};
    options.brokers = {broker};
    options.http = "127.0.0.1:0";
    options.fetch_time = fetch_time;
    options.unknown_time = 50ms;
    gateway_ = std::make_unique<Gateway>(context_, options, log_);
    const Status opened = gateway_->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  void stop() {
    if (!gateway_) return;
    gateway_->ask_to_stop();
    EXPECT_TRUE(gateway_->wait());
    gateway_.reset();
  }
  Answer get(const std::string& target) { return Client(gateway_->http_address()).get(target); }
  void await_ready() {
    Client client(gateway_->http_address());
    for (const Monotonic deadline = soon(); client.get("/readyz").status != 200U;) {
      ASSERT_LT(read_clock().monotonic, deadline) << "it never joined";
    }
  }
  // A file of several blocks, spread over the nodes.
  Cid spread(const std::string& text, std::vector<TestNode*> nodes) {
    struct Spreading final : BlockSink {
      Status put(const Cid& cid, ByteView bytes) override {
        const Block block(cid, to_bytes(bytes));
        EXPECT_TRUE(nodes[next++ % nodes.size()]->store().put({&block, 1}).all_kept());
        return {};
      }
      std::vector<TestNode*> nodes;
      std::size_t next = 0;
    } sink;
    sink.nodes = std::move(nodes);
    ImportProfile profile = unixfs_v1_2025;
    profile.chunk_bytes = 1000;
    FileBuilder builder(profile, sink);
    EXPECT_TRUE(builder.write(as_bytes(text)));
    return builder.finish()->cid;
  }

  QuietLog log_;
  SocketContext context_;
  TestIndex index_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayTest, joins_as_a_gateway_and_says_goodbye) {
  TinyLeader leader(context_, index_);
  start(leader.address());
  await_ready();
  EXPECT_EQ(get("/readyz?verbose").body, "[+]bus ok: a leader is there\nready\n");
  EXPECT_THAT(leader.heard(), Contains("g1: gateway"));
  stop();
  for (const Monotonic deadline = soon(); !leader.heard().contains("g1: goodbye");) {
    ASSERT_LT(read_clock().monotonic, deadline) << "no goodbye came";
  }
}

TEST_F(GatewayTest, serves_what_the_nodes_of_the_cluster_hold) {
  TinyLeader leader(context_, index_);
  TestNode first(context_, index_, "w1");
  TestNode second(context_, index_, "w2");
  const std::string text = gateway_test::pattern(100'000);
  const Cid cid = spread(text, {&first, &second});
  start(leader.address());
  EXPECT_TRUE(get("/ipfs/" + to_text(cid)).body == text);
  first.stop();
  second.stop();
  EXPECT_TRUE(get("/ipfs/" + to_text(cid)).body == text);  // out of the cache
  stop();
}

TEST_F(GatewayTest, says_404_when_the_index_knows_no_holder_long_before_the_fetch_timeout) {
  TinyLeader leader(context_, index_);
  start(leader.address(), 1h);
  const std::string cid = to_text(random_block(10, 1).cid());
  const Answer answer = get("/ipfs/" + cid);
  EXPECT_EQ(answer.status, 404U);
  EXPECT_THAT(answer.body, HasSubstr("no node holds " + cid));
  stop();
}

TEST_F(GatewayTest, says_504_when_a_holder_does_not_answer) {
  TinyLeader leader(context_, index_);
  OddPeer silent(context_, {});
  const Block block = random_block(10, 1);
  index_.add_node({"w1", silent.address()});
  index_.announce("w1", std::vector{block_key(block.cid())}, {});
  start(leader.address(), 200ms);
  EXPECT_EQ(get("/ipfs/" + to_text(block.cid())).status, 504U);
  stop();
}

TEST_F(GatewayTest, says_503_and_names_the_brokers_while_none_is_there) {
  start("127.0.0.1:1", 200ms);
  EXPECT_EQ(get("/readyz").body, "[-]bus failed: no leader at 127.0.0.1:1\nnot ready\n");
  EXPECT_EQ(get("/livez").status, 200U);
  const Answer answer = get("/ipfs/" + to_text(random_block(10, 1).cid()));
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.body, HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(get("/ipfs/bafkqabtimvwgy3yk").body, "hello\n");  // needs no cluster
}

TEST_F(GatewayTest, stops_though_a_block_is_being_waited_for) {
  TinyLeader leader(context_, index_);
  OddPeer silent(context_, {});
  const Block block = random_block(10, 1);
  index_.add_node({"w1", silent.address()});
  index_.announce("w1", std::vector{block_key(block.cid())}, {});
  start(leader.address(), 1h);
  await_ready();
  Client client(gateway_->http_address());
  client.request("/ipfs/" + to_text(block.cid()));
  for (const Monotonic deadline = soon(); index_.finds() == 0;) {
    ASSERT_LT(read_clock().monotonic, deadline) << "it never looked";
  }
  stop();
}

TEST_F(GatewayTest, says_what_is_wrong_with_its_options) {
  GatewayOptions options;
  options.identity = {"test", "g1", Role::Gateway, {9}};
  options.brokers = {"127.0.0.1:1"};
  options.cache_bytes = 1000;
  options.http = "127.0.0.1:0";
  EXPECT_EQ(Gateway(context_, options, log_).open().error().kind, FaultKind::BadUsage);
  options.cache_bytes = 1 << 30;
  options.http = "nowhere";
  EXPECT_EQ(Gateway(context_, options, log_).open().error().kind, FaultKind::BadUsage);
}

TEST(GatewayCommandLine, takes_the_flags_of_the_design) {
  const char* arguments[] = {"cidbus-gateway", "--name",          "g7",   "--master",
                             "h1:1,h2:2",      "--cluster",       "blue", "--cache-bytes",
                             "256MiB",         "--fetch-timeout", "1.5",  "--http",
                             "127.0.0.1:0"};
  const auto parsed = parse_gateway_options(std::size(arguments), arguments);
  ASSERT_TRUE(std::holds_alternative<GatewayCommand>(parsed));
  const GatewayOptions& options = std::get<GatewayCommand>(parsed).gateway;
  EXPECT_EQ(options.identity.name, "g7");
  EXPECT_EQ(options.identity.cluster, "blue");
  EXPECT_EQ(options.identity.role, Role::Gateway);
  EXPECT_EQ(options.brokers.size(), 2U);
  EXPECT_EQ(options.cache_bytes, 256ULL << 20);
  EXPECT_EQ(options.fetch_time, 1500ms);
}

TEST(GatewayCommandLine, ends_with_2_on_wrong_usage) {
  const char* nameless[] = {"cidbus-gateway"};
  EXPECT_EQ(std::get<int>(parse_gateway_options(1, nameless)), 2);
  const char* negative[] = {"cidbus-gateway", "--name", "g1", "--fetch-timeout", "-1"};
  EXPECT_EQ(std::get<int>(parse_gateway_options(5, negative)), 2);
  const char* bad_name[] = {"cidbus-gateway", "--name", "g 1"};
  EXPECT_EQ(std::get<int>(parse_gateway_options(3, bad_name)), 2);
}

}  // namespace
}  // namespace cidbus
