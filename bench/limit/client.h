// The yardstick's client: keeps a window of tasks in flight, encodes each, decodes each answer, and knows how
// long it took.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <cstdint>
#include <string>

#include "client/command/load_result.h"

namespace cidbus::limit {

struct Load {
  std::uint64_t tasks = 0;
  std::size_t window = 1;
  std::size_t payload = 100;
  std::size_t batch = 100;
};

// Until every task was answered, with the payload it was sent with.
LoadResult run_client(const std::string& address, const Load& load);

}  // namespace cidbus::limit
