#include "observer/core/alert_engine.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cidbus {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

WallTime at(std::int64_t second) { return {(1'700'000'000 + second) * 1000}; }

AlertRule rule(std::string name, std::string series) {
  AlertRule made;
  made.name = std::move(name);
  made.series = std::move(series);
  return made;
}

AlertRule disk_rule() {
  AlertRule disk = rule("disk", "disk_percent");
  disk.warning = 80;
  disk.critical = 95;
  disk.clear = 75;
  disk.hold = seconds(3);
  disk.clear_hold = seconds(2);
  return disk;
}

// An engine with its history, told one second after the other; what it says is collected as text.
struct Desk {
  explicit Desk(std::vector<AlertRule> rules) : engine(std::move(rules)) {}

  void say(std::string_view node, std::string_view series, double value) {
    const Sample sample{node, series, at(second), value};
    history.add(sample);
    engine.on_sample(sample, history);
  }
  void tick(bool blind = false) {
    for (const AlertNotice& notice : engine.on_tick(at(second), "demo", blind)) {
      said.push_back(std::string(to_text(notice.change)) + " " + notice.alert.rule + " " + notice.alert.node +
                     " " + std::string(to_text(notice.alert.level)));
      last = notice.alert;
    }
    ++second;
  }
  void run(int times, std::string_view node, std::string_view series, double value) {
    for (; times > 0; --times) {
      say(node, series, value);
      tick();
    }
  }

  AlertEngine engine;
  History history;
  std::int64_t second = 0;
  std::vector<std::string> said;
  Alert last;
};

TEST(AlertEngine, RaisesOnceWhatHoldsAndResolvesItOnce) {
  Desk desk({disk_rule()});
  desk.run(3, "w1", "disk_percent", 85);
  EXPECT_THAT(desk.said, IsEmpty()) << "not yet for 3 s";
  desk.run(10, "w1", "disk_percent", 85);
  EXPECT_THAT(desk.said, ElementsAre("raised disk w1 warning"));
  EXPECT_EQ(desk.last.text, "w1: disk_percent is 85 %, at or above 80 %");
  EXPECT_EQ(desk.engine.raised().size(), 1U);
  desk.run(10, "w1", "disk_percent", 50);
  EXPECT_THAT(desk.said, ElementsAre("raised disk w1 warning", "resolved disk w1 warning"));
  EXPECT_EQ(desk.last.text, "w1: disk_percent is 50 %, no longer at or above 80 %");
  EXPECT_THAT(desk.engine.raised(), IsEmpty());
}

TEST(AlertEngine, WhatFluttersRaisesNothingAndResolvesNothing) {
  Desk desk({disk_rule()});
  for (int time = 0; time < 10; ++time) {
    desk.run(2, "w1", "disk_percent", 85);
    desk.run(1, "w1", "disk_percent", 10);
  }
  EXPECT_THAT(desk.said, IsEmpty());
  desk.run(5, "w1", "disk_percent", 85);
  for (int time = 0; time < 10; ++time) {
    desk.run(3, "w1", "disk_percent", 78);  // below the threshold, not below `clear`
    desk.run(1, "w1", "disk_percent", 81);
  }
  EXPECT_THAT(desk.said, ElementsAre("raised disk w1 warning"));
}

TEST(AlertEngine, WorsensOnceAndStaysAsBadAsItWas) {
  Desk desk({disk_rule()});
  desk.run(5, "w1", "disk_percent", 85);
  desk.run(5, "w1", "disk_percent", 99);
  desk.run(5, "w1", "disk_percent", 85);
  desk.run(5, "w1", "disk_percent", 99);
  EXPECT_THAT(desk.said, ElementsAre("raised disk w1 warning", "worsened disk w1 critical"));
  Desk at_once({disk_rule()});
  at_once.run(6, "w1", "disk_percent", 99);
  EXPECT_THAT(at_once.said, ElementsAre("raised disk w1 critical"));
}

TEST(AlertEngine, ARuleWithoutAWarningIsRaisedAsCriticalOnly) {
  AlertRule leader = rule("no_leader", "leader_present");
  leader.when = AlertWhen::Below;
  leader.critical = 1;
  leader.hold = seconds(2);
  Desk desk({leader});
  desk.run(2, "", "leader_present", 0);
  EXPECT_THAT(desk.said, IsEmpty());
  desk.run(2, "", "leader_present", 0);
  EXPECT_THAT(desk.said, ElementsAre("raised no_leader  critical"));
  EXPECT_EQ(desk.last.text, "leader_present is 0, below 1");
}

TEST(AlertEngine, TheSameCauseHasTheSameIdWhoeverLooks) {
  Desk one({disk_rule()});
  Desk other({disk_rule()});
  other.second = 1000;
  one.run(5, "w1", "disk_percent", 85);
  other.run(5, "w1", "disk_percent", 99);
  EXPECT_EQ(one.last.id, other.last.id);
  EXPECT_EQ(one.last.id.size(), 16U);
  one.run(5, "w2", "disk_percent", 85);
  EXPECT_NE(one.last.id, other.last.id) << "another node is another cause";
}

TEST(AlertEngine, ADeadNodeDoesNotRaiseTenOthers) {
  std::vector<AlertRule> rules{disk_rule(), rule("silent", "silent_seconds")};
  rules[0].hold = {};
  rules[1].warning = 5;
  rules[1].hides = {"*"};
  Desk desk(rules);
  for (int second = 0; second < 10; ++second) {
    for (const char* node : {"w1", "w2"}) desk.say(node, "disk_percent", 90);
    desk.say("w1", "silent_seconds", 60);
    desk.tick();
  }
  EXPECT_THAT(desk.said, ElementsAre("raised disk w2 warning", "raised silent w1 warning"));
}

TEST(AlertEngine, AnAlertOfTheClusterHidesThoseOfNodesToo) {
  std::vector<AlertRule> rules{disk_rule(), rule("no_leader", "leader_present")};
  rules[0].hold = {};
  rules[1].when = AlertWhen::Below;
  rules[1].critical = 1;
  rules[1].hides = {"disk"};
  Desk desk(rules);
  desk.say("", "leader_present", 0);
  desk.say("w1", "disk_percent", 90);
  desk.tick();
  EXPECT_THAT(desk.said, ElementsAre("raised no_leader  critical"));
}

TEST(AlertEngine, WhatIsNoLongerMeasuredIsResolvedUnlessTheObserverIsBlind) {
  Desk desk({disk_rule()});
  desk.run(5, "w1", "disk_percent", 85);
  for (int second = 0; second < 200; ++second) desk.tick(true);
  EXPECT_EQ(desk.said.size(), 1U);
  desk.tick(false);
  EXPECT_THAT(desk.said, ElementsAre("raised disk w1 warning", "resolved disk w1 warning"));
  EXPECT_THAT(desk.last.text, testing::EndsWith("no longer measured"));
}

TEST(AlertEngine, IsNotRaisedAgainAfterARestart) {
  Desk before({disk_rule()});
  before.run(5, "w1", "disk_percent", 85);
  Desk after({disk_rule()});
  after.engine.restore(before.last);
  after.second = before.second;
  after.run(10, "w1", "disk_percent", 85);
  EXPECT_THAT(after.said, IsEmpty());
  after.run(10, "w1", "disk_percent", 10);
  EXPECT_THAT(after.said, ElementsAre("resolved disk w1 warning"));
  EXPECT_EQ(after.last.id, before.last.id);
}

TEST(AlertEngine, UnusualIsFarFromTheMedianForItsSpread) {
  AlertRule unusual = rule("unusual", "queue");
  unusual.when = AlertWhen::Unusual;
  unusual.warning = 8;
  Desk desk({unusual});
  desk.run(30, "w1", "queue", 5000);
  EXPECT_THAT(desk.said, IsEmpty()) << "too little is known";
  Desk steady({unusual});
  for (int second = 0; second < 170; ++second) steady.run(1, "w1", "queue", 100 + second % 5);
  steady.run(1, "w1", "queue", 115);
  EXPECT_THAT(steady.said, IsEmpty()) << "three times the least spread";
  steady.run(1, "w1", "queue", 500);
  EXPECT_THAT(steady.said, ElementsAre("raised unusual w1 warning"));
  // One wild value does not hide the next: median and distances bear almost half of them.
  steady.run(20, "w1", "queue", 102);
  steady.run(1, "w1", "queue", 500);
  EXPECT_THAT(steady.said, ElementsAre("raised unusual w1 warning", "resolved unusual w1 warning",
                                       "raised unusual w1 warning"));
}

TEST(AlertEngine, IsBounded) {
  AlertRule all = rule("all", "x");
  all.warning = 1;
  Desk desk({all});
  for (std::size_t node = 0; node < limits::alerts + 5; ++node) desk.say("n" + std::to_string(node), "x", 1);
  desk.tick();
  EXPECT_EQ(desk.engine.raised().size(), limits::alerts);
  for (std::size_t node = 0; node < 5; ++node) desk.say("n" + std::to_string(node), "x", 0);
  desk.second += 20;
  for (std::size_t node = 0; node < 5; ++node) desk.say("n" + std::to_string(node), "x", 0);
  desk.tick();
  desk.tick();
  EXPECT_EQ(desk.engine.raised().size(), limits::alerts) << "those that waited";
}

TEST(AlertRules, TheDefaultsAreNamedOnceAndReadWell) {
  std::vector<std::string> names;
  for (const AlertRule& known : default_alert_rules()) {
    names.push_back(known.name);
    EXPECT_TRUE(known.warning || known.critical || !known.enabled) << known.name;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(condition_text(disk_rule()), "disk_percent above 80 %, critical above 95 %, for 3 s");
  EXPECT_EQ(readable_value("x_bytes", 1536), "1.5 KiB");
}

}  // namespace
}  // namespace cidbus
