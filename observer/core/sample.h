// What the observer measures or is told: a number of a node at a time. Everything that history, health and
// alerts stand on comes as these.
//
// Thread rule: values; views live as long as what they were taken from. Limits: names as limits/words.h.
#pragma once

#include <string_view>

#include "shared/base/time.h"

namespace cidbus {

struct Sample {
  std::string_view node;  // empty: of the cluster as a whole
  std::string_view series;
  WallTime time;  // by the observer's clock, so that all series share one
  double value = 0;
};

}  // namespace cidbus
