// What counts: counters, gauges and histograms, cheap enough to stand on the way of every task.
//
// An increment is a load, an addition and a store, without a lock, so one thread at a time may write a value.
// Any thread may read, at any time.
//
// Thread rule: above. Limits: a histogram has 30 buckets.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "shared/base/time.h"

namespace cidbus {

// Only grows. Of a metric in seconds: in nanoseconds.
class Counter {
 public:
  void add(std::uint64_t more = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  // To what somebody else has counted. REQUIRES: it only grows.
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// As it is now, in the base unit.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  template <typename Number>
  void set(Number value) {
    set(static_cast<double>(value));
  }
  void add(double more) { set(value() + more); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// How long something took: a bucket for each doubling from 16 us to over an hour, and one for all beyond.
class Histogram {
 public:
  static constexpr Duration shortest = std::chrono::microseconds(16);  // upper bound of the first bucket
  static constexpr std::size_t bounds = 29;
  static constexpr std::size_t buckets = bounds + 1;
  using Counts = std::array<std::uint64_t, buckets>;

  // Upper bound, inclusive, of a bucket that is not the last.
  static constexpr Duration bound(std::size_t bucket) { return shortest * (std::int64_t{1} << bucket); }
  static constexpr std::size_t bucket_of(Duration took) {
    if (took <= shortest) return 0;
    const auto doublings = std::bit_width(static_cast<std::uint64_t>((took.count() - 1) / shortest.count()));
    return doublings < static_cast<int>(bounds) ? static_cast<std::size_t>(doublings) : bounds;
  }

  void observe(Duration took) {
    counts_[bucket_of(took)].add();
    if (took > Duration::zero()) nanoseconds_.add(static_cast<std::uint64_t>(took.count()));
  }
  [[nodiscard]] Counts counts() const {
    Counts all{};
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) all[bucket] = counts_[bucket].value();
    return all;
  }
  [[nodiscard]] double seconds() const { return static_cast<double>(nanoseconds_.value()) * 1e-9; }

 private:
  std::array<Counter, buckets> counts_;
  Counter nanoseconds_;  // of all
};

}  // namespace cidbus
