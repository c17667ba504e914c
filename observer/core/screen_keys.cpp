#include <algorithm>
#include <array>
#include <utility>

#include "observer/core/screen.h"

namespace cidbus {
namespace {

constexpr std::size_t node_columns = 11;
constexpr std::size_t page_rows = 10;
constexpr std::size_t far_down = 1'000'000;  // draw() brings it back to what there is

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> sequences{{{"\x1b[A", "up"},
                                                                                   {"\x1b[B", "down"},
                                                                                   {"\x1bOA", "up"},
                                                                                   {"\x1bOB", "down"},
                                                                                   {"\x1b[5~", "page-up"},
                                                                                   {"\x1b[6~", "page-down"},
                                                                                   {"\x1b[H", "home"},
                                                                                   {"\x1b[1~", "home"},
                                                                                   {"\x1b[F", "end"},
                                                                                   {"\x1b[4~", "end"}}};

void type_filter(ScreenState& state, std::string_view key) {
  if (key == "\r" || key == "\n") {
    state.typing_filter = false;
  } else if (key == "\x1b") {
    state.typing_filter = false;
    state.filter.clear();
  } else if (key == "\x7f" || key == "\b") {
    if (!state.filter.empty()) state.filter.pop_back();
  } else if (key.size() == 1 && key[0] >= ' ' && key[0] < '\x7f' && state.filter.size() < filter_length) {
    state.filter += key;
  }
  state.scroll = 0;
}

void scroll(ScreenState& state, std::string_view key) {
  const auto back = [&](std::size_t rows) { state.scroll -= std::min(state.scroll, rows); };
  if (key == "up" || key == "k") back(1);
  if (key == "down" || key == "j") ++state.scroll;
  if (key == "page-up") back(page_rows);
  if (key == "page-down" || key == " ") state.scroll += page_rows;
  if (key == "home" || key == "g") state.scroll = 0;
  if (key == "end" || key == "G") state.scroll = far_down;
}

void open(ScreenState& state, Page page) {
  state.page = page;
  state.scroll = 0;
}

}  // namespace

void on_key(ScreenState& state, std::string_view key) {
  if (key == "\x03") state.quit = true;  // Ctrl-C, whatever else is going on
  if (state.typing_filter) return type_filter(state, key);
  if (state.help) {
    state.help = false;
    return;
  }
  if (key == "q") state.quit = true;
  if (key == "?" || key == "h") state.help = true;
  if (key == "p") state.paused = !state.paused;
  if (key == "s") state.sort = (state.sort + 1) % node_columns;
  if (key == "r") state.reversed = !state.reversed;
  if (key == "/") state.typing_filter = true;
  if (key == "\x1b") state.filter.clear();
  if (key == "\t") open(state, static_cast<Page>((static_cast<int>(state.page) + 1) % 5));
  if (key.size() == 1 && key[0] >= '1' && key[0] <= '5') open(state, static_cast<Page>(key[0] - '1'));
  scroll(state, key);
}

std::vector<std::string> keys_in(std::string_view bytes) {
  std::vector<std::string> keys;
  while (!bytes.empty()) {
    bool known = false;
    for (const auto& [sequence, name] : sequences) {
      if (!bytes.starts_with(sequence)) continue;
      keys.emplace_back(name);
      bytes.remove_prefix(sequence.size());
      known = true;
      break;
    }
    if (known) continue;
    if (bytes.size() > 1 && bytes[0] == '\x1b' && (bytes[1] == '[' || bytes[1] == 'O')) {
      std::size_t end = 2;
      while (end < bytes.size() && (bytes[end] < '@' || bytes[end] > '~')) ++end;
      bytes.remove_prefix(std::min(end + 1, bytes.size()));
      continue;
    }
    keys.emplace_back(bytes.substr(0, 1));
    bytes.remove_prefix(1);
  }
  return keys;
}

}  // namespace cidbus
