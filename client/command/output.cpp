#include "client/command/output.h"

#include <algorithm>

#include "client/command/values.h"

namespace cidbus {
namespace {

constexpr std::size_t held_most = 64 << 10;

// Columns a text takes on a terminal, near enough: colours take none, a character of UTF-8 one.
std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  bool in_escape = false;
  for (const char character : text) {
    if (character == '\x1b') in_escape = true;
    if (!in_escape && (static_cast<unsigned char>(character) & 0xc0) != 0x80) ++columns;
    if (character == 'm') in_escape = false;
  }
  return columns;
}

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
  if (text == "table") return Format::Table;
  if (text == "json") return Format::Json;
  if (text == "ndjson") return Format::Ndjson;
  if (text == "quiet") return Format::Quiet;
  return std::nullopt;
}

void Output::append(std::string_view text) {
  held_ += text;
  if (held_.size() >= held_most && !flush()) held_.clear();
}

void Output::line(std::string_view text) {
  append(text);
  append("\n");
}

void Output::open_list() { first_item_ = true; }

// The bracket comes with the first item, so that a fault before it leaves nothing behind.
void Output::item(std::string_view json) {
  if (format_ == Format::Json) append(first_item_ ? "[" : ",\n");
  first_item_ = false;
  append(json);
  if (format_ != Format::Json) append("\n");
}

void Output::close_list() {
  if (format_ == Format::Json) append(first_item_ ? "[]\n" : "]\n");
}

void Output::table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], width(row[column]));
  }
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t column = 0; column < row.size(); ++column) {
      text += row[column];
      if (column + 1 < row.size()) text.append(widths[column] - width(row[column]) + 2, ' ');
    }
    line(text);
  }
}

std::string Output::coloured(const char* code, std::string_view text) const {
  if (!environment_.colour) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string Output::painted(TaskState state) const {
  switch (state) {
    case TaskState::Completed:
      return coloured("32", to_text(state));
    case TaskState::Failed:
    case TaskState::Timeout:
      return coloured("31", to_text(state));
    case TaskState::Processing:
      return coloured("36", to_text(state));
    default:
      return std::string(to_text(state));
  }
}

std::string Output::heading(std::string_view text) const { return coloured("1", text); }

Status Output::flush() {
  if (!failure_ && !held_.empty()) {
    const Status written = environment_.out.write(as_bytes(held_));
    if (!written) failure_ = written.error();
  }
  held_.clear();
  if (failure_) return tl::unexpected(*failure_);
  return {};
}

void report(Environment& environment, std::string_view message) {
  if (message.empty()) return;
  const std::string line = "cidbus: " + printable(message) + "\n";
  static_cast<void>(environment.err.write(as_bytes(line)));  // there is nobody left to tell
}

}  // namespace cidbus
