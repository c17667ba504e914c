#include "shared/settings/explain.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "shared/content/quote.h"
#include "shared/settings/nearest.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return escaped(text);
}

// The sub-command that the line has reached.
const CLI::App& deepest(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return *app;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(command->get_name());
  return words;
}

std::vector<std::string> words_known_at(const CLI::App& app, bool flags) {
  if (!flags) return commands_of(app);
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options({})) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

std::string not_known(const std::string& word, const CLI::App& app) {
  const std::string name = word.substr(0, word.find('='));
  return in_quotes(word) + " is not known here" +
         did_you_mean(name, words_known_at(app, name.starts_with("-")));
}

// "show, wait or list"
std::string listed(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t at = 0; at < words.size(); ++at)
    list += (at == 0 ? "" : at + 1 == words.size() ? " or " : ", ") + words[at];
  return list;
}

// The option that CLI11 names at the beginning of `what`, on the command the line has reached or above it.
const CLI::Option* option_named(const CLI::App& app, std::string_view what) {
  const CLI::Option* found = nullptr;
  std::size_t length = 0;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options({})) {
      const std::string name = option->get_name();
      if (!what.starts_with(name) || name.size() <= length) continue;
      found = option;
      length = name.size();
    }
  }
  return found;
}

std::string purpose(const CLI::Option& option) {
  const std::string text = option.get_description();
  return text.empty() ? "" : ": " + text;
}

std::string explain_missing(const CLI::App& app, const std::string& what) {
  if (what.starts_with("A subcommand")) return "no command was given; give " + listed(commands_of(app));
  const CLI::Option* const option = option_named(app, what);
  if (option == nullptr) return what;
  return option->get_name() + " is missing" + purpose(*option);
}

std::string explain_count(const CLI::App& app, const std::string& what) {
  const CLI::Option* const option = option_named(app, what);
  if (option == nullptr) return what;
  const std::string name = option->get_name();
  if (what.find("At Most 1 ") == std::string::npos) return name + " needs a value" + purpose(*option);
  return name + " is given " + std::to_string(option->count()) + " times; give it once";
}

std::string explain_values(const CLI::App& app, const CLI::ParseError& error) {
  std::string_view what = error.what();
  constexpr std::string_view conversion = "Could not convert: ";
  if (what.starts_with(conversion)) what.remove_prefix(conversion.size());
  const CLI::Option* const option = option_named(app, what);
  if (option == nullptr) return error.what();
  std::string text = option->get_name() + ": ";
  const auto& values = option->results();
  // CLI11 does not say which of several values it means: the last that came is the one it looked at.
  return text + explain_value(*option, values.empty() ? "" : values.back(), error);
}

}  // namespace

std::string explain_value(const CLI::Option& option, const std::string& value, const CLI::ParseError& error) {
  if (is_size(option))  // CLI11 has taken the unit off the value already
    return "this is no size; give bytes, or a number and a unit, such as 500MB or 10GiB";
  const std::string type = type_name(option);
  const bool whole = type == "UINT" || type == "INT" || type == "N";
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    return in_quotes(value) + (is_flag(option) ? " is neither true nor false"
                               : whole         ? " is no whole number it can take"
                                               : " is no number");
  }
  std::string what = error.what();
  if (const std::string name = option.get_name() + ": "; what.starts_with(name)) what.erase(0, name.size());
  constexpr std::string_view beginning = "Value ";
  constexpr std::string_view middle = " not in range ";
  const auto at = what.rfind(middle);
  if (!what.starts_with(beginning) || at == std::string::npos) return one_line(what);
  return in_quotes(what.substr(beginning.size(), at - beginning.size())) + " is no number from " +
         what.substr(at + middle.size());
}

std::string explain(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = deepest(root);
  const bool is_required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const bool may_be_mistyped = is_required || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const auto extras = root.remaining(true);
  if (may_be_mistyped && !extras.empty()) return not_known(extras.front(), app);
  if (is_required) return one_line(explain_missing(app, error.what()));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    return one_line(explain_count(app, error.what()));
  const bool is_value = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr ||
                        dynamic_cast<const CLI::ValidationError*>(&error) != nullptr;
  return is_value ? explain_values(app, error) : one_line(error.what());
}

std::optional<std::string> unknown_command(const CLI::App& root) {
  for (const CLI::App* app = &root;; app = app->get_subcommands().front()) {
    const auto rest = app->remaining(false);
    const auto word =
        std::find_if(rest.begin(), rest.end(), [](const std::string& one) { return !one.starts_with("-"); });
    if (word != rest.end() && !commands_of(*app).empty()) return not_known(*word, *app);
    if (app->get_subcommands().empty()) return std::nullopt;
  }
}

}  // namespace cidbus
