// What a node counts: where each list of it stops. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>

#include "shared/base/time.h"

namespace cidbus::limits {

inline constexpr std::size_t series_a_metric = 100;  // by their labels; beyond, all further ones are "other"
inline constexpr std::size_t samples_a_message = 4096;  // of one node, on the feed
inline constexpr std::size_t metric_buckets = 64;       // of a histogram on the feed; today there are 30
inline constexpr std::size_t label_length = 64;         // bytes of a label's value; longer ones are cut

inline constexpr Duration metrics_every = std::chrono::seconds(1);  // they go out on the feed
// A node that said nothing for so long is no longer shown among all.
inline constexpr Duration metrics_expire = std::chrono::seconds(15);

}  // namespace cidbus::limits
