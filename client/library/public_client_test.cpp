#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <set>
#include <thread>

#include "cidbus/client.h"
#include "client/testing/fake_broker.h"
#include "shared/base/limits/library.h"
#include "shared/exchange/exchange_server.h"
#include "shared/store/memory_store.h"

namespace cidbus::v1 {
namespace {

using namespace std::chrono_literals;

constexpr auto soon = 30s;

class PublicClient : public ::testing::Test {
 protected:
  Client connect(std::chrono::milliseconds patience = 30s) {
    auto client = Client::connect({.brokers = {broker.address()}, .contact = 10s, .patience = patience});
    return std::move(client).value();
  }
  SocketContext context;
  FakeBroker broker{context};
};

TEST_F(PublicClient, ASubmissionIsAcceptedAndThenTellsHowItsTaskEnded) {
  Client client = connect();
  const Cid input = Cid::parse("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku").value();
  const auto submission =
      client.submit({.type = "echo", .inputs = {input}, .parameters = {{"b", "2"}, {"a", "ü"}}}).value();
  const TaskId id = submission.accepted(soon).value();
  const Task task = submission.result(soon).value();
  EXPECT_EQ(task.id, id);
  EXPECT_EQ(TaskId::parse(id.text()).value(), id);
  EXPECT_EQ(task.state, TaskState::Completed);
  EXPECT_EQ(to_text(task.state), "completed");
  EXPECT_EQ(task.inputs, std::vector{input});
  EXPECT_EQ(task.result.cids, std::vector{input});
  EXPECT_EQ(task.result.values, (NamedTexts{{"b", "2"}, {"a", "ü"}}));
  EXPECT_EQ(task.worker, "w1");
  EXPECT_EQ(task.finished_at - task.started_at, 32ms);
  EXPECT_EQ(submission.result().value().id, id) << "asked again, it tells again";
}

TEST_F(PublicClient, TenThousandSubmissionsOfFourThreadsAreCalledBackOnceEach) {
  std::vector<std::atomic<int>> calls(10'000);
  {
    std::atomic<int> left = 10'000;
    Client client = connect();
    std::vector<std::thread> threads;
    for (int first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (int number = first; number < 10'000; number += 4) {
          const TaskRequest request{.type = "echo", .parameters = {{"number", std::to_string(number)}}};
          const Status submitted = client.submit(request, [&, number](Result<Task> task) {
            EXPECT_EQ(task->result.values.at(0).second, std::to_string(number));
            ++calls[static_cast<std::size_t>(number)];
            if (--left == 0) left.notify_all();
          });
          ASSERT_TRUE(submitted) << submitted.error().message;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int now = left; now != 0; now = left) left.wait(now);
  }
  for (const auto& count : calls) ASSERT_EQ(count, 1);
  EXPECT_EQ(broker.tasks, 10'000u);
}

TEST_F(PublicClient, WhatMakesNoSenseIsRefusedBeforeItIsSent) {
  Client client = connect();
  const std::pair<TaskRequest, const char*> cases[] = {
      {{.type = "two words"}, "'two words' cannot be a task type"},
      {{.type = "echo", .parameters = {{"a", "1"}, {"a", "2"}}}, "'a' is given twice"},
      {{.type = "echo", .parameters = {{"a", std::string(300'000, 'x')}}}, "add large values as content"},
      {{.type = "echo", .priority = 10}, "priority is 10; give a number from 0 to 9"},
      {{.type = "echo", .retries = -1}, "retries is -1; give a number from 0 to 99"},
      {{.type = "echo", .delay = -1ms}, "from 0 to ten years"},
      {{.type = "echo", .deadline = no_timeout}, "from 0 to ten years"},
      {{.type = "echo", .key = std::string(257, 'k')}, "the key is too long"},
  };
  for (const auto& [request, words] : cases) {
    const auto refused = client.submit(request);
    ASSERT_FALSE(refused) << words;
    EXPECT_EQ(refused.error().kind, FaultKind::BadUsage);
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << refused.error().message;
  }
  EXPECT_EQ(broker.submissions, 0u);
  EXPECT_EQ(Cid::parse("no cid").error().kind, FaultKind::BadData);
  EXPECT_EQ(TaskId::parse("42").error().kind, FaultKind::BadUsage);
}

TEST_F(PublicClient, ARefusalOfTheBrokerEndsTheSubmissionWithItsReason) {
  Client client = connect();
  const auto submission = client.submit({.type = "wrong"}).value();
  EXPECT_EQ(submission.accepted(soon).error().message, "no worker has offered 'wrong'");
  EXPECT_EQ(submission.result(soon).error().kind, FaultKind::BadUsage);
}

TEST_F(PublicClient, ATaskThatFailedIsAResultAndNoFault) {
  Client client = connect();
  const Task task = client.submit({.type = "fail"}).value().result(soon).value();
  EXPECT_EQ(task.state, TaskState::Failed);
  EXPECT_EQ(task.error, "no such pixel");
}

// Threads and descriptors of this process, by name: how many there are says little, because a thread that was
// joined and a descriptor that the broker closes in its own time are listed for a moment more.
std::multiset<std::string> running() {
  std::multiset<std::string> found;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
    found.insert("thread " + thread.path().filename().string());
  for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed;
    const auto target = std::filesystem::read_symlink(descriptor, closed);
    if (!closed) found.insert(target.string());
  }
  return found;
}

std::vector<std::string> running_since(const std::multiset<std::string>& before) {
  std::vector<std::string> added;
  std::ranges::set_difference(running(), before, std::back_inserter(added));
  return added;
}

TEST_F(PublicClient, LeavesNoThreadAndNoDescriptorBehind) {
  connect();  // what the process keeps for good is there from now on
  const auto before = running();
  {
    Client client = connect();
    const TaskId id = client.submit({.type = "slow"}).value().accepted(soon).value();
    EXPECT_TRUE(client.task(id));
    EXPECT_GT(running_since(before).size(), 2u) << "at least a thread, and sockets at both ends";
  }
  const auto settled = std::chrono::steady_clock::now() + soon;
  while (!running_since(before).empty() && std::chrono::steady_clock::now() < settled)
    std::this_thread::yield();
  EXPECT_EQ(running_since(before), std::vector<std::string>{});
}

TEST_F(PublicClient, DestructionEndsWhatIsOpenOnceAndLeavesNothingBehind) {
  std::atomic<int> ended = 0;
  std::optional<Client> client = connect();
  const auto kept = client->submit({.type = "slow"}).value();
  const TaskId accepted = kept.accepted(soon).value();
  const Status submitted = client->submit({.type = "slow"}, [&](Result<Task> task) {
    EXPECT_EQ(task.error().kind, FaultKind::Unavailable);
    EXPECT_EQ(client->submit({.type = "echo"}).error().kind, FaultKind::Unavailable);
    ++ended;
  });
  ASSERT_TRUE(submitted);
  EXPECT_EQ(kept.result(1ms).error().kind, FaultKind::TimedOut);
  client.reset();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(kept.result().error().kind, FaultKind::Unavailable);
  EXPECT_EQ(kept.accepted().value(), accepted) << "what was accepted stays so";
  EXPECT_EQ(broker.closed, 1u);
}

TEST_F(PublicClient, ACallbackMaySubmitAndIsToldThatItCannotWait) {
  std::promise<Result<Task>> second;
  Client client = connect();
  const Status submitted = client.submit({.type = "echo"}, [&](Result<Task> first) {
    EXPECT_EQ(client.task(first->id).error().kind, FaultKind::BadUsage);
    EXPECT_EQ(client.add("bytes").error().kind, FaultKind::BadUsage);
    const auto next = client.submit({.type = "echo"}).value();
    EXPECT_EQ(next.result().error().kind, FaultKind::BadUsage);
    const Status again = client.submit({.type = "echo", .parameters = {{"n", "2"}}},
                                       [&](Result<Task> task) { second.set_value(std::move(task)); });
    EXPECT_TRUE(again);
  });
  ASSERT_TRUE(submitted);
  EXPECT_EQ(second.get_future().get()->result.values, (NamedTexts{{"n", "2"}}));
}

TEST_F(PublicClient, WithoutRoomASubmissionIsRefusedAndWithRoomAgainTaken) {
  broker.always_full = true;  // nothing of type `full` is accepted, and the client holds it
  std::atomic<int> ended = 0;
  Client client = connect(0ms);
  int taken = 0;
  const TaskRequest large{.type = "full", .parameters = {{"bytes", std::string(60'000, 'x')}}};
  Status submitted;
  while ((submitted = client.submit(large, [&](Result<Task>) { ++ended, ended.notify_all(); }))) ++taken;
  EXPECT_EQ(submitted.error().kind, FaultKind::TryAgain);
  EXPECT_NEAR(taken, static_cast<int>(limits::submitted_bytes / 60'512), 2);
  broker.always_full = false;
  for (int now = ended; now != taken; now = ended) ended.wait(now);
  EXPECT_TRUE(client.submit(large).value().result(soon));
}

TEST_F(PublicClient, ABrokerThatForgotEverythingCostsNoResultAndRunsNothingTwice) {
  Client client = connect();
  const auto before = client.submit({.type = "slow", .key = "one"}).value();
  const TaskId id = before.accepted(soon).value();
  broker.amnesia = true;
  EXPECT_EQ(client.submit({.type = "echo", .key = "two"}).value().result(soon).value().state,
            TaskState::Completed);
  EXPECT_EQ(client.submit({.type = "slow", .key = "one"}).value().accepted(soon).value(), id);
  EXPECT_TRUE(client.task(id));
  broker.amnesia = true;
  EXPECT_TRUE(client.task(id)) << "a connection that is lent again says hello again";
  EXPECT_EQ(client.cancel(id).value(), CancelAnswer::Cancelled);
  EXPECT_EQ(client.wait(id).value().state, TaskState::Cancelled);
  EXPECT_EQ(broker.tasks, 2u);
}

TEST_F(PublicClient, AnyTaskIsAskedForListedAwaitedAndCancelled) {
  Client client = connect();
  const TaskId slow = client.submit({.type = "slow"}).value().accepted(soon).value();
  const TaskId done = client.submit({.type = "echo"}).value().accepted(soon).value();
  EXPECT_EQ(client.task(slow).value().state, TaskState::Pending);
  EXPECT_EQ(client.task(TaskId(99)).error().kind, FaultKind::NotFound);
  EXPECT_EQ(client.wait(done).value().state, TaskState::Completed);
  EXPECT_EQ(client.wait(TaskId(99)).error().kind, FaultKind::NotFound);
  EXPECT_EQ(client.wait(slow, 50ms).error().kind, FaultKind::TimedOut);
  EXPECT_EQ(client.tasks().value().size(), 2u);
  EXPECT_EQ(client.tasks({.type = "echo"}).value().at(0).id, done);
  EXPECT_EQ(client.tasks({.state = TaskState::Pending}).value().at(0).id, slow);
  EXPECT_EQ(client.tasks({.limit = 1}).value().at(0).id, done);
  EXPECT_EQ(client.cancel(slow).value(), CancelAnswer::Cancelled);
  EXPECT_EQ(client.cancel(slow).value(), CancelAnswer::AlreadyFinal);
  EXPECT_EQ(client.cancel(TaskId(99)).error().kind, FaultKind::NotFound);
}

TEST(PublicClientAlone, SaysWhyItCannotConnect) {
  const auto nobody = Client::connect({.brokers = {"127.0.0.1:1", "127.0.0.1:2"}, .contact = 50ms});
  EXPECT_EQ(nobody.error().kind, FaultKind::Unavailable);
  EXPECT_NE(nobody.error().message.find("127.0.0.1:1, 127.0.0.1:2"), std::string::npos);
  EXPECT_EQ(Client::connect({.brokers = {"nowhere"}}).error().kind, FaultKind::BadUsage);
  EXPECT_EQ(Client::connect({.brokers = {}}).error().kind, FaultKind::BadUsage);
  EXPECT_EQ(Client::connect({.cluster = "two words"}).error().kind, FaultKind::BadUsage);
  SocketContext context;
  FakeBroker broker(context);
  broker.foreign = true;
  EXPECT_EQ(Client::connect({.brokers = {broker.address()}}).error().kind, FaultKind::NotAllowed);
}

class PublicContent : public ::testing::Test {
 protected:
  PublicContent() { std::filesystem::create_directories(folder); }
  ~PublicContent() override { std::filesystem::remove_all(folder); }

  SocketContext context;
  MemoryStore store{1 << 30, WhenFull::Refuse};
  std::unique_ptr<ExchangeServer> exchange =
      ExchangeServer::start(context, store, {"cidbus", "w1", Role::Worker, {7}}, "127.0.0.1:*").value();
  FakeBroker broker{context, exchange->address()};
  Client client = Client::connect({.brokers = {broker.address()}}).value();
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("cidbus-public-content-" + std::to_string(getpid()));
};

TEST_F(PublicContent, BytesGoInAndComeOutUnderTheCidThatKuboGivesThem) {
  const Cid cid = client.add("hello world").value();
  EXPECT_EQ(cid.text(), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
  EXPECT_EQ(client.get(cid).value(), "hello world");
  EXPECT_EQ(client.get(cid, 11).value(), "hello world");
  EXPECT_EQ(client.get(cid, 10).error().kind, FaultKind::BadData);
}

TEST_F(PublicContent, AStreamGoesInAndComesOutPieceByPiece) {
  constexpr std::size_t total = 5'000'000;
  std::size_t given = 0;
  const Cid cid = client
                      .add([&](char* buffer, std::size_t size) -> Result<std::size_t> {
                        const std::size_t count = std::min({size, total - given, std::size_t{100'000}});
                        for (std::size_t place = 0; place < count; ++place)
                          buffer[place] = static_cast<char>((given + place) % 251);
                        given += count;
                        return count;
                      })
                      .value();
  std::size_t read = 0;
  std::size_t pieces = 0;
  const Status got = client.get(cid, [&](std::string_view bytes) -> Status {
    for (const char byte : bytes) EXPECT_EQ(byte, static_cast<char>(read++ % 251));
    ++pieces;
    return {};
  });
  EXPECT_TRUE(got);
  EXPECT_EQ(read, total);
  EXPECT_GT(pieces, 1u);
}

TEST_F(PublicContent, AFaultOfTheProgramsOwnEndsTheStreamAndIsGivenBack) {
  const auto added = client.add([](char*, std::size_t) -> Result<std::size_t> {
    return Fault{FaultKind::Failed, "the tape is torn"};
  });
  EXPECT_EQ(added.error().message, "the tape is torn");
  const Cid cid = client.add("hello").value();
  const Status got = client.get(cid, [](std::string_view) -> Status {
    return Fault{FaultKind::TryAgain, "the shelf is full"};
  });
  EXPECT_EQ(got.error().message, "the shelf is full");
}

TEST_F(PublicContent, FoldersGoInWholeAndComeOutWhole) {
  std::filesystem::create_directories(folder / "in/below");
  std::ofstream(folder / "in/below/a.txt") << "alpha";
  std::ofstream(folder / "in/b.txt") << "beta";
  const Cid cid = client.add_path(folder / "in").value();
  const auto entries = client.list(cid).value();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "b.txt");
  EXPECT_EQ(entries[1].name, "below");
  EXPECT_EQ(client.resolve(cid.text() + "/b.txt").value(), entries[0].cid);
  EXPECT_EQ(client.get(client.resolve("/ipfs/" + cid.text() + "/below/a.txt").value()).value(), "alpha");
  EXPECT_EQ(client.resolve(cid.text() + "/c.txt").error().kind, FaultKind::NotFound);
  EXPECT_EQ(client.resolve("no cid").error().kind, FaultKind::BadData);
  EXPECT_EQ(client.list(entries[0].cid).error().kind, FaultKind::BadUsage);
  EXPECT_EQ(client.get(cid).error().kind, FaultKind::BadUsage);
  ASSERT_TRUE(client.get_path(cid, folder / "out"));
  std::string text;
  std::ifstream(folder / "out/below/a.txt") >> text;
  EXPECT_EQ(text, "alpha");
  EXPECT_EQ(client.get_path(cid, folder / "out").error().kind, FaultKind::BadUsage);
  EXPECT_EQ(client.add_path(folder / "nowhere").error().kind, FaultKind::NotFound);
}

TEST(PublicResultDeathTest, EndsTheProgramWithTheFaultWhenAValueIsTakenThatIsNotThere) {
  const Result<int> result = Fault{FaultKind::NotFound, "nobody has it"};
  EXPECT_DEATH(static_cast<void>(result.value()), "nobody has it");
  EXPECT_DEATH(static_cast<void>(Result<int>(1).error()), "the error of a result was taken");
  EXPECT_DEATH(Status(Fault{FaultKind::NotFound, "nobody has it"}).value(), "nobody has it");
}

}  // namespace
}  // namespace cidbus::v1
