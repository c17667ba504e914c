#include "shared/io/broker_book.h"

#include <gtest/gtest.h>

#include "shared/base/limits/links.h"

namespace cidbus {
namespace {

const ClusterId cluster{7};

TEST(BrokerBook, NotesEachAddressOnceAndEachClusterApart) {
  BrokerBook book;
  EXPECT_EQ(book.version(), 0U);
  book.learn(cluster, {{"b1", "h:1"}, {"b2", "h:2"}});
  book.learn(cluster, {{"b2", "h:2"}, {"b3", "h:3"}});
  book.learn({8}, {{"x", "h:9"}});
  EXPECT_EQ(book.version(), 4U);
  ASSERT_EQ(book.of(cluster).size(), 3U);
  EXPECT_EQ(book.of(cluster)[2].name, "b3");
  EXPECT_EQ(book.of({8}).size(), 1U);
}

TEST(BrokerBook, ABrokerThatDoesNotTellItsAddressIsNotNoted) {
  BrokerBook book;
  book.learn(cluster, {{"b1", ""}});
  EXPECT_TRUE(book.of(cluster).empty());
}

TEST(BrokerBook, NotesNoMoreThanItsLimit) {
  BrokerBook book;
  for (std::size_t number = 0; number < limits::brokers_known + 3; ++number) {
    const std::string endpoint = "h:" + std::to_string(number + 1);
    book.learn(cluster, {{"b", endpoint}});
  }
  EXPECT_EQ(book.of(cluster).size(), limits::brokers_known);
  EXPECT_EQ(book.of(cluster).front().endpoint, "h:1");
}

}  // namespace
}  // namespace cidbus
