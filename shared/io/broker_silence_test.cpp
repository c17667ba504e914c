#include "shared/io/broker_silence.h"

#include <gtest/gtest.h>

#include "shared/base/limits/links.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using Word = BrokerSilence::Word;

Now at(Duration passed) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(passed);
  return {Monotonic{} + 1h + passed, WallTime{1'000'000} + milliseconds};
}

TEST(BrokerSilence, IsToldOnceItIsOldEnoughAndOnceAMinuteFromThen) {
  BrokerSilence silence;
  EXPECT_EQ(silence.step(at(0s), false), Word::None);
  EXPECT_EQ(silence.deadline(), at(limits::silence_told_after).monotonic);
  EXPECT_EQ(silence.step(at(4s), false), Word::None);
  EXPECT_EQ(silence.step(at(5s), false), Word::Silent);
  EXPECT_EQ(silence.since(), at(0s).wall);
  EXPECT_EQ(silence.step(at(64s), false), Word::None);
  EXPECT_EQ(silence.step(at(65s), false), Word::Silent);
}

TEST(BrokerSilence, ItsEndIsToldOnceAndTheNextOneIsToldAnew) {
  BrokerSilence silence;
  EXPECT_EQ(silence.step(at(0s), false), Word::None);
  EXPECT_EQ(silence.step(at(6s), false), Word::Silent);
  EXPECT_EQ(silence.step(at(8s), true), Word::Over);
  EXPECT_EQ(silence.since(), at(0s).wall);
  EXPECT_EQ(silence.deadline(), std::nullopt);
  EXPECT_EQ(silence.step(at(9s), true), Word::None);
  EXPECT_EQ(silence.step(at(10s), false), Word::None);
  EXPECT_EQ(silence.step(at(15s), false), Word::Silent);
  EXPECT_EQ(silence.since(), at(10s).wall);
}

TEST(BrokerSilence, AShortOneIsNotTold) {
  BrokerSilence silence;
  EXPECT_EQ(silence.step(at(0s), false), Word::None);
  EXPECT_EQ(silence.step(at(4s), true), Word::None);
  EXPECT_EQ(silence.step(at(5s), false), Word::None);
  EXPECT_EQ(silence.step(at(9s), false), Word::None);
}

}  // namespace
}  // namespace cidbus
