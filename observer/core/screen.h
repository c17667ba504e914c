// The terminal view: what is on the screen for a board, and what keys do. Plain values in, lines out; the
// terminal itself is observer/terminal.h.
//
// Every line is made of pieces with a style; how a style looks is one of 16 colours, or nothing. Text that
// came from outside is escaped, so that it cannot move the cursor.
//
// Invariants
//  1. draw() gives exactly `height` lines, none wider than `width`, for any size of at least 20 x 5.
//  2. What does not fit is cut at the right and scrolled; the head, the table's heading and the keys stay.
//
// Thread rule: pure. Limits: filter_length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observer/core/board.h"

namespace cidbus {

enum class Style : std::uint8_t { Plain, Heading, Good, Warning, Bad, Faint, Chosen };
struct Piece {
  std::string text;
  Style style = Style::Plain;
};
using Line = std::vector<Piece>;

std::string plain_text(const Line& line);
// With SGR sequences for the 16 colours; without colours bold, faint and reverse alone.
std::string styled_text(const Line& line, bool colours);

inline constexpr std::size_t filter_length = 40;

enum class Page : std::uint8_t { Overview, Nodes, Tasks, Elections, Alerts };
struct ScreenState {
  Page page = Page::Overview;
  std::size_t sort = 0;  // a column of the nodes' table
  bool reversed = false;
  std::string filter;  // rows that contain it
  bool typing_filter = false;
  bool paused = false;
  bool help = false;
  std::size_t scroll = 0;  // rows of the table above the screen
  bool quit = false;
};
// A byte, or the name of a key: "up", "down", "page-up", "page-down", "home", "end".
void on_key(ScreenState& state, std::string_view key);
// Splits what a terminal sent into keys for on_key(); sequences that are not known are left out.
std::vector<std::string> keys_in(std::string_view bytes);

// Corrects `state.scroll` to what there is.
std::vector<Line> draw(const Board& board, ScreenState& state, std::size_t width, std::size_t height);

}  // namespace cidbus
