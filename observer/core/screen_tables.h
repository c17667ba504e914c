// The middle of each page of the terminal view: headings that stay, and rows that scroll.
//
// Thread rule: pure. Limits: none of its own.
#pragma once

#include "observer/core/screen.h"

namespace cidbus {

struct ScreenTable {
  std::vector<Line> heading;
  std::vector<Line> rows;
};
ScreenTable table_of(const Board& board, const ScreenState& state);

}  // namespace cidbus
