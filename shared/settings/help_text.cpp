#include "shared/settings/help_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>

#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr std::size_t line_width = 100;
constexpr std::size_t first_column = 32;
constexpr std::string_view range_mark = " in [";

// "1-1000" of CLI::Range's "UINT in [1 - 1000]".
std::string range_of(const std::string& type) {
  const auto open = type.find(range_mark);
  const auto close = type.find(']', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  const auto begin = open + range_mark.size();
  return CLI::detail::find_and_replace(type.substr(begin, close - begin), " - ", "-");
}

std::string kind_of_value(const CLI::Option& option) {
  if (const auto words = words_of(option); !words.empty()) return CLI::detail::join(words, "|");
  if (is_size(option)) return "SIZE";
  std::string kind = type_name(option);
  if (kind == "UINT" || kind == "INT" || kind == "FLOAT") kind = "N";
  const std::string full = option.get_type_name();
  if (full.find(",…") != std::string::npos && !kind.ends_with(",…")) kind += ",…";
  if (const std::string range = range_of(full); !range.empty()) kind += " (" + range + ")";
  return kind;
}

// 268435456 as 256MiB and 10000000000 as 10GB, where that says the same.
std::string readable_size(const std::string& digits) {
  std::uint64_t bytes = 0;
  const char* const end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, bytes).ptr != end || bytes == 0) return digits;
  constexpr std::array<std::pair<std::uint64_t, const char*>, 6> units{{{1ULL << 30, "GiB"},
                                                                        {1'000'000'000, "GB"},
                                                                        {1ULL << 20, "MiB"},
                                                                        {1'000'000, "MB"},
                                                                        {1ULL << 10, "KiB"},
                                                                        {1'000, "kB"}}};
  for (const auto& [size, name] : units) {
    if (bytes % size == 0) return std::to_string(bytes / size) + name;
  }
  return digits;
}

// Words of `text` in lines, all but the first behind `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  for (const std::string& word : CLI::detail::split(text, ' ')) {
    const std::size_t width = word.size() + 1;
    if (column > indent && column + width > line_width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    }
    lines += (column > indent ? " " : "") + word;
    column += width;
  }
  return lines;
}

// On a terminal: bytes of UTF-8 that continue a character take no column.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

std::string entry(const std::string& left, const std::string& right) {
  std::string line = "  " + left;
  if (right.empty()) return line + "\n";
  const std::size_t columns = columns_of(line);
  line += columns + 2 > first_column ? "\n" + std::string(first_column, ' ')
                                     : std::string(first_column - columns, ' ');
  return line + wrapped(right, first_column) + "\n";
}

class HelpLayout : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name,
                                      CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    while (text.find("\n\n\n") != std::string::npos)
      text = CLI::detail::find_and_replace(std::move(text), "\n\n\n", "\n\n");
    return text;
  }
  [[nodiscard]] std::string make_option(const CLI::Option* option, bool /*positional*/) const override {
    const std::string values = values_text(*option);
    return entry(names_text(*option) + (values.empty() ? "" : " " + values), option->get_description());
  }
  [[nodiscard]] std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }
};

void use(const std::shared_ptr<HelpLayout>& layout, CLI::App& app) {
  app.formatter(layout);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) use(layout, *command);
}

}  // namespace

std::string names_text(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names;
}

std::string values_text(const CLI::Option& option) {
  if (is_flag(option)) return {};
  std::string text = kind_of_value(option);
  if (option.get_items_expected_max() > 1 && text.find("…") == std::string::npos) text += "…";
  if (const std::string fallback = option.get_default_str(); !fallback.empty())
    text += " [" + (is_size(option) ? readable_size(fallback) : fallback) + "]";
  if (option.get_required() && !option.get_positional()) text += " (required)";
  return text;
}

void use_help_layout(CLI::App& app) { use(std::make_shared<HelpLayout>(), app); }

}  // namespace cidbus
