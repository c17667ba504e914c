#include "client/client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "client/testing/fake_broker.h"
#include "shared/io/clock.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class ClientTest : public ::testing::Test, public Client::Listener {
 protected:
  Client& connect(std::vector<std::string> brokers) {
    client = std::make_unique<Client>(context, client_identity("cidbus"), std::move(brokers),
                                      SessionSettings{}, *this);
    return *client;
  }
  static Client::Patience within(Duration time) { return {read_clock().monotonic + time, time, time}; }

  void accepted(Ticket, TaskId, bool) override { ++accepted_count; }
  void rejected(Ticket, const Fault& why) override { faults.push_back(why); }
  void result(Ticket, const TaskInfo& info) override { results.emplace_back(to_text(info.state)); }
  void unknown(Ticket, TaskId) override { ++unknown_count; }

  SocketContext context;
  std::unique_ptr<Client> client;
  std::size_t accepted_count = 0;
  std::size_t unknown_count = 0;
  std::vector<Fault> faults;
  std::vector<std::string> results;
};

const Bytes no_work = encode_work({});

TEST_F(ClientTest, TenThousandTasksAreAcceptedAndAnsweredOnceEachWithinTheCredit) {
  FakeBroker broker(context);
  connect({"127.0.0.1:1", broker.address()});
  std::size_t submitted = 0;
  const Status ran = client->run(within(30s), [&] {
    for (; submitted < 10'000 && client->has_room(); ++submitted) client->submit("echo", {}, no_work);
    return submitted == 10'000 && client->idle();
  });
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(accepted_count, 10'000u);
  EXPECT_EQ(results, std::vector<std::string>(10'000, "completed"));
  client->close();
  EXPECT_EQ(broker.closed, 1u);
}

TEST_F(ClientTest, NoBrokerIsUnavailableAndNamesEveryAddressTried) {
  connect({"127.0.0.1:1", "127.0.0.1:2"}).submit("echo", {}, no_work);
  const Status ran = client->run(within(50ms), [&] { return client->idle(); });
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, FaultKind::Unavailable);
  EXPECT_NE(ran.error().message.find("127.0.0.1:1, 127.0.0.1:2"), std::string::npos) << ran.error().message;
}

TEST_F(ClientTest, ATaskThatDoesNotEndIsTimedOutWhileTheBrokerIsThere) {
  FakeBroker broker(context);
  connect({broker.address()}).submit("slow", {}, no_work);
  ASSERT_TRUE(client->run(within(10s), [&] { return accepted_count == 1; }));
  const Status ran = client->run(within(50ms), [&] { return client->idle(); });
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, FaultKind::TimedOut);
}

TEST_F(ClientTest, ARefusalCarriesTheBrokersReason) {
  FakeBroker broker(context);
  connect({broker.address()}).submit("wrong", {}, no_work);
  ASSERT_TRUE(client->run(within(10s), [&] { return client->idle(); }));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].kind, FaultKind::BadUsage);
  EXPECT_EQ(faults[0].message, "no worker has offered 'wrong'");
}

TEST_F(ClientTest, ABrokerThatForgotTheSessionGetsWhatIsNewUnderAnotherAndIsAskedForTheRestById) {
  FakeBroker broker(context);
  connect({broker.address()}).submit("slow", {}, no_work);
  ASSERT_TRUE(client->run(within(10s), [&] { return accepted_count == 1; }));
  broker.amnesia = true;
  TaskOptions keyed;
  keyed.key = "k";
  client->submit("echo", keyed, no_work);
  ASSERT_TRUE(client->run(within(10s), [&] { return results.size() == 1; }));
  EXPECT_EQ(accepted_count, 2u);
  EXPECT_EQ(unknown_count, 0u);
  EXPECT_EQ(broker.tasks, 2u);
  EXPECT_FALSE(client->idle());  // the first is still awaited
}

TEST_F(ClientTest, DescriptorsAreReadInTheSameLoop) {
  FakeBroker broker(context);
  connect({broker.address()});
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  bool readable = false;
  client->watch(pipe_ends[0], [&] { readable = true; });
  ASSERT_EQ(write(pipe_ends[1], "x", 1), 1);
  ASSERT_TRUE(client->run(within(10s), [&] { return readable; }));
  client->unwatch(pipe_ends[0]);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace cidbus
