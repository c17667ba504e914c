// The registry, the words about handlers, and the cells between a run and its worker.

#include "worker/handlers/handler.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "worker/handlers/echo.h"
#include "worker/handlers/map_content.h"
#include "worker/handlers/process_content.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Named final : public Handler {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::string_view type() const override { return name_; }
  std::string_view summary() const override { return "a test's own"; }
  std::span<const ParameterHelp> help() const override { return {}; }
  int version() const override { return 1; }
  bool deterministic() const override { return true; }
  Result<HandlerOutput> run(const HandlerInput& /*input*/, Content& /*content*/) const override {
    return HandlerOutput{};
  }

 private:
  std::string name_;
};

TEST(HandlerRegistry, HoldsTheTypesOfThisVersionInOrder) {
  const HandlerRegistry registry = built_in_handlers();
  EXPECT_THAT(registry.types(),
              ElementsAre("analyze", "echo", "hash", "pin", "process_content", "retrieve", "unpin"));
  for (const auto type : registry.types()) EXPECT_EQ((*registry.find(type))->type(), type);
}

TEST(HandlerRegistry, AnUnknownTypeIsAnsweredWithTheKnownOnes) {
  const auto unknown = built_in_handlers().find("re\nsize");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, FaultKind::BadUsage);
  EXPECT_EQ(unknown.error().message,
            "unknown task type 're\\x0asize'; this worker runs analyze, echo, hash, pin, process_content, "
            "retrieve, "
            "unpin");
}

TEST(HandlerRegistry, TakesHandlersOfOthersUnderFreeAndValidNames) {
  HandlerRegistry registry = built_in_handlers();
  EXPECT_TRUE(registry.add(std::make_unique<Named>("mine")));
  EXPECT_THAT(registry.types(),
              ElementsAre("analyze", "echo", "hash", "mine", "pin", "process_content", "retrieve", "unpin"));
  for (const char* name : {"mine", "echo", "", "two words", "\xc3\xa9"}) {
    const Status added = registry.add(std::make_unique<Named>(name));
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().kind, FaultKind::BadUsage);
  }
  EXPECT_EQ(registry.types().size(), 8U);
}

TEST(Describe, PrintsALineForEachParameter) {
  EXPECT_EQ(describe(*make_echo()),
            "echo: answers its parameters, whatever they are, as values; reads and writes nothing\n"
            "  delay_ms  waits so many milliseconds first, 0 to 600000 (0)\n"
            "  fail      fails with this text, without a retry (none)\n");
}

TEST(TaskTypesDocument, SaysOfEveryTypeAndParameterWhatTheHandlersSayAndNothingElse) {
  std::ifstream file(CIDBUS_SOURCE_DIR "/docs/task-types.md");
  std::stringstream text;
  text << file.rdbuf();
  const HandlerRegistry registry = built_in_handlers();
  for (const auto type : registry.types()) {
    const Handler& handler = **registry.find(type);
    EXPECT_THAT(text.str(), HasSubstr("## `" + std::string(type) + "`\n"));
    const auto start = text.str().find("## `" + std::string(type) + "`");
    ASSERT_NE(start, std::string::npos);
    const std::string section = text.str().substr(start, text.str().find("\n## ", start) - start);
    std::size_t rows = 0;
    for (auto at = section.find("\n| `"); at != std::string::npos; at = section.find("\n| `", at + 1)) ++rows;
    EXPECT_EQ(rows, handler.help().size()) << type;
    for (const auto& parameter : handler.help()) {
      EXPECT_THAT(section,
                  HasSubstr("| `" + std::string(parameter.name) + "` | " + std::string(parameter.meaning) +
                            " | " + std::string(parameter.default_value) + " |\n"));
    }
  }
}

TEST(RetryHelps, OnlyForWhatMayEndDifferently) {
  for (const auto kind : {FaultKind::TryAgain, FaultKind::TimedOut, FaultKind::Unavailable}) {
    EXPECT_TRUE(retry_helps(kind));
  }
  for (const auto kind : {FaultKind::Failed, FaultKind::BadUsage, FaultKind::BadData, FaultKind::NotFound,
                          FaultKind::NotAllowed}) {
    EXPECT_FALSE(retry_helps(kind));
  }
}

TEST(CancelToken, WakesWhoeverWaitsAndStaysCancelled) {
  CancelToken token;
  EXPECT_FALSE(token.wait_for(0ms));
  EXPECT_FALSE(token.wait_for(1ms));
  std::vector<std::thread> waiting;
  std::atomic<int> woken{0};
  for (int thread = 0; thread < 3; ++thread) {
    waiting.emplace_back([&] { woken += token.wait_for(1h) ? 1 : 0; });
  }
  token.cancel();
  token.cancel();
  for (auto& thread : waiting) thread.join();
  EXPECT_EQ(woken, 3);
  EXPECT_TRUE(token.cancelled());
  EXPECT_TRUE(token.wait_for(1h));
}

TEST(RunProgress, IsBoundedByAThousand) {
  RunProgress progress;
  EXPECT_EQ(progress.permille(), 0U);
  progress.set_permille(1001);
  EXPECT_EQ(progress.permille(), 1000U);
}

}  // namespace
}  // namespace cidbus
