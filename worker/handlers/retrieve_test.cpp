#include "worker/handlers/retrieve.h"

#include <gtest/gtest.h>

#include "worker/handlers/map_content.h"

namespace cidbus {
namespace {

TEST(Retrieve, SaysWhatItBrought) {
  HandlerBench retrieving{.handler = make_retrieve()};
  const Cid file = retrieving.content.add("hello");
  const auto output = retrieving.run({file}, {});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->cids, std::vector<Cid>{file});
  EXPECT_EQ(output->values, (NamedTexts{{"blocks", "1"}, {"bytes", "5"}}));
}

TEST(Retrieve, RefusesWhatItDoesNotTakeAndSaysWhatIsNotThere) {
  HandlerBench retrieving{.handler = make_retrieve()};
  EXPECT_NE(retrieving.refusal({}, {}).find("exactly one input"), std::string::npos);
  const Cid file = retrieving.content.add("hello");
  EXPECT_NE(retrieving.refusal({file}, {{"depth", "1"}}).find("it takes none"), std::string::npos);
  const Cid nowhere = Cid::v1(Codec::Raw, sha2_256(as_bytes("other")));
  EXPECT_NE(retrieving.refusal({nowhere}, {}, FaultKind::NotFound).find("nobody holds"), std::string::npos);
  retrieving.cancelled.cancel();
  EXPECT_NE(retrieving.refusal({file}, {}, FaultKind::TryAgain).find("stopped"), std::string::npos);
}

}  // namespace
}  // namespace cidbus
