#include <gtest/gtest.h>

#include "observer/printer.h"

namespace cidbus {
namespace {

constexpr WallTime time_of_events{1'700'000'000'000};

TEST(Printer, ReadsAsSentencesForAPerson) {
  const TaskEvent task{TaskId{42}, "echo", TaskState::Completed, "w1", 2};
  EXPECT_EQ(print_event(PrintStyle::Text, time_of_events, "b1", task),
            "2023-11-14T22:13:20.000Z  task t1a echo completed on w1, attempt 2");
  EXPECT_EQ(print_event(PrintStyle::Text, time_of_events, "b1", LeaderEvent{"b1", "h:1", {7}}),
            "2023-11-14T22:13:20.000Z  leader b1 at h:1, epoch 7");
  EXPECT_EQ(print_event(PrintStyle::Text, time_of_events, "w1", HeartbeatEvent{}), "");
}

TEST(Printer, TellsWhatIsSaidInAnElection) {
  EXPECT_EQ(print_event(PrintStyle::Text, time_of_events, "b2",
                        ElectionEvent{ElectionWord::Aye, "b3", {7}, {40}, {6}, -1}),
            "2023-11-14T22:13:20.000Z  b2 says AYE to b3, epoch 7, journal 40, unfit");
  EXPECT_EQ(print_event(PrintStyle::Ndjson, time_of_events, "b2",
                        ElectionEvent{ElectionWord::Coordinator, "", {8}, {40}, {7}, 5}),
            R"({"event":"election","time":"2023-11-14T22:13:20.000Z","publisher":"b2","word":"COORDINATOR",)"
            R"("to":"","epoch":8,"last":40,"last_epoch":7,"priority":5})");
}

TEST(Printer, IsOneObjectALineForAProgram) {
  const TaskEvent task{TaskId{42}, "echo", TaskState::Pending, "", 0};
  EXPECT_EQ(print_event(PrintStyle::Ndjson, time_of_events, "b1", task),
            R"({"event":"task","time":"2023-11-14T22:13:20.000Z","publisher":"b1","id":"t1a","type":"echo",)"
            R"("state":"pending","worker":"","attempts":0})");
  EXPECT_EQ(
      print_gap(PrintStyle::Ndjson, time_of_events, "b1", FeedTopic::Tasks, 3),
      R"({"event":"gap","time":"2023-11-14T22:13:20.000Z","publisher":"b1","topic":"tasks","missed":3})");
}

TEST(Printer, IsTheNameOfWhatChangedWhenQuiet) {
  const TaskEvent task{TaskId{42}, "echo", TaskState::Pending, "", 0};
  EXPECT_EQ(print_event(PrintStyle::Names, time_of_events, "b1", task), "t1a");
  EXPECT_EQ(print_event(PrintStyle::Names, time_of_events, "b1", LeaderEvent{"b1", "h:1", {7}}), "b1");
  EXPECT_EQ(print_event(PrintStyle::Names, time_of_events, "w1", HeartbeatEvent{}), "");
  EXPECT_EQ(print_gap(PrintStyle::Names, time_of_events, "b1", FeedTopic::Tasks, 3), "");
}

TEST(Printer, ASnapshotNamesEachMember) {
  Snapshot snapshot;
  snapshot.cluster = "demo";
  snapshot.leader = "b1";
  snapshot.tasks_by_state = {3, 0, 0, 5, 0, 0, 0};
  snapshot.members.push_back(
      {"w1", Role::Worker, MemberState::Alive, {1}, "h:9", {4, 1, 9, 0, 0, 0}, {}, {}});
  EXPECT_EQ(print_snapshot(PrintStyle::Text, time_of_events, "b1", snapshot),
            "2023-11-14T22:13:20.000Z  cluster demo, leader b1: 3 pending, 5 completed\n"
            "2023-11-14T22:13:20.000Z  worker w1 alive, 1 of 4 slots busy, 9 blocks");
  EXPECT_EQ(print_snapshot(PrintStyle::Names, time_of_events, "b1", snapshot), "w1");
}

TEST(Printer, ASnapshotOfABrokerThatDoesNotLeadSaysSoAndMakesNothingUp) {
  Snapshot snapshot;
  snapshot.cluster = "demo";
  snapshot.applied = {9};
  snapshot.tasks_by_state = {3, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(print_snapshot(PrintStyle::Text, time_of_events, "b3", snapshot),
            "2023-11-14T22:13:20.000Z  cluster demo, no leader, says b3: 3 pending");
  const std::string line = print_snapshot(PrintStyle::Ndjson, time_of_events, "b3", snapshot);
  EXPECT_NE(line.find(R"("leader":"","told_by":"b3")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("blocks_indexed":null)"), std::string::npos) << line;
  snapshot.leader = "b1";
  EXPECT_EQ(print_snapshot(PrintStyle::Text, time_of_events, "b3", snapshot),
            "2023-11-14T22:13:20.000Z  cluster demo, leader b1, says b3: 3 pending");
}

TEST(Printer, StylesHaveNames) {
  EXPECT_EQ(parse_print_style("table"), PrintStyle::Text);
  EXPECT_EQ(parse_print_style("json"), PrintStyle::Ndjson);
  EXPECT_EQ(parse_print_style("ndjson"), PrintStyle::Ndjson);
  EXPECT_EQ(parse_print_style("quiet"), PrintStyle::Names);
  EXPECT_FALSE(parse_print_style("xml"));
}

}  // namespace
}  // namespace cidbus
