// For tests: waits for what becomes true, and fails when it does not.
//
// Thread rule: the test's thread. Limits: a minute.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace cidbus::testing_library {

template <typename Condition>
void wait_until(const Condition& condition, const char* what) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited a minute in vain until " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace cidbus::testing_library
