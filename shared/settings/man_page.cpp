#include "shared/settings/man_page.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "shared/settings/option_table.h"

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
  std::string names;
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "" : ", ") + ("--" + name);
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "" : ", ") + ("-" + name);
  if (names.empty()) names = option.get_name(true);
  std::string text = ".TP\n\\fB" + plain(names) + "\\fR";
  const std::string type = option.get_type_name();
  if (!is_flag(option) && !type.empty() && !option.get_positional()) text += " \\fI" + plain(type) + "\\fR";
  text += "\n" + plain(option.get_description());
  if (!option.get_default_str().empty()) text += " (" + plain(option.get_default_str()) + ")";
  if (option.get_required()) text += " (required)";
  return text + "\n";
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

std::string page(const CLI::App& app, const std::string& name) {
  std::string text = ".TH " + plain(name) + " 1 \"\" cidbus\n.SH NAME\n" + plain(name) + " \\- " +
                     plain(app.get_description()) + "\n.SH SYNOPSIS\n.B " + plain(name) + "\n[options]";
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

void collect(const CLI::App& app, const std::string& name,
             std::vector<std::pair<std::string, std::string>>& pages) {
  pages.emplace_back(name + ".1", page(app, name));
  for (const CLI::App* command : commands_of(app)) collect(*command, name + "-" + command->get_name(), pages);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> manual_pages(const CLI::App& root) {
  std::vector<std::pair<std::string, std::string>> pages;
  collect(root, root.get_name(), pages);
  return pages;
}

Status write_manual_pages(const CLI::App& root, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& [name, text] : manual_pages(root)) {
    std::ofstream file(folder + "/" + name);
    file << text << std::flush;
    if (!file) return fault(FaultKind::Failed, folder + "/" + name + " cannot be written");
  }
  return {};
}

}  // namespace cidbus
