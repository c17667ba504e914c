// A measured value on its way: to Prometheus, or over the feed.
//
// `metric` is a number of shared/metrics' table; one that a program does not know is a newer one's.
//
// Thread rule: values; views as in message.h. Limits: limits/metrics.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cidbus {

struct MetricSample {
  std::uint16_t metric = 0;
  std::array<std::string_view, 2> labels = {};  // values, in the order of the table's names
  double value = 0;                         // in the base unit; of a histogram: the sum of all it has seen
  std::vector<std::uint64_t> buckets = {};  // of a histogram: up to the last that is not empty
};

}  // namespace cidbus
