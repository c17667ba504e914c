#include "observer/core/screen.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr WallTime noon{1'700'000'000'000};  // 22:13:20

Board::Node worker(std::string name, std::uint32_t busy, HealthStatus health = HealthStatus::Healthy) {
  Board::Node node;
  node.view.name = std::move(name);
  node.view.role = Role::Worker;
  node.view.state = MemberState::Alive;
  node.view.exchange = "h:1";
  node.view.load = {4, busy, 120, 5ULL << 20, 70ULL << 30, 0};
  node.silent = std::chrono::milliseconds(400);
  node.health = health;
  return node;
}

Board::Broker broker(std::string name, std::optional<Duty> duty, std::uint64_t lag) {
  Board::Broker one;
  one.name = std::move(name);
  one.address = "127.0.0.1:9096";
  one.duty = duty;
  one.epoch = {7};
  one.last = {1200 - lag};
  if (duty) one.lag = lag;
  if (duty) one.health = HealthStatus::Healthy;
  return one;
}

Board board() {
  Board made;
  made.time = noon;
  made.cluster = "home";
  made.leader = "b1";
  made.epoch = {7};
  made.bound = true;
  made.health = {HealthStatus::Warning, {"of the brokers 1 cannot be reached; no further one may fail"}};
  made.brokers = {broker("b1", Duty::Leader, 0), broker("b2", Duty::Standby, 3), broker("b3", {}, 0)};
  made.nodes = {worker("w1", 1), worker("w2", 4, HealthStatus::Warning)};
  made.machines = {{"w1", {12.6, 41.2}}};
  made.tasks_by_state = {12, 1, 4, 380, 2, 0, 1};
  made.accepted_rate = 41.25;
  made.finished_rate = 1234.5;
  made.types = {{"echo", {{400, 400, 400, 380, 2, 0, 0}}}};
  made.tasks = {{TaskId{42}, "echo", TaskState::Failed, "w1", 4, noon}};
  made.elections = {{noon, "b1", ElectionWord::Coordinator, "", {7}, {1100}}};
  made.alerts = {{{"3f2a90c1d4e5b607", "broker_unreachable", "b3", "broker_reachable", AlertLevel::Warning, 0,
                   "b3: broker_reachable is 0, below 1", noon},
                  ""}};
  return made;
}

std::vector<std::string> drawn(const Board& shown, ScreenState& state, std::size_t width = 80,
                               std::size_t height = 24) {
  std::vector<std::string> lines;
  for (const Line& line : draw(shown, state, width, height)) lines.push_back(plain_text(line));
  return lines;
}

TEST(Screen, TheOverviewAt80x24) {
  ScreenState state;
  EXPECT_THAT(
      drawn(board(), state),
      ElementsAre("cidbus home  leader b1, epoch 7  warning  1 alert  22:13:20",
                  "tasks 12 pending, 5 running, 380 completed, 3 failed  in 41.2/s, out 1234/s",
                  "! of the brokers 1 cannot be reached; no further one may fail", "",
                  "SINCE     LEVEL    RULE                WHAT",
                  "22:13:20  warning  broker_unreachable  b3: broker_reachable is 0, below 1", "",
                  "BROKER  STATE        HEALTH   EPOCH  JOURNAL  LAG  ADDRESS",
                  "b1      leader       healthy  7      1200     0    127.0.0.1:9096",
                  "b2      standby      healthy  7      1197     3    127.0.0.1:9096",
                  "b3      unreachable  unknown  -      -        -    127.0.0.1:9096", "",
                  "NODE  ROLE    STATE  HEALTH   BUSY  CPU   MEMORY  BLOCKS  STORED  FREE    HEARD",
                  "w1    worker  alive  healthy  1/4   13 %  41 %    120     5 MiB   70 GiB  0 s",
                  "w2    worker  alive  warning  4/4   -     -       120     5 MiB   70 GiB  0 s", "",
                  "TYPE SINCE ATTACHED  PENDING  PROCESSING  COMPLETED  FAILED  TIMEOUT  CANCELLED",
                  "echo                 400      400         380        2       0        0", "", "", "", "",
                  "", " 1 overview  2 nodes  3 tasks  4 elections  5 alerts  / filter  p pause  q quit "));
}

TEST(Screen, EveryPageFitsEverySize) {
  for (const std::size_t width : {20U, 80U, 200U}) {
    for (const std::size_t height : {5U, 24U, 60U}) {
      for (const char* page : {"1", "2", "3", "4", "5", "?"}) {
        ScreenState state;
        on_key(state, page);
        const auto lines = drawn(board(), state, width, height);
        EXPECT_EQ(lines.size(), height);
        for (const std::string& line : lines) EXPECT_LE(line.size(), width) << line;
      }
    }
  }
  ScreenState state;
  EXPECT_EQ(drawn(Board(), state, 20, 5).size(), 5U) << "when nothing is known";
}

TEST(Screen, TasksElectionsAndAlertsHaveTheirPages) {
  ScreenState state;
  on_key(state, "3");
  EXPECT_THAT(drawn(board(), state)[3], "22:13:20  t1a   echo  failed  w1      4");
  on_key(state, "4");
  EXPECT_THAT(drawn(board(), state)[3], "22:13:20  b1      COORDINATOR  all  7      1100");
  on_key(state, "5");
  EXPECT_THAT(drawn(board(), state)[3], HasSubstr("broker_unreachable"));
  on_key(state, "\t");
  EXPECT_EQ(state.page, Page::Overview);
}

TEST(Screen, NodesAreSortedAndReversed) {
  ScreenState state;
  for (const char* key : {"2", "s", "s", "s", "s"}) on_key(state, key);
  EXPECT_THAT(drawn(board(), state)[2], HasSubstr("BUSY*"));
  EXPECT_THAT(drawn(board(), state)[3], HasSubstr("w1"));
  on_key(state, "r");
  EXPECT_THAT(drawn(board(), state)[3], HasSubstr("w2"));
  on_key(state, "s");
  EXPECT_THAT(drawn(board(), state)[2], HasSubstr("CPU^"));
  EXPECT_THAT(drawn(board(), state)[3], HasSubstr("w1")) << "what is not known comes last";
  for (int times = 0; times < 6; ++times) on_key(state, "s");
  EXPECT_THAT(drawn(board(), state)[2], HasSubstr("NODE^")) << "round once";
}

TEST(Screen, AFilterShowsRowsThatContainIt) {
  ScreenState state;
  for (const char* key : {"2", "/", "w", "2", "\r"}) on_key(state, key);
  auto lines = drawn(board(), state);
  EXPECT_THAT(lines[3], HasSubstr("w2"));
  EXPECT_EQ(lines[4], "");
  EXPECT_FALSE(state.quit);
  on_key(state, "/");
  on_key(state, "q");
  EXPECT_FALSE(state.quit) << "typed into the filter";
  EXPECT_THAT(drawn(board(), state).back(), HasSubstr("filter: w2q_"));
  on_key(state, "\x1b");
  EXPECT_THAT(drawn(board(), state)[3], HasSubstr("w1"));
}

TEST(Screen, ScrollsNoFartherThanThereIs) {
  Board many = board();
  many.nodes.clear();
  for (int number = 100; number < 150; ++number)
    many.nodes.push_back(worker("w" + std::to_string(number), 0));
  ScreenState state;
  on_key(state, "2");
  EXPECT_THAT(drawn(many, state)[3], HasSubstr("w100"));
  on_key(state, "down");
  EXPECT_THAT(drawn(many, state)[3], HasSubstr("w101"));
  on_key(state, "end");
  EXPECT_THAT(drawn(many, state)[22], HasSubstr("w149"));
  on_key(state, "up");
  EXPECT_THAT(drawn(many, state)[22], HasSubstr("w148"));
  on_key(state, "home");
  EXPECT_THAT(drawn(many, state)[2], HasSubstr("NODE")) << "the heading stays";
}

TEST(Screen, WhatCameFromOutsideCannotMoveTheCursor) {
  Board hostile = board();
  hostile.tasks[0].type = "\x1b[2Jecho\n";
  ScreenState state;
  on_key(state, "3");
  EXPECT_THAT(drawn(hostile, state)[3], HasSubstr("?[2Jecho?"));
}

TEST(Screen, ColoursAreSixteenAndCanBeLeftOut) {
  const Line line{{"a", Style::Plain}, {"b", Style::Warning}, {"c", Style::Good}};
  EXPECT_EQ(styled_text(line, true), "a\x1b[33mb\x1b[0m\x1b[32mc\x1b[0m");
  EXPECT_EQ(styled_text(line, false), "a\x1b[1mb\x1b[0mc");
  EXPECT_EQ(plain_text(line), "abc");
}

TEST(ScreenKeys, AreFoundInWhatATerminalSends) {
  EXPECT_THAT(keys_in("q\x1b[A\x1bOB\x1b[6~\x1b[15;2~x\x1b"),
              ElementsAre("q", "up", "down", "page-down", "x", "\x1b"));
  ScreenState state;
  on_key(state, "\x03");
  EXPECT_TRUE(state.quit);
}

TEST(ScreenKeys, PauseAndHelpAreSeen) {
  ScreenState state;
  on_key(state, "p");
  EXPECT_THAT(drawn(board(), state)[0], HasSubstr("PAUSED"));
  on_key(state, "?");
  EXPECT_THAT(drawn(board(), state)[2], "Keys");
  on_key(state, "x");
  EXPECT_THAT(drawn(board(), state)[2], Not("Keys"));
}

}  // namespace
}  // namespace cidbus
