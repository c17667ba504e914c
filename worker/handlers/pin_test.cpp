#include "worker/handlers/pin.h"

#include <gtest/gtest.h>

#include "worker/handlers/map_content.h"

namespace cidbus {
namespace {

TEST(Pin, IsWrittenDownOnceAllOfItIsThere) {
  HandlerBench pinning{.handler = make_pin()};
  const Cid file = pinning.content.add("hello");
  for (int time = 0; time < 2; ++time) {
    const auto output = pinning.run({file}, {});
    ASSERT_TRUE(output) << output.error().message;
    EXPECT_EQ(output->cids, std::vector<Cid>{file});
    EXPECT_EQ(output->values, (NamedTexts{{"blocks", "1"}, {"bytes", "5"}}));
    EXPECT_EQ(pinning.content.pins, std::set<Cid>{file});
  }
}

TEST(Pin, OfWhatCannotBeBroughtIsNone) {
  HandlerBench pinning{.handler = make_pin()};
  const Cid nowhere = Cid::v1(Codec::Raw, sha2_256(as_bytes("other")));
  EXPECT_NE(pinning.refusal({nowhere}, {}, FaultKind::NotFound).find("nobody holds"), std::string::npos);
  const Cid file = pinning.content.add("hello");
  EXPECT_NE(pinning.refusal({}, {}).find("pin takes exactly one input"), std::string::npos);
  EXPECT_NE(pinning.refusal({file}, {{"depth", "1"}}).find("unknown parameter"), std::string::npos);
  pinning.cancelled.cancel();
  EXPECT_NE(pinning.refusal({file}, {}, FaultKind::TryAgain).find("stopped"), std::string::npos);
  EXPECT_TRUE(pinning.content.pins.empty());
}

TEST(Unpin, TakesAPinAwayAndSaysWhenThereIsNone) {
  HandlerBench unpinning{.handler = make_unpin()};
  const Cid file = unpinning.content.add("hello");
  ASSERT_TRUE(unpinning.content.pin(file));
  const auto output = unpinning.run({file}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->cids, std::vector<Cid>{file});
  EXPECT_TRUE(unpinning.content.pins.empty());
  EXPECT_EQ(unpinning.refusal({file}, {}, FaultKind::NotFound),
            "unpin: " + to_text(file) + " is not pinned on this worker");
  EXPECT_NE(unpinning.refusal({file}, {{"depth", "1"}}).find("unknown parameter"), std::string::npos);
}

}  // namespace
}  // namespace cidbus
