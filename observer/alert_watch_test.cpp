#include "observer/alert_watch.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

constexpr WallTime noon{1'700'000'000'000};

class NoLog : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
};

LeftAlert left_by(const std::string& rule, std::optional<AlertLevel> told) {
  return {{{"a1", rule, "w1", "slots", AlertLevel::Warning, 1, "w1: slots is 1", noon}, {}}, told};
}

TEST(AlertWatch, AnAlertWhoseRuleIsThereNoLongerIsOverAndToldToWhoKnewOfIt) {
  NoLog log;
  AlertWatch watch({}, "demo", "o1", "", log);
  watch.restore({left_by("gone", AlertLevel::Warning), left_by("gone_too", std::nullopt)});
  const auto said = watch.on_tick(noon, false);
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[0].change, AlertChange::Resolved);
  EXPECT_EQ(said[0].alert.text, "w1: slots is 1; its rule is there no longer");
  const auto told = watch.take_told();
  ASSERT_EQ(told.size(), 1U) << "the other one nobody knows";
  EXPECT_EQ(told[0].alert.rule, "gone");
  EXPECT_TRUE(watch.on_tick(noon + std::chrono::seconds(1), false).empty()) << "once";
}

TEST(AlertWatch, OneWhoseEndNobodyHeardIsToldAtTheStart) {
  NoLog log;
  AlertWatch watch({}, "demo", "o1", "", log);
  LeftAlert over = left_by("node_silent", AlertLevel::Warning);
  over.past.resolved_at = noon + std::chrono::seconds(5);
  watch.restore({over, left_by("disk_free", AlertLevel::Warning)});
  const auto told = watch.take_told();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].change, AlertChange::Resolved);
  EXPECT_EQ(told[0].time, over.past.resolved_at);
  ASSERT_EQ(watch.raised().size(), 1U);
  EXPECT_EQ(watch.raised()[0].rule, "disk_free");
}

}  // namespace
}  // namespace cidbus
