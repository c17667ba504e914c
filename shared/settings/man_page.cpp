#include "shared/settings/man_page.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "shared/settings/help_text.h"

namespace cidbus {
namespace {

// What roff would take for a command or an escape is made plain text.
std::string plain(const std::string& text) {
  std::string out;
  for (const char character : text) {
    const bool begins_line = out.empty() || out.back() == '\n';
    if (begins_line && (character == '.' || character == '\'')) out += "\\&";
    if (character == '\\')
      out += "\\e";
    else if (character == '-')
      out += "\\-";
    else
      out += character;
  }
  return out;
}

std::string option_entry(const CLI::Option& option) {
  std::string text = ".TP\n\\fB" + plain(names_text(option)) + "\\fR";
  const std::string values = values_text(option);
  if (!values.empty()) text += " \\fI" + plain(values) + "\\fR";
  return text + "\n" + plain(option.get_description()) + "\n";
}

std::string options_section(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options({})) {
    if (!option->get_group().empty()) text += option_entry(*option);
  }
  return text.empty() ? "" : ".SH OPTIONS\n" + text;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// `words`: as it is typed.
std::string page(const CLI::App& app, const std::string& name, const std::string& words) {
  std::string text = ".TH " + plain(name) + " 1 \"\" cidbus\n.SH NAME\n" + plain(name) + " \\- " +
                     plain(app.get_description()) + "\n.SH SYNOPSIS\n.B " + plain(words) + "\n[options]";
  for (const CLI::Option* option : app.get_options({})) {
    if (option->get_positional()) text += " " + plain(option->get_name(true));
  }
  text += commands_of(app).empty() ? "\n" : " command\n";
  text += options_section(app);
  if (!commands_of(app).empty()) text += ".SH COMMANDS\n";
  for (const CLI::App* command : commands_of(app))
    text += ".TP\n\\fB" + plain(command->get_name()) + "\\fR\n" + plain(command->get_description()) + "\n";
  if (!app.get_footer().empty()) text += ".SH NOTES\n.nf\n" + plain(app.get_footer()) + "\n.fi\n";
  return text;
}

void collect(const CLI::App& app, const std::string& name, const std::string& words,
             std::vector<std::pair<std::string, std::string>>& pages) {
  pages.emplace_back(name + ".1", page(app, name, words));
  for (const CLI::App* command : commands_of(app))
    collect(*command, name + "-" + command->get_name(), words + " " + command->get_name(), pages);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> manual_pages(const CLI::App& root) {
  std::vector<std::pair<std::string, std::string>> pages;
  collect(root, CLI::detail::find_and_replace(root.get_name(), " ", "-"), root.get_name(), pages);
  return pages;
}

void add_manual_flag(CLI::App& app, std::function<void()> before) {
  const auto write_pages = [&app, before = std::move(before)](const std::string& folder) {
    before();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    for (const auto& [name, text] : manual_pages(app)) {
      std::ofstream file(folder + "/" + name);
      file << text << std::flush;
      if (!file) throw CLI::FileError(folder + "/" + name + " cannot be written");
    }
    throw CLI::Success();
  };
  app.add_option_function<std::string>("--describe-man", write_pages)->group("")->configurable(false);
}

}  // namespace cidbus
