#include "observer/core/alert_desk.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

WallTime at(std::int64_t second) { return {(1'700'000'000 + second) * 1000}; }

struct Watched {
  Watched() : desk({rule()}) {}
  static AlertRule rule() {
    AlertRule busy;
    busy.name = "busy";
    busy.series = "load";
    busy.warning = 1;
    busy.critical = 5;
    busy.clear_hold = {};
    return busy;
  }
  void run(double value) {
    const Sample sample{"w1", "load", at(second), value};
    desk.engine().on_sample(sample, history);
    const auto said = desk.on_tick(at(second++), "demo", false, marks);
    for (const AlertNotice& notice : said.told) told.emplace_back(to_text(notice.change));
    all += said.all.size();
  }

  AlertDesk desk;
  History history;
  AlertMarks marks;
  std::int64_t second = 0;
  std::vector<std::string> told;
  std::size_t all = 0;
};

TEST(AlertDesk, TellsRaisedWorseAndResolvedOnce) {
  Watched watched;
  for (const double value : {1, 1, 9, 9, 1, 0, 0}) watched.run(value);
  EXPECT_THAT(watched.told, ElementsAre("raised", "worsened", "resolved"));
}

TEST(AlertDesk, SaysNothingOfWhatIsSilencedAllAlong) {
  Watched watched;
  watched.marks.silences.push_back({"s1", "b*", "w?", at(100), "moving house"});
  for (const double value : {1, 9, 0}) watched.run(value);
  EXPECT_THAT(watched.told, IsEmpty());
  EXPECT_EQ(watched.all, 3U) << "it is there all the same";
}

TEST(AlertDesk, TellsWhatIsThereWhenItsSilenceEnds) {
  Watched watched;
  watched.marks.silences.push_back({"s1", "*", "*", at(3), ""});
  for (int second = 0; second < 6; ++second) watched.run(1);
  EXPECT_THAT(watched.told, ElementsAre("raised"));
  watched.run(0);
  EXPECT_THAT(watched.told, ElementsAre("raised", "resolved"));
}

TEST(AlertDesk, WhatGotWorseInItsSilenceIsToldWhenThatEnds) {
  Watched watched;
  watched.run(1);
  watched.marks.silences.push_back({"s1", "*", "*", at(4), ""});
  for (const double value : {9, 9, 9}) watched.run(value);
  EXPECT_THAT(watched.told, ElementsAre("raised"));
  for (const double value : {9, 9, 0}) watched.run(value);
  EXPECT_THAT(watched.told, ElementsAre("raised", "worsened", "resolved"));
}

TEST(AlertDesk, WhatSomebodyHasSeenIsToldNoMoreButThatItIsOver) {
  Watched watched;
  watched.run(1);
  const std::string id = watched.desk.engine().raised()[0].id;
  watched.marks.acknowledged.push_back({id, "anna", at(1)});
  for (const double value : {9, 9, 0}) watched.run(value);
  EXPECT_THAT(watched.told, ElementsAre("raised", "resolved"));
  watched.run(1);
  EXPECT_THAT(watched.told, ElementsAre("raised", "resolved", "raised")) << "a later one is news";
}

TEST(AlertDesk, AfterARestartOnlyTheEndIsNews) {
  Watched before;
  before.run(1);
  Watched after;
  after.second = 10;
  after.desk.restore(before.desk.engine().raised()[0], AlertLevel::Warning);
  for (const double value : {1, 1, 0}) after.run(value);
  EXPECT_THAT(after.told, ElementsAre("resolved"));
}

TEST(AlertDesk, ASilenceThatBeganOrEndedWhileNobodyLookedLosesAndRepeatsNothing) {
  Watched before;
  before.run(9);
  const Alert alert = before.desk.engine().raised()[0];
  Watched ended;
  ended.second = 10;
  ended.desk.restore(alert, {});
  ended.run(9);
  EXPECT_THAT(ended.told, ElementsAre("raised")) << "it was silenced, and is so no more";
  Watched begun;
  begun.second = 10;
  begun.marks.silences.push_back({"s1", "*", "*", at(12), ""});
  begun.desk.restore(alert, AlertLevel::Critical);
  for (const double value : {9, 9, 9, 9}) begun.run(value);
  EXPECT_THAT(begun.told, IsEmpty()) << "it was told before the silence";
  begun.run(0);
  EXPECT_THAT(begun.told, ElementsAre("resolved"));
}

}  // namespace
}  // namespace cidbus
