#include "observer/rules_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "observer/core/alert_engine.h"
#include "observer/core/series_names.h"
#include "observer/marks_file.h"
#include "shared/core/task.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

using std::chrono::seconds;

const AlertRule& rule_of(const AlertSetup& setup, std::string_view name) {
  const auto found = std::find_if(setup.rules.begin(), setup.rules.end(),
                                  [&](const AlertRule& rule) { return rule.name == name; });
  EXPECT_NE(found, setup.rules.end()) << name;
  return *found;
}

std::string refusal_of(std::string_view text) {
  const auto setup = parse_rules(text, "r.toml");
  EXPECT_FALSE(setup) << text;
  if (setup) return {};
  EXPECT_EQ(setup.error().kind, FaultKind::BadData);
  return setup.error().message;
}

TEST(RulesFile, ChangesOfADefaultRuleWhatIsGivenAndKeepsTheRest) {
  const auto setup = parse_rules("[rule.disk_free]\nwarning = 5e9\nfor = \"1m\"\n", "r.toml");
  ASSERT_TRUE(setup) << setup.error().message;
  const AlertRule& changed = rule_of(*setup, "disk_free");
  EXPECT_EQ(changed.warning, 5e9);
  EXPECT_EQ(changed.hold, seconds(60));
  EXPECT_EQ(changed.series, "disk_free_bytes");
  EXPECT_TRUE(changed.critical);
  EXPECT_EQ(setup->rules.size(), default_alert_rules().size());
}

TEST(RulesFile, MakesRulesAndSinks) {
  const auto setup = parse_rules(R"(
[rule.backlog]
series = "tasks_pending"
when = "above"
critical = 1000
hides = ["a", "b*"]
clear-for = "0s"
[sink.mail]
command = ["mail", "-s", "a, b"]
[sink.chat]
webhook = "https://x/y"
level = "critical"
)",
                                 "r.toml");
  ASSERT_TRUE(setup) << setup.error().message;
  const AlertRule& backlog = rule_of(*setup, "backlog");
  EXPECT_FALSE(backlog.warning);
  EXPECT_EQ(backlog.critical, 1000);
  EXPECT_EQ(backlog.hides, (std::vector<std::string>{"a", "b*"}));
  EXPECT_EQ(backlog.clear_hold, seconds(0));
  ASSERT_EQ(setup->sinks.size(), 2U);
  EXPECT_EQ(setup->sinks[0].command, (std::vector<std::string>{"mail", "-s", "a, b"}));
  EXPECT_EQ(setup->sinks[1].least, AlertLevel::Critical);
}

// Of a disk whose free room goes up and down by a fiftieth around the threshold.
std::size_t notices_of_a_wavering_disk(const AlertSetup& setup) {
  AlertEngine engine(setup.rules);
  History history;
  std::size_t notices = 0;
  for (int second = 0; second < 1200; ++second) {
    const WallTime now{(1'700'000'000LL + second) * 1000};
    const double free = second / 15 % 2 == 0 ? 4.9e9 : 5.1e9;
    engine.on_sample({"w1", "disk_free_bytes", now, free}, history);
    notices += engine.on_tick(now, "demo", false).size();
  }
  return notices;
}

TEST(RulesFile, ARuleWhoseThresholdIsMovedFluttersNoMoreThanItDid) {
  const auto moved = parse_rules("[rule.disk_free]\nwarning = 5e9\n", "r.toml");
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(rule_of(*moved, "disk_free").clear, 6.25e9) << "a quarter above, as it was";
  EXPECT_EQ(notices_of_a_wavering_disk(*moved), 1U);
  const auto given = parse_rules("[rule.disk_free]\nwarning = 5e9\nclear = 5.05e9\n", "r.toml");
  EXPECT_EQ(rule_of(*given, "disk_free").clear, 5.05e9) << "what is given stands";
  const auto turned = parse_rules("[rule.disk_free]\nwhen = \"above\"\n", "r.toml");
  EXPECT_EQ(rule_of(*turned, "disk_free").clear, std::nullopt) << "it would lie on the wrong side";
  const auto below_zero = parse_rules("[rule.cpu_used]\nwarning = -5\n", "r.toml");
  EXPECT_EQ(rule_of(*below_zero, "cpu_used").clear, std::nullopt) << "likewise";
}

TEST(RulesFile, AClearOnTheWrongSideOfTheThresholdIsRefused) {
  EXPECT_EQ(
      refusal_of("[rule.disk_free]\nclear = 1e9\n"),
      "r.toml:1: [rule.disk_free] clear = 1e+09 lies on the wrong side of the threshold 2.14748e+09: with "
      "when = \"below\" give a higher one, or none");
  EXPECT_NE(refusal_of("[rule.cpu_used]\nclear = 81\n").find("a lower one"), std::string::npos);
  EXPECT_TRUE(parse_rules("[rule.cpu_used]\nclear = 80\n", "r.toml")) << "the threshold itself";
}

TEST(RulesFile, ARuleThatWaitsForANumberIsOnOnceItHasOne) {
  EXPECT_FALSE(rule_of(*parse_rules("", "r.toml"), "few_nodes").enabled);
  EXPECT_TRUE(rule_of(*parse_rules("[rule.few_nodes]\nwarning = 3\n", "r.toml"), "few_nodes").enabled);
  EXPECT_FALSE(rule_of(*parse_rules("[rule.no_leader]\nenabled = false\n", "r.toml"), "no_leader").enabled);
}

TEST(RulesFile, WhatMakesNoSenseIsRefusedByFileAndLine) {
  EXPECT_EQ(refusal_of("\n[rule.x]\nseries = \"slots\"\n"),
            "r.toml:2: [rule.x] needs warning or critical, a number");
  EXPECT_NE(refusal_of("[rule.x]\nwarning = 1\n").find("needs series"), std::string::npos);
  EXPECT_NE(refusal_of("[rule.x]\nseries = \"cidbus_broker_fsync_seconds\"\nwarning = 1\n").find("never"),
            std::string::npos)
      << "it is a metric's name, not a series'";
  EXPECT_TRUE(parse_rules("[rule.x]\nseries = \"tasks_*\"\nwarning = 1\n", "r.toml"));
  EXPECT_NE(refusal_of("[rule.disk_free]\nwarnin = 1\n").find("r.toml:2"), std::string::npos);
  EXPECT_NE(refusal_of("[rule.disk_free]\nwhen = \"over\"\n").find("above"), std::string::npos);
  EXPECT_NE(refusal_of("[rule.disk_free]\nfor = \"1 minute\"\n").find("no duration"), std::string::npos);
  EXPECT_NE(refusal_of("[sink.x]\n").find("one of them"), std::string::npos);
  EXPECT_NE(refusal_of("[sink.x]\nwebhook = \"ftp://x\"\n").find("http"), std::string::npos);
  EXPECT_NE(refusal_of("[rules.x]\n").find("[rule.NAME]"), std::string::npos);
  EXPECT_NE(refusal_of("rule = 3\n").find("[rule.NAME]"), std::string::npos);
  std::string many;
  for (std::size_t number = 0; number <= limits::alert_sinks; ++number)
    many += "[sink.s" + std::to_string(number) + "]\nwebhook = \"http://x\"\n";
  EXPECT_NE(refusal_of(many).find("more than 8 sinks"), std::string::npos);
}

// docs/alerts.md, from its heading on, holds a row for each rule.
TEST(RulesFile, TheDocumentShowsTheDefaultRulesAsTheyAre) {
  std::string table = "| rule | when | hides |\n|---|---|---|\n";
  for (const AlertRule& rule : default_alert_rules()) {
    std::string hides;
    for (const std::string& name : rule.hides)
      hides += (hides.empty() ? "" : ", ") + (name == "*" ? std::string("all others") : "`" + name + "`");
    const std::string condition = "`" + condition_text(rule) + "`";
    table += "| `" + rule.name + "` | " + rule.meaning + ": " + (rule.enabled ? "" : "off; ") + condition +
             " | " + hides + " |\n";
  }
  std::ifstream file(CIDBUS_SOURCE_DIR "/docs/alerts.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(table), std::string::npos) << "docs/alerts.md should say:\n" << table;
}

TEST(RulesFile, TheDocumentNamesEverySeries) {
  std::ifstream file(CIDBUS_SOURCE_DIR "/docs/observer.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const std::string_view name : known_series()) {
    const std::string written = "`" + std::string(name) + "`";
    const bool by_state = name.starts_with("tasks_") && parse_task_state(name.substr(6));
    EXPECT_TRUE(by_state || text.str().find(written) != std::string::npos) << name;
  }
}

struct Marks : testing::Test {
  TemporaryFolder temporary;
  const std::string& folder = temporary.path();
};

TEST_F(Marks, AreReadAsTheyWereWrittenWithoutWhatIsPast) {
  const WallTime now{1'700'000'000'000};
  EXPECT_TRUE(read_marks(folder)->silences.empty()) << "no file";
  AlertMarks marks;
  marks.silences.push_back({"s1", "no*", "w?", now + seconds(60), "a \"quoted\"\nreason \\"});
  marks.silences.push_back({"s2", "*", "w1", WallTime{now.milliseconds - 1}, ""});
  marks.acknowledged.push_back({"3f2a90c1d4e5b607", "anna", now});
  ASSERT_TRUE(write_marks(folder, marks, now));
  const auto read = read_marks(folder);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->silences.size(), 1U);
  EXPECT_EQ(read->silences[0].until, now + seconds(60));
  EXPECT_EQ(read->silences[0].rule, "no*");
  EXPECT_EQ(read->silences[0].reason, "a \"quoted\"\\x0areason \\") << "on one line";
  ASSERT_EQ(read->acknowledged.size(), 1U);
  EXPECT_EQ(read->acknowledged[0].by, "anna");
}

TEST_F(Marks, ThatMakeNoSenseAreRefused) {
  std::ofstream(folder + "/silences.toml") << "[silence.a]\nuntil = \"tomorrow\"\n";
  const auto read = read_marks(folder);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find(":2"), std::string::npos) << read.error().message;
  EXPECT_FALSE(parse_utc("2026-11-26T12:00:00"));
  EXPECT_EQ(parse_utc("2023-11-14T22:13:20.5Z")->milliseconds, 1'700'000'000'000);
}

}  // namespace
}  // namespace cidbus
