#include "shared/settings/option_table.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>

#include "shared/content/quote.h"
#include "shared/settings/explain.h"
#include "shared/settings/nearest.h"

namespace cidbus {
namespace {

using Kind = ConfigValue::Kind;

constexpr std::array text_types{
    "TEXT", "NAME", "HOST:PORT", "NAME=HOST:PORT/PRIORITY", "FILE", "FOLDER", "PATH", "WORD", "D", "URL"};
constexpr std::string_view list_ending = ",…";

bool takes_list(const CLI::Option& option) {
  return option.get_items_expected_max() > 1 || option.get_type_name().find(list_ending) != std::string::npos;
}

bool is_text(const std::string& type) {
  return std::find(text_types.begin(), text_types.end(), type) != text_types.end();
}

// The kinds of value that a file may give, the most natural first.
std::vector<Kind> kinds_of(const CLI::Option& option) {
  if (is_flag(option)) return {Kind::Boolean};
  const std::string type = type_name(option);
  std::vector<Kind> kinds{Kind::Integer, Kind::Number, Kind::Text};
  if (is_size(option)) {
    kinds = {Kind::Integer, Kind::Text};
  } else if (type == "UINT" || type == "INT") {
    kinds = {Kind::Integer};
  } else if (type == "FLOAT") {
    kinds = {Kind::Number, Kind::Integer};
  } else if (is_text(type)) {
    kinds = {Kind::Text};
  }
  if (takes_list(option)) kinds.push_back(Kind::List);
  return kinds;
}

bool among(const std::vector<Kind>& kinds, Kind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

Fault wrong_kind(const CLI::Option& option, const std::vector<Kind>& kinds, const ConfigValue& value) {
  std::string wanted;
  for (const Kind kind : kinds) wanted += (wanted.empty() ? "" : " or ") + std::string(to_text(kind));
  return {FaultKind::BadData, to_text(value.place) + ": " + setting_name(option) + " takes " + wanted +
                                  ", not " + std::string(to_text(value.kind))};
}

// Why the option refuses `texts`; empty when it has taken them.
std::string refusal(CLI::Option& option, const std::vector<std::string>& texts) {
  option.clear();
  try {
    for (const std::string& text : texts) option.add_result(text);
    option.run_callback();
    return {};
  } catch (const CLI::ParseError& error) {
    return explain_value(option, texts.empty() ? "" : texts.front(), error);
  }
}

std::vector<std::string> names_of(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : settings_of(app))
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  return names;
}

}  // namespace

std::vector<CLI::Option*> settings_of(CLI::App& app) {
  return app.get_options(
      [](CLI::Option* option) { return !option->get_lnames().empty() && option->get_configurable(); });
}

CLI::Option* find_setting(CLI::App& app, std::string_view name) {
  for (CLI::Option* option : settings_of(app)) {
    const auto& names = option->get_lnames();
    if (std::find(names.begin(), names.end(), name) != names.end()) return option;
  }
  return nullptr;
}

std::string setting_name(const CLI::Option& option) { return option.get_lnames().front(); }

std::string variable_of(std::string_view setting_name) {
  std::string variable = "CIDBUS_";
  for (const char character : setting_name)
    variable +=
        character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  return variable;
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

bool is_size(const CLI::Option& option) {
  return option.get_type_name().find(":SIZE [") != std::string::npos;
}

std::string type_name(const CLI::Option& option) {
  const std::string full = option.get_type_name();
  for (const std::string known : text_types) {
    const std::string_view rest = std::string_view(full).substr(std::min(known.size(), full.size()));
    if (full.starts_with(known) && (rest.empty() || rest.starts_with(":") || rest.starts_with(list_ending)))
      return known;
  }
  return full.substr(0, full.find(':'));
}

std::vector<std::string> words_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

void allow_only(CLI::Option& option, std::vector<std::string> words) {
  const std::string description = "{" + CLI::detail::join(words, ",") + "}";
  const auto check = [words = std::move(words)](const std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return {};
    std::string list;
    for (std::size_t at = 0; at < words.size(); ++at)
      list += (at == 0 ? "" : at + 1 == words.size() ? " or " : ", ") + words[at];
    return in_quotes(text) + " is not known; give " + list + did_you_mean(text, words);
  };
  option.check(check, description);
}

Status set_from_file(CLI::Option& option, const ConfigValue& value) {
  const std::vector<Kind> kinds = kinds_of(option);
  if (!among(kinds, value.kind)) return tl::unexpected(wrong_kind(option, kinds, value));
  std::vector<std::string> texts{value.text};
  if (value.kind == Kind::List) {
    texts.clear();
    for (const ConfigValue& item : value.items) {
      if (!among(kinds, item.kind) || item.kind == Kind::List)
        return tl::unexpected(wrong_kind(option, kinds, item));
      texts.push_back(item.text);
    }
    if (option.get_items_expected_max() == 1) texts = {CLI::detail::join(texts, ",")};
  }
  const std::string why = refusal(option, texts);
  if (why.empty()) return {};
  return fault(FaultKind::BadData, to_text(value.place) + ": " + setting_name(option) + ": " + why);
}

Status set_from_text(CLI::Option& option, const std::string& text, const std::string& where) {
  const bool several = option.get_items_expected_max() > 1;
  const std::string why = refusal(option, several ? CLI::detail::split(text, ',') : std::vector{text});
  if (why.empty()) return {};
  return fault(FaultKind::BadUsage, where + ": " + why);
}

Fault unknown_key(CLI::App& app, const std::string& table, const std::string& key, const ConfigPlace& place) {
  return {FaultKind::BadData, to_text(place) + ": " + in_quotes(key) + " is no setting of [" +
                                  escaped(table) + "]" + did_you_mean(key, names_of(app))};
}

Status read_table(CLI::App& app, const ConfigValue& table) {
  for (const auto& [key, value] : table.entries) {
    CLI::Option* const option = find_setting(app, key);
    if (option == nullptr) return tl::unexpected(unknown_key(app, app.get_name(), key, value.place));
    if (Status set = set_from_file(*option, value); !set) return set;
  }
  for (const CLI::Option* option : settings_of(app)) {
    if (!option->get_required() || option->count() > 0) continue;
    return fault(FaultKind::BadData,
                 to_text(table.place) + ": [" + escaped(app.get_name()) + "] needs " + setting_name(*option));
  }
  return {};
}

}  // namespace cidbus
