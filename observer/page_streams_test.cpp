#include "observer/page_streams.h"

#include <gmock/gmock.h>

#include <deque>

#include "shared/base/limits/web_page.h"

namespace cidbus {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Where a connection takes its pieces.
struct Connection final : HttpMailbox {
  void deliver(std::uint64_t, HttpResponse) override { ADD_FAILURE() << "a response in the middle of one"; }
  void deliver(std::uint64_t, Result<HttpPiece> piece) override {
    ASSERT_TRUE(piece);
    pieces.emplace_back(as_text(piece->bytes));
  }
  void abandon(std::uint64_t) override { ++abandoned; }

  std::vector<std::string> pieces;
  int abandoned = 0;
};

class PageStreamsTest : public ::testing::Test {
 protected:
  struct Browser {
    HttpResponse response;
    std::shared_ptr<Connection> connection = std::make_shared<Connection>();
  };
  Browser open() {
    Browser browser{streams_.open()};
    EXPECT_TRUE(browser.response.endless);
    return browser;
  }
  // It has taken the last piece, and wants the next.
  void reads(Browser& browser) {
    browser.response.rest->next(HttpPieceReply(browser.connection, 1));
    reactor_.run_once(std::chrono::seconds(0));
  }
  void happens(const std::string& json) {
    ledger_.append("runs", json);
    ledger_.commit();
    streams_.tell();
  }

  Reactor reactor_;
  PageLedger ledger_;
  PageStreams streams_{reactor_, ledger_};
};

TEST_F(PageStreamsTest, TellsEverythingAtOnceAndThenWhatIsNew) {
  happens("1");
  Browser browser = open();
  EXPECT_EQ(as_text(browser.response.first.bytes), "retry: 1000\n\n");
  reads(browser);
  ASSERT_EQ(browser.connection->pieces.size(), 1U);
  EXPECT_THAT(browser.connection->pieces[0], HasSubstr(R"("whole":true)"));
  reads(browser);
  EXPECT_EQ(browser.connection->pieces.size(), 1U) << "nothing is new yet";
  happens("2");
  ASSERT_EQ(browser.connection->pieces.size(), 2U);
  EXPECT_EQ(browser.connection->pieces[1],
            "data: {\"version\":2,\"whole\":false,\"tables\":{},\"logs\":"
            "{\"runs\":{\"newest\":[2],\"total\":2}}}\n\n");
}

TEST_F(PageStreamsTest, ASlowBrowserIsToldMoreAtOnceAndHoldsUpNobody) {
  happens("1");
  Browser slow = open();
  Browser quick = open();
  reads(slow);
  reads(quick);
  for (const char* json : {"2", "3", "4"}) {
    reads(quick);
    happens(json);
  }
  EXPECT_EQ(quick.connection->pieces.size(), 4U);
  EXPECT_EQ(slow.connection->pieces.size(), 1U) << "one piece on its way, whatever happens";
  reads(slow);
  ASSERT_EQ(slow.connection->pieces.size(), 2U);
  EXPECT_THAT(slow.connection->pieces[1], HasSubstr(R"("newest":[2,3,4])"));
}

TEST_F(PageStreamsTest, OneMoreThanTheBoundIsToldToComeLater) {
  happens("1");
  std::deque<Browser> browsers;
  while (browsers.size() < limits::page_browsers) browsers.push_back(open());
  EXPECT_EQ(streams_.count(), limits::page_browsers);
  const HttpResponse refused = streams_.open();
  EXPECT_EQ(refused.status, 503U);
  EXPECT_FALSE(refused.endless);
  browsers.pop_back();
  EXPECT_EQ(streams_.open().status, 200U);
  for (Browser& browser : browsers) reads(browser);
  for (const Browser& browser : browsers) EXPECT_EQ(browser.connection->pieces.size(), 1U);
}

TEST_F(PageStreamsTest, ClosingEndsThoseThatWaitAndThoseThatCome) {
  happens("1");
  Browser waiting = open();
  reads(waiting);
  reads(waiting);
  Browser late = open();
  streams_.close();
  late.response.rest->next(HttpPieceReply(late.connection, 1));
  EXPECT_THAT(waiting.connection->pieces.back(), IsEmpty());
  EXPECT_THAT(late.connection->pieces, ::testing::ElementsAre(""));
  EXPECT_EQ(waiting.connection->abandoned + late.connection->abandoned, 0);
}

}  // namespace
}  // namespace cidbus
