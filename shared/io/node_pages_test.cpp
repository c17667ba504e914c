#include "shared/io/node_pages.h"

#include <gtest/gtest.h>

#include <thread>

#include "shared/io/http_test_client.h"
#include "shared/io/node_metrics.h"

namespace cidbus {
namespace {

using http_test::Answer;
using http_test::Client;

class Pages : public testing::Test {
 protected:
  Pages() {
    pages.add_health([this](Now) { return checks; });
    http = NodeHttp::start("127.0.0.1:0", pages).value();
  }
  ~Pages() override { stop(); }
  void turn() {
    thread = std::thread([this] { reactor.run(); });
  }
  void stop() {
    reactor.stop();
    if (thread.joinable()) thread.join();
  }
  Answer get(const std::string& target) { return Client(http->address()).get(target); }

  Reactor reactor;
  std::unique_ptr<Log> log = make_stderr_log("w1", LogLevel::Error);
  NodeMetrics metrics{"w1", Role::Worker, "/tmp", *log};
  NodePages pages{reactor, metrics.registry()};
  std::vector<ReadinessCheck> checks{{"bus", true, "a leader is there"}, {"feed", true, ""}};
  std::unique_ptr<NodeHttp> http;
  std::thread thread;
};

TEST_F(Pages, ShowWhatTheNodeMeasures) {
  turn();
  const auto answer = get("/metrics");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(answer.body.find("cidbus_node_info{node=\"w1\",role=\"worker\"} 1\n"), std::string::npos);
  for (const char* name : {"cidbus_process_cpu_seconds_total", "cidbus_process_resident_memory_bytes",
                           "cidbus_process_threads", "cidbus_process_open_fds", "cidbus_machine_cores",
                           "cidbus_machine_memory_bytes", "cidbus_disk_size_bytes"}) {
    const auto place = answer.body.find("\n" + std::string(name) + " ");
    ASSERT_NE(place, std::string::npos) << name;
    EXPECT_GT(std::stod(answer.body.substr(place + 2 + std::string(name).size())), 0) << name;
  }
}

TEST_F(Pages, AreReadyWhenEveryCheckPasses) {
  turn();
  EXPECT_EQ(get("/livez").body, "ok\n");
  EXPECT_EQ(get("/readyz").body, "ready\n");
  EXPECT_EQ(get("/readyz?verbose").body, "[+]bus ok: a leader is there\n[+]feed ok\nready\n");
}

TEST_F(Pages, SayWhyTheNodeIsNotReady) {
  checks[1] = {"feed", false, "nothing was heard"};
  turn();
  const auto answer = get("/readyz");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(answer.body, "[-]feed failed: nothing was heard\nnot ready\n");
  EXPECT_EQ(get("/livez").status, 200U);
}

TEST_F(Pages, AreReadOnlyAndNoMore) {
  turn();
  EXPECT_EQ(get("/else").status, 404U);
  Client client(http->address());
  client.request("/metrics", {}, "DELETE");
  EXPECT_EQ(client.read().status, 405U);
}

TEST_F(Pages, AQuestionThatWaitsWhenTheyCloseIsAnswered) {
  // Nobody turns the reactor: the question waits.
  Client client(http->address());
  client.request("/livez");
  pages.close();
  EXPECT_EQ(client.read().status, 503U);
  EXPECT_EQ(get("/livez").status, 503U);
}

TEST(Network, IsCountedWithoutLoopback) {
  const NetworkBytes bytes = parse_network(
      "Inter-|   Receive                            |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
      "    lo: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n"
      "  eth0: 30 1 0 0 0 0 0 0 400 1 0 0 0 0 0 0\n"
      "  eth1:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n"
      "rubbish: x\n");
  EXPECT_EQ(bytes.received, 35U);
  EXPECT_EQ(bytes.sent, 406U);
}

}  // namespace
}  // namespace cidbus
