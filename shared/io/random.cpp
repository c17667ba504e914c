#include "shared/io/random.h"

#include <sys/random.h>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

template <typename Value>
Value random_value() {
  Value value{};
  const auto got = getrandom(&value, sizeof(value), 0);
  ENSURE(got == static_cast<ssize_t>(sizeof(value)), "got", got);
  return value;
}

}  // namespace

std::uint64_t random_seed() { return random_value<std::uint64_t>(); }
Incarnation random_incarnation() { return {random_value<std::uint64_t>()}; }
SessionId random_session() { return random_value<SessionId>(); }

}  // namespace cidbus
