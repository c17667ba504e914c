#include <gtest/gtest.h>

#include "shared/core/message.h"

namespace cidbus {
namespace {

TEST(TaskStates, HaveTheNamesUsersSeeAndParseBack) {
  EXPECT_EQ(to_text(TaskState::Processing), "processing");
  for (std::size_t place = 0; place < task_state_count; ++place) {
    const auto state = static_cast<TaskState>(place);
    EXPECT_EQ(parse_task_state(to_text(state)), state);
  }
  EXPECT_FALSE(parse_task_state("done"));
}

TEST(TaskStates, AreFinalFromCompletedOn) {
  EXPECT_FALSE(is_final(TaskState::Processing));
  EXPECT_TRUE(is_final(TaskState::Completed));
  EXPECT_TRUE(is_final(TaskState::Timeout));
}

TEST(MessageNames, FollowTheOrderOfTheVariant) {
  EXPECT_EQ(name_of(Hello{}), "hello");
  EXPECT_EQ(name_of(Results{}), "results");
  EXPECT_EQ(name_of(CancelAnswers{}), "cancelAnswers");
  EXPECT_EQ(name_of(Placement{}), "placement");
  EXPECT_EQ(name_of(Feed{}), "feed");
}

TEST(Roles, ParseTheirNames) {
  EXPECT_EQ(parse_role("leecher"), Role::Leecher);
  EXPECT_FALSE(parse_role("Leader"));
}

}  // namespace
}  // namespace cidbus
