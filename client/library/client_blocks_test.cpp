#include "client/library/client_blocks.h"

#include <gtest/gtest.h>

#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr ByteCount cache_bytes = 1 << 20;

// A caller ends a lot also after a fault, and must not wait for the missing broker a second time.
TEST(ClientBlocks, flush_with_nothing_put_does_not_wait_for_a_broker) {
  SocketContext context;
  MemoryStore cache(cache_bytes, WhenFull::Evict);
  ClientBlocksOptions options;
  options.cluster = "cidbus";
  options.brokers = {"127.0.0.1:1"};
  const auto blocks = open_client_blocks(context, std::move(options), cache);
  const Monotonic before = read_clock().monotonic;
  EXPECT_TRUE(blocks->flush());
  EXPECT_LT(read_clock().monotonic - before, std::chrono::seconds(1));
}

}  // namespace
}  // namespace cidbus
