#include "observer/alert_sinks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class NoLog : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
};

struct AlertSinksTest : testing::Test {
  // Takes what it is told once the folder holds a file `open`.
  [[nodiscard]] AlertSink gate(AlertLevel least = AlertLevel::Warning) const {
    return {"gate", {"/bin/sh", "-c", "test -e " + folder + "/open && cat >>" + folder + "/told"}, "", least};
  }
  [[nodiscard]] static AlertNotice notice(AlertLevel level) {
    return {AlertChange::Raised, {"a1", "busy", "w1", "load", level, 1, "text", {}}, {}};
  }
  static std::vector<AlertNotice> wait_for_told(AlertSinks& sinks) {
    const auto end = std::chrono::steady_clock::now() + seconds(60);
    while (std::chrono::steady_clock::now() < end) {
      auto told = sinks.take_told();
      if (!told.empty()) return told;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return {};
  }

  TemporaryFolder temporary;
  const std::string& folder = temporary.path();
  NoLog log;
};

TEST_F(AlertSinksTest, AnAlertIsToldOnceEverySinkThatWantsItHasIt) {
  AlertSinks sinks({gate(), {"ready", {"/bin/true"}, "", AlertLevel::Warning}}, "demo", "o1", log);
  sinks.tell({notice(AlertLevel::Warning)});
  EXPECT_TRUE(sinks.take_told().empty()) << "one of them has not";
  std::ofstream(folder + "/open") << "";
  ASSERT_EQ(wait_for_told(sinks).size(), 1U) << "it was tried again";
  EXPECT_TRUE(sinks.take_told().empty()) << "each once";
  std::ifstream file(folder + "/told");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(R"("change":"raised","id":"a1")"), std::string::npos) << text.str();
}

TEST_F(AlertSinksTest, WhatNobodyWantsIsToldAtOnce) {
  AlertSinks sinks({gate(AlertLevel::Critical)}, "demo", "o1", log);
  sinks.tell({notice(AlertLevel::Warning)});
  EXPECT_EQ(sinks.take_told().size(), 1U);
  sinks.tell({notice(AlertLevel::Critical)});
  EXPECT_TRUE(sinks.take_told().empty());
}

}  // namespace
}  // namespace cidbus
