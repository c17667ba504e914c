#include "shared/core/trace_context.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

constexpr const char* given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, IsReadAsItIs) {
  EXPECT_EQ(read_traceparent(given), given);
  EXPECT_EQ(trace_id_of(given), "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(TraceContext, WhatIsNoneIsNone) {
  for (const char* none : {
           "", "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",      // too short
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",    // longer than version 00 is
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",     // a version that never is
           "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",     // no digit
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",     // upper case
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",     // no trace
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",     // no parent
           "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",     // other dashes
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what"  // a later one goes on with a dash
       })
    EXPECT_EQ(read_traceparent(none), std::nullopt) << none;
}

TEST(TraceContext, OfALaterVersionWhatIsKnownIsKept) {
  EXPECT_EQ(read_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0b-more"), given);
  EXPECT_EQ(read_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
}

TEST(TraceContext, EachAttemptIsASpanOfItsOwnInTheSameTrace) {
  const AttemptId first{TaskId{7}, 0, 1, Epoch{3}};
  const AttemptId second{TaskId{7}, 0, 2, Epoch{3}};
  const std::string within = traceparent_within(given, first);
  EXPECT_EQ(read_traceparent(within), within);
  EXPECT_EQ(trace_id_of(within), trace_id_of(given));
  EXPECT_NE(within, given);
  EXPECT_EQ(within, traceparent_within(given, first));
  EXPECT_NE(within, traceparent_within(given, second));
}

}  // namespace
}  // namespace cidbus
