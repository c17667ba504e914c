#include "observer/web/page_ledger.h"

#include <gmock/gmock.h>

#include "shared/base/limits/web_page.h"

namespace cidbus {
namespace {

using ::testing::HasSubstr;

void put_nodes(PageLedger& ledger, const std::map<std::string, std::string>& rows) {
  ledger.begin("nodes");
  for (const auto& [key, json] : rows) ledger.put(key, json);
  ledger.end();
  ledger.commit();
}

TEST(PageLedger, TellsEverythingToWhoHasSeenNothing) {
  PageLedger ledger;
  put_nodes(ledger, {{"w1", "1"}, {"w2", "2"}});
  ledger.append("runs", "[7]");
  ledger.commit();
  EXPECT_EQ(ledger.since(0), R"({"version":2,"whole":true,"tables":{"nodes":{"w1":1,"w2":2}},)"
                             R"("logs":{"runs":{"newest":[[7]],"total":1}}})");
}

TEST(PageLedger, TellsWhatChangedToWhoHasSeenTheRest) {
  PageLedger ledger;
  put_nodes(ledger, {{"w1", "1"}, {"w2", "2"}, {"w3", "3"}});
  put_nodes(ledger, {{"w1", "1"}, {"w2", "5"}});
  EXPECT_EQ(ledger.since(1),
            R"({"version":2,"whole":false,"tables":{"nodes":{"w3":null,"w2":5}},"logs":{}})");
}

TEST(PageLedger, ARowThatIsPutAgainIsNoNews) {
  PageLedger ledger;
  put_nodes(ledger, {{"w1", "1"}});
  put_nodes(ledger, {{"w1", "1"}});
  EXPECT_EQ(ledger.version(), 1U);
}

TEST(PageLedger, ARowThatCameBackIsToldAsItIs) {
  PageLedger ledger;
  put_nodes(ledger, {{"w1", "1"}});
  put_nodes(ledger, {});
  put_nodes(ledger, {{"w1", "1"}});
  EXPECT_THAT(ledger.since(1), HasSubstr(R"("nodes":{"w1":1})"));
  EXPECT_THAT(ledger.since(3), HasSubstr(R"("nodes":{})"));
}

// At the bound of what is remembered of rows that are gone, nobody shows one of them for ever.
TEST(PageLedger, WhoLagsBehindTooFarIsToldEverything) {
  PageLedger ledger;
  put_nodes(ledger, {{"w", "0"}});
  for (std::size_t number = 0; number <= limits::page_departures; ++number)
    put_nodes(ledger, {{"w" + std::to_string(number), "1"}});
  EXPECT_THAT(ledger.since(1), HasSubstr(R"("whole":true)"));
  EXPECT_THAT(ledger.since(2), HasSubstr(R"("whole":false)"));
  EXPECT_THAT(ledger.since(ledger.version() + 1), HasSubstr(R"("whole":true)"));
}

TEST(PageLedger, ALogHoldsTheNewestAndSaysHowManyThereWere) {
  PageLedger ledger;
  for (std::size_t number = 1; number <= limits::page_log_rows + 3; ++number)
    ledger.append("runs", std::to_string(number));
  ledger.commit();
  EXPECT_THAT(ledger.since(0), HasSubstr(R"("newest":[4,5,)"));
  ledger.append("runs", "9999");
  ledger.commit();
  EXPECT_THAT(ledger.since(1), HasSubstr(R"({"newest":[9999],"total":504})"));
  EXPECT_THAT(ledger.since(2), HasSubstr(R"("newest":[])"));
}

TEST(PageLedger, WhatIsNotCommittedIsToldOnceAndLater) {
  PageLedger ledger;
  ledger.append("runs", "1");
  ledger.commit();
  ledger.append("runs", "2");
  EXPECT_THAT(ledger.since(0), HasSubstr(R"({"newest":[1],"total":1})"));
  ledger.commit();
  EXPECT_THAT(ledger.since(1), HasSubstr(R"({"newest":[2],"total":2})"));
}

}  // namespace
}  // namespace cidbus
