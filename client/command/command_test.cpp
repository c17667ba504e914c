#include "client/command/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "client/command/overdue.h"
#include "client/testing/fake_broker.h"
#include "client/testing/memory_sink.h"
#include "shared/content/cid.h"
#include "shared/exchange/exchange_server.h"
#include "shared/store/memory_store.h"

namespace cidbus {
namespace {

namespace json = boost::json;

// Blocks in memory; what is put is there after flush().
class MemoryBlocks : public BlockAccess {
 public:
  Result<Block> get(const Cid& cid) override {
    const auto found = blocks.find(to_bytes(cid.multihash_bytes()));
    if (found == blocks.end()) return fault(FaultKind::NotFound, "no node holds " + to_text(cid));
    return Block(cid, found->second);
  }
  Status put(const Cid& cid, ByteView bytes) override {
    blocks[to_bytes(cid.multihash_bytes())] = to_bytes(bytes);
    return {};
  }
  Status flush() override {
    ++flushes;
    if (full) return fault(FaultKind::TryAgain, "no node has room for the blocks; free some, and try again");
    return {};
  }
  std::map<Bytes, Bytes> blocks;
  int flushes = 0;
  bool full = false;
};

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() { std::filesystem::create_directories(folder); }
  ~CommandTest() override { std::filesystem::remove_all(folder); }

  int run(std::vector<std::string> words) {
    out.text.clear();
    err.text.clear();
    return run_command(words, environment);
  }
  // With a broker, and in JSON.
  json::value ask(std::vector<std::string> words, int code = 0) {
    words.insert(words.begin(), {"--brokers", broker().address(), "--output", "json"});
    EXPECT_EQ(run(words), code) << err.text;
    json::error_code error;
    json::value answer = json::parse(out.text, error);
    EXPECT_FALSE(error) << out.text;
    return answer;
  }
  int run_with_broker(std::vector<std::string> words) {
    words.insert(words.begin(), {"--brokers", broker().address()});
    return run(words);
  }
  FakeBroker& broker() {
    if (!broker_) broker_ = std::make_unique<FakeBroker>(context);
    return *broker_;
  }
  std::string file(const std::string& name, std::string_view content) {
    std::ofstream(folder / name) << content;
    return folder / name;
  }
  // One line on stderr that has these words.
  void expect_line(std::initializer_list<std::string_view> words) {
    EXPECT_TRUE(err.text.starts_with("cidbus: ")) << err.text;
    EXPECT_EQ(std::count(err.text.begin(), err.text.end(), '\n'), 1) << err.text;
    for (const auto word : words) EXPECT_NE(err.text.find(word), std::string::npos) << err.text;
  }

  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("cidbus-command-" + std::to_string(getpid()));
  SocketContext context;
  MemorySink out, err;
  MemoryBlocks blocks;
  Environment environment{out, err, 0, false, false, false, 80, nullptr, &blocks};

 private:
  std::unique_ptr<FakeBroker> broker_;
};

constexpr const char* cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

// ---- usage

TEST_F(CommandTest, WrongUsageIsTwoAndNamesTheHelp) {
  const std::vector<std::vector<std::string>> lines{{},
                                                    {"no-such-command"},
                                                    {"submit"},
                                                    {"task"},
                                                    {"task", "show"},
                                                    {"task", "show", "t1", "t2"},
                                                    {"submit", "echo", "--no-such-option"},
                                                    {"cluster", "status", "extra"},
                                                    {"task", "list", "--limit", "0"},
                                                    {"add", "x", "--copies", "0"}};
  for (const auto& line : lines) {
    EXPECT_EQ(run(line), 2);
    expect_line({"--help'"});
  }
}

TEST_F(CommandTest, WordsThatMakeNoSenseAreTwoAndAreQuoted) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> lines{
      {{"task", "show", "?!"}, "'?!' is no task id"},
      {{"task", "list", "--state", "done"}, "'done' is not known; give pending, assigned"},
      {{"submit", "two words"}, "'two words'"},
      {{"submit", "echo", "--param", "width"}, "'width' is no parameter"},
      {{"submit", "echo", "--priority", "10"}, "0 to 9"},
      {{"submit", "echo", "--priority", "high"}, "high"},
      {{"submit", "echo", "--delay", "5"}, "no unit"},
      {{"submit", "echo", "--timeout", "soon"}, "--timeout: 'soon'"},
      {{"submit", "echo", "--batch", "-"}, "leave out TYPE"},
      {{"submit", "echo", "--output", "yaml"}, "'yaml' is not known"},
      {{"submit", "echo", "--brokers", "nowhere"}, "'nowhere' is no address"},
      {{"submit", "echo", "--cluster", "two words"}, "'two words' is no name"},
      {{"add", "x", "--profile", "mine"}, "give unixfs-v1-2025"}};
  for (const auto& [line, words] : lines) {
    EXPECT_EQ(run(line), 2);
    expect_line({words});
  }
}

TEST_F(CommandTest, HelpSaysWhatACommandDoesShowsExamplesAndItsExitCodes) {
  const std::vector<std::vector<std::string>> leaves{{"add"},
                                                     {"get"},
                                                     {"cat"},
                                                     {"ls"},
                                                     {"stat"},
                                                     {"submit"},
                                                     {"task", "show"},
                                                     {"task", "wait"},
                                                     {"task", "list"},
                                                     {"task", "cancel"},
                                                     {"cluster", "status"},
                                                     {"cluster", "members"},
                                                     {"cluster", "leader"},
                                                     {"cluster", "handover"},
                                                     {"config", "check"},
                                                     {"doctor"},
                                                     {"keygen"},
                                                     {"bench"}};
  for (auto line : leaves) {
    const std::string example = "  cidbus " + (line.size() == 1 ? line[0] : line[0] + " " + line[1]);
    line.emplace_back("--help");
    EXPECT_EQ(run(line), 0);
    for (const std::string& words : {std::string("Usage: cidbus"), std::string("Examples:"), example,
                                     std::string("Exit codes:"), std::string("--brokers")})
      EXPECT_NE(out.text.find(words), std::string::npos) << words << " in " << out.text;
    EXPECT_EQ(err.text, "");
  }
  EXPECT_EQ(run({"--help"}), 0);
  for (const char* words : {"add", "submit", "task", "cluster", "CIDBUS_CLUSTER"})
    EXPECT_NE(out.text.find(words), std::string::npos);
}

TEST_F(CommandTest, TheVersionNamesTheProtocolToo) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out.text, "cidbus " CIDBUS_VERSION ", protocol 1\n");
}

// ---- the bus

TEST_F(CommandTest, NoBrokerIsSixtyNineAndNamesEveryAddress) {
  const std::vector<std::vector<std::string>> lines{
      {"cluster", "status"}, {"submit", "echo"}, {"task", "list"}, {"task", "wait", "t1"}};
  for (auto line : lines) {
    line.insert(line.end(),
                {"--brokers", "127.0.0.1:1,127.0.0.1:2", "--timeout", "50ms", "--output", "json"});
    EXPECT_EQ(run(line), 69);
    EXPECT_EQ(out.text, "");
    expect_line({"127.0.0.1:1, 127.0.0.1:2"});
  }
}

TEST_F(CommandTest, AnotherClusterIsSeventySevenAndNamed) {
  broker().foreign = true;
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"cluster", "status"}, std::vector<std::string>{"submit", "echo"}}) {
    EXPECT_EQ(run_with_broker(line), 77);
    expect_line({"'cidbus'", "this is cluster 'other'", "--cluster"});
  }
}

TEST_F(CommandTest, SubmitPrintsTheIdAndClosesItsSession) {
  EXPECT_EQ(run_with_broker({"submit", "slow", "--key", "k"}), 0);
  EXPECT_EQ(out.text, "t1\n");
  EXPECT_EQ(broker().closed, 1u);
  EXPECT_EQ(ask({"submit", "slow", "--key", "k"}), json::parse(R"({"id":"t1","duplicate":true})"));
  EXPECT_EQ(broker().tasks, 1u);
}

TEST_F(CommandTest, SubmitWithWaitPrintsTheResult) {
  const json::value task =
      ask({"submit", "echo", "--input", cid, "--param", "width=320", "--param", "text=a=b c", "--wait"});
  EXPECT_EQ(task.at("state"), "completed");
  EXPECT_EQ(task.at("inputs"), json::parse("[\"" + std::string(cid) + "\"]"));
  EXPECT_EQ(task.at("result").at("cids"), task.at("inputs"));
  EXPECT_EQ(task.at("result").at("values"), json::parse(R"({"width":"320","text":"a=b c"})"));
  EXPECT_EQ(run_with_broker({"submit", "echo", "--input", cid, "--wait", "--output", "quiet"}), 0);
  EXPECT_EQ(out.text, std::string(cid) + "\n");
}

TEST_F(CommandTest, ATaskThatFailsIsOneAndStillPrinted) {
  const json::value task = ask({"submit", "fail", "--wait"}, 1);
  EXPECT_EQ(task.at("state"), "failed");
  EXPECT_EQ(task.at("result"), nullptr);
  expect_line({"task t1 failed: no such pixel"});
}

TEST_F(CommandTest, ATypeThatNobodyOffersIsTwo) {
  EXPECT_EQ(run_with_broker({"submit", "wrong", "--wait"}), 2);
  expect_line({"'wrong'"});
}

TEST_F(CommandTest, ATaskThatTakesTooLongIsOneTwentyFourAndSaysThatItGoesOn) {
  EXPECT_EQ(run_with_broker({"submit", "slow", "--wait", "--timeout", "200ms"}), 124);
  expect_line({"(pending: ", "runs slow)", "t1 goes on", "cidbus task wait t1"});
  EXPECT_EQ(run_with_broker({"task", "wait", "t1", "--timeout", "200ms"}), 124);
  expect_line({"(pending: ", "t1 goes on", "cidbus task wait t1"});
}

TaskRecord standing(TaskState state, std::uint32_t attempts, std::string worker, std::string error) {
  TaskRecord task;
  task.type = "hash";
  task.state = state;
  task.attempts = attempts;
  task.worker = std::move(worker);
  task.error = std::move(error);
  return task;
}

TEST(Overdue, SaysWhereTheTaskStandsAndWhy) {
  const TaskRecord new_one = standing(TaskState::Pending, 0, "", "");
  EXPECT_EQ(standing_of(new_one, std::nullopt),
            "pending: it waits for its time, or for a worker that runs hash");
  EXPECT_EQ(standing_of(new_one, WorkerSlots{0, 0}), "pending: no worker is there");
  EXPECT_EQ(standing_of(new_one, WorkerSlots{8, 8}), "pending: all slots of the workers are busy, 8 of them");
  EXPECT_EQ(standing_of(new_one, WorkerSlots{8, 5}),
            "pending: 3 of 8 slots are free, so its time has not come, or no worker that is there runs hash");
  EXPECT_EQ(standing_of(standing(TaskState::Pending, 1, "w1", "nobody holds it"), std::nullopt),
            "pending after 1 attempt, the last that failed: nobody holds it");
  EXPECT_EQ(standing_of(standing(TaskState::Processing, 3, "w2", "nobody holds it"), std::nullopt),
            "processing on w2, attempt 3, the last that failed: nobody holds it");
  EXPECT_EQ(standing_of(standing(TaskState::Assigned, 1, "w1", ""), std::nullopt),
            "assigned on w1, attempt 1");
}

TEST_F(CommandTest, ABrokerWithoutRoomIsAskedAgainAndSeventyFiveWhenTimeIsUp) {
  EXPECT_EQ(run_with_broker({"submit", "full", "--wait"}), 0) << err.text;
  broker().always_full = true;
  EXPECT_EQ(run_with_broker({"submit", "full", "--timeout", "100ms"}), 75);
  expect_line({"the queue is full", "try again"});
}

TEST_F(CommandTest, InputsThatAreNoneAreSixtyFiveAndNothingIsSent) {
  for (const char* input : {"./no-such-file", "no-such-file", "bafynotacid"}) {
    EXPECT_EQ(run_with_broker({"submit", "echo", "--input", input}), 65);
    expect_line({input});
  }
  EXPECT_EQ(broker().submissions, 0u);
}

TEST_F(CommandTest, AnInputThatIsAPathIsAddedFirst) {
  const json::value task = ask({"submit", "echo", "--input", file("hello", "hello"), "--wait"});
  EXPECT_EQ(task.at("inputs").as_array().size(), 1u);
  EXPECT_EQ(blocks.flushes, 1);
  ASSERT_EQ(run({"cat", std::string(task.at("inputs").at(0).as_string())}), 0);
  EXPECT_EQ(out.text, "hello");
}

TEST_F(CommandTest, TasksAreShownWaitedForListedAndCancelled) {
  for (const char* type : {"echo", "slow", "fail"}) ASSERT_EQ(run_with_broker({"submit", type}), 0);
  EXPECT_EQ(ask({"task", "show", "t1"}).at("state"), "completed");
  EXPECT_EQ(ask({"task", "wait", "t1"}).at("id"), "t1");
  EXPECT_EQ(run_with_broker({"task", "show", "t9"}), 1);
  expect_line({"task t9 is not known"});

  json::array all = ask({"task", "list"}).as_array();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].at("id"), "t3");
  EXPECT_EQ(ask({"task", "list", "--state", "pending"}).at(0).at("id"), "t2");
  EXPECT_EQ(ask({"task", "list", "--type", "fail", "--limit", "1"}).as_array().size(), 1u);
  EXPECT_EQ(run_with_broker({"task", "list", "--output", "quiet"}), 0);
  EXPECT_EQ(out.text, "t3\nt2\nt1\n");
  EXPECT_EQ(run_with_broker({"task", "list"}), 0);
  EXPECT_TRUE(out.text.starts_with("TASK  STATE      TYPE  ATTEMPTS  WORKER  SUBMITTED\nt3    failed"))
      << out.text;

  EXPECT_EQ(ask({"task", "cancel", "t2"}), json::parse(R"([{"id":"t2","answer":"cancelled"}])"));
  EXPECT_EQ(ask({"task", "cancel", "t2", "t9"}, 1),
            json::parse(R"([{"id":"t2","answer":"final"},{"id":"t9","answer":"unknown"}])"));
  const json::value both = ask({"task", "wait", "t2", "t1"}, 1);
  EXPECT_EQ(both.at(0).at("state"), "cancelled");
  EXPECT_EQ(both.at(1).at("state"), "completed");
  expect_line({"task t2 was cancelled"});
}

TEST_F(CommandTest, TheClusterIsTold) {
  EXPECT_EQ(ask({"cluster", "leader"}),
            json::parse(R"({"leader":"b1","address":"127.0.0.1:9096","epoch":1})"));
  const json::value status = ask({"cluster", "status"});
  EXPECT_EQ(status.at("members"), json::parse(R"({"joining":0,"alive":1,"suspect":0,"left":0,"dead":1})"));
  EXPECT_EQ(status.at("tasks").at("completed"), 40);
  const json::value members = ask({"cluster", "members"});
  EXPECT_EQ(members.at(0), json::parse(R"({"name":"w1","role":"worker","state":"alive",
      "incarnation":"0000000000000003","exchange":"127.0.0.1:10000","slots":4,"busy":1,"blocks":20,
      "block_bytes":3145728,"disk_free_bytes":5368709120,"resident_bytes":67108864,"config_version":0,
      "labels":{},"joined_at":"2023-11-14T22:13:20.000Z","last_seen":"2023-11-14T22:13:21.000Z"})"));
  for (const char* key : {"disk_free_bytes", "resident_bytes"}) EXPECT_TRUE(members.at(1).at(key).is_null());
  EXPECT_EQ(run_with_broker({"cluster", "status"}), 0);
  EXPECT_EQ(out.text,
            "cluster     cidbus\n"
            "leader      b1, epoch 1\n"
            "quorum      yes: 1 of 1 brokers needed, 1 reachable\n"
            "durability  disk\n"
            "members     1 alive, 1 dead\n"
            "tasks       2 pending, 1 processing, 40 completed, 3 failed\n"
            "blocks      20 known\n"
            "\n"
            "BROKER  ADDRESS         STATE   PRIORITY  EPOCH  JOURNAL  LAG  LAST CONTACT\n"
            "b1      127.0.0.1:9096  leader  -         1      7        0    -\n");
  EXPECT_EQ(status.at("quorum"),
            json::parse(R"({"held":true,"brokers":1,"needed":1,"reachable":1,"tolerates":0})"));
  EXPECT_EQ(run_with_broker({"cluster", "members", "--output", "quiet"}), 0);
  EXPECT_EQ(out.text, "w1\ng1\n");
}

// ---- batches

TEST_F(CommandTest, ABatchIsAnsweredALineATaskInOrder) {
  const std::string path = file("batch",
                                "{\"type\":\"echo\",\"params\":{\"n\":1}}\n"
                                "\n"
                                "rubbish\n"
                                "{\"type\":\"fail\"}\r\n"
                                "{\"type\":\"wrong\"}\n"
                                "{\"type\":\"full\",\"params\":{\"n\":2}}");
  EXPECT_EQ(run_with_broker({"submit", "--batch", path, "--wait", "--output", "ndjson"}), 65);
  std::istringstream lines(out.text);
  std::vector<json::value> answers;
  for (std::string line; std::getline(lines, line);) answers.push_back(json::parse(line));
  ASSERT_EQ(answers.size(), 5u) << out.text;
  EXPECT_EQ(answers[0].at("result").at("values").at("n"), "1");
  EXPECT_EQ(answers[1].at("id"), nullptr);
  EXPECT_EQ(answers[1].at("code"), 65);
  EXPECT_EQ(answers[2].at("state"), "failed");
  EXPECT_EQ(answers[3].at("code"), 2);
  EXPECT_EQ(answers[4].at("result").at("values").at("n"), "2");
  EXPECT_NE(err.text.find("cidbus: line 3: "), std::string::npos) << err.text;
  EXPECT_NE(err.text.find("cidbus: line 4: task t"), std::string::npos) << err.text;
  EXPECT_NE(err.text.find("cidbus: line 5: "), std::string::npos) << err.text;
}

TEST_F(CommandTest, ABatchWithoutWaitPrintsIdsAndADashWhereThereIsNone) {
  const std::string path = file("batch", "{\"type\":\"slow\"}\n{}\n{\"type\":\"slow\"}\n");
  EXPECT_EQ(run_with_broker({"submit", "--batch", path}), 65);
  EXPECT_EQ(out.text, "t1\n-\nt2\n");
  expect_line({"line 2: there is no type"});
}

TEST_F(CommandTest, TensOfThousandsOfTasksStreamThroughAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  constexpr int count = 30'000;
  std::thread writer([&] {
    for (int number = 0; number < count; ++number) {
      const std::string line = "{\"type\":\"echo\",\"params\":{\"n\":" + std::to_string(number) + "}}\n";
      ASSERT_EQ(write(ends[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    }
    close(ends[1]);
  });
  environment.input = ends[0];
  EXPECT_EQ(run_with_broker({"submit", "--batch", "-", "--wait", "--output", "ndjson"}), 0) << err.text;
  writer.join();
  close(ends[0]);
  std::istringstream lines(out.text);
  int number = 0;
  for (std::string line; std::getline(lines, line); ++number)
    ASSERT_NE(line.find("\"n\":\"" + std::to_string(number) + "\""), std::string::npos) << line;
  EXPECT_EQ(number, count);
  EXPECT_EQ(broker().tasks, static_cast<std::size_t>(count));
}

TEST_F(CommandTest, ABatchThatIsNotThereIsSixtyFiveAndAnEmptyOneIsDone) {
  EXPECT_EQ(run_with_broker({"submit", "--batch", folder / "nothing"}), 65);
  expect_line({"nothing", "No such file"});
  EXPECT_EQ(run_with_broker({"submit", "--batch", file("empty", "")}), 0);
  EXPECT_EQ(out.text, "");
  EXPECT_EQ(run_with_broker({"submit", "--batch", "/dev/null", "--output", "json"}), 0);
  EXPECT_EQ(out.text, "[]\n");
}

// ---- content

TEST_F(CommandTest, AddPrintsOneCid) {
  EXPECT_EQ(run({"add", file("hello", "hello\n")}), 0);
  EXPECT_EQ(out.text, "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am\n");
  EXPECT_EQ(err.text, "");
  ASSERT_EQ(run({"add", file("hello", "hello\n"), "--output", "json", "--profile", "unixfs-v0-2015"}), 0);
  EXPECT_EQ(json::parse(out.text),
            json::parse(R"({"cid":"QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN","size":6,"blocks":1})"));
}

TEST_F(CommandTest, WhatWasAddedCanBeListedReadAndFetched) {
  std::filesystem::create_directories(folder / "tree" / "inner");
  file("tree/a.txt", "alpha");
  file("tree/inner/b.txt", "beta");
  file("tree/.hidden", "gamma");
  EXPECT_EQ(run({"add", folder / "tree"}), 2);
  expect_line({"--recursive"});
  ASSERT_EQ(run({"add", folder / "tree", "--recursive"}), 0) << err.text;
  const std::string root = out.text.substr(0, out.text.size() - 1);

  EXPECT_EQ(run({"ls", root, "--output", "ndjson"}), 0);
  EXPECT_EQ(std::count(out.text.begin(), out.text.end(), '\n'), 2) << out.text;
  EXPECT_NE(out.text.find("\"name\":\"a.txt\""), std::string::npos);
  EXPECT_EQ(run({"cat", root + "/inner/b.txt"}), 0);
  EXPECT_EQ(out.text, "beta");
  EXPECT_EQ(run({"stat", root + "/a.txt", "--output", "json"}), 0);
  const json::value stat = json::parse(out.text);
  EXPECT_EQ(stat.at("kind"), "file");
  EXPECT_EQ(stat.at("size"), 5);
  EXPECT_EQ(run({"get", root, "-o", folder / "copy"}), 0) << err.text;
  std::ifstream copy(folder / "copy" / "inner" / "b.txt");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(copy), {}), "beta");
  EXPECT_FALSE(std::filesystem::exists(folder / "copy" / ".hidden"));
}

TEST_F(CommandTest, ContentThatIsNotThereIsSaidInOneLine) {
  EXPECT_EQ(run({"add", folder / "missing"}), 65);
  expect_line({"no such file", "missing"});
  for (const char* command : {"get", "cat", "ls", "stat"}) {
    EXPECT_EQ(run({command, "bafynotacid"}), 65);
    expect_line({"bafynotacid"});
    EXPECT_EQ(run({command, cid}), 1);
    expect_line({cid});
  }
  ASSERT_EQ(run({"add", file("hello", "hello")}), 0);
  const std::string hello = out.text.substr(0, out.text.size() - 1);
  EXPECT_EQ(run({"cat", hello + "/below"}), 1) << err.text;
  EXPECT_EQ(run({"get", hello, "-o", file("there", "already")}), 2);
  expect_line({"there"});
}

TEST_F(CommandTest, AClusterWithoutRoomIsSeventyFive) {
  blocks.full = true;
  EXPECT_EQ(run({"add", file("hello", "hello")}), 75);
  expect_line({"room"});
}

TEST_F(CommandTest, ContentGoesToAndComesFromTheNodesTheBrokerNames) {
  MemoryStore store(64 << 20, WhenFull::Refuse);
  const auto server =
      ExchangeServer::start(context, store, {"cidbus", "w1", Role::Worker, {1}}, "127.0.0.1:*");
  ASSERT_TRUE(server) << server.error().message;
  FakeBroker named(context, (*server)->address());
  environment.blocks = nullptr;
  const auto with_broker = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--brokers", named.address()});
    return run(words);
  };
  std::string content(3 << 20, 'a');
  for (std::size_t place = 0; place < content.size(); ++place)
    content[place] = static_cast<char>(place % 251);
  ASSERT_EQ(with_broker({"add", file("large", content)}), 0) << err.text;
  const std::string added = out.text.substr(0, out.text.size() - 1);
  EXPECT_EQ(store.counts().blocks, 4u);  // three chunks and a root
  ASSERT_EQ(with_broker({"cat", added}), 0) << err.text;
  EXPECT_TRUE(out.text == content);
  EXPECT_EQ(with_broker({"cat", cid, "--timeout", "300ms"}), 1);
  expect_line({cid});
}

TEST_F(CommandTest, AFullStandardOutputIsNoSuccess) {
  ASSERT_EQ(run({"add", file("hello", std::string(1000, 'x'))}), 0);
  const std::string hello = out.text.substr(0, out.text.size() - 1);
  out.room = 100;
  EXPECT_EQ(run({"cat", hello}), 75);
  out.room = 0;
  EXPECT_EQ(run_with_broker({"submit", "echo"}), 75);
  expect_line({"no room; task ", " was accepted"});
}

}  // namespace
}  // namespace cidbus
