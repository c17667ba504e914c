#include "shared/settings/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "shared/content/quote.h"
#include "shared/settings/config_file.h"
#include "shared/settings/nearest.h"

namespace cidbus {
namespace {

constexpr const char* machine_file = "/etc/cidbus/cidbus.toml";
constexpr const char* config_variable = "CIDBUS_CONFIG";

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// What was typed for a setting, the last along the sub-commands that were reached.
std::optional<std::vector<std::string>> typed(const CLI::App& root, const CLI::Option& setting) {
  std::optional<std::vector<std::string>> found;
  for (const CLI::App* app = &root;;) {
    for (const CLI::Option* option : app->get_options({})) {
      if (option->count() > 0 && option->get_lnames() == setting.get_lnames()) found = option->results();
    }
    if (app->get_subcommands().empty()) return found;
    app = app->get_subcommands().front();
  }
}

Fault bad_table(const ConfigValue& value, const std::string& key) {
  const std::vector<std::string>& tables = known_tables();
  if (std::find(tables.begin(), tables.end(), key) != tables.end()) {
    return {FaultKind::BadData, to_text(value.place) + ": " + in_quotes(key) + " is a table; write [" + key +
                                    "], once, and its settings below"};
  }
  if (value.kind != ConfigValue::Kind::Table) {
    return {FaultKind::BadData,
            to_text(value.place) + ": " + in_quotes(key) +
                " stands in no table; put it under [common] or a program's, such as [worker]"};
  }
  std::string names;
  for (const std::string& table : tables) names += (names.empty() ? "" : ", ") + table;
  return {FaultKind::BadData, to_text(value.place) + ": no program has a table [" + escaped(key) +
                                  "]; there are " + names + did_you_mean(key, tables)};
}

}  // namespace

SettingsWorld real_world() {
  SettingsWorld world{variable_of_process, {}};
  const auto xdg = variable_of_process("XDG_CONFIG_HOME");
  const auto home = variable_of_process("HOME");
  if (xdg && xdg->starts_with("/"))  // relative ones are to be ignored (XDG Base Directory Specification)
    world.files.push_back(*xdg + "/cidbus/cidbus.toml");
  else if (home && home->starts_with("/"))
    world.files.push_back(*home + "/.config/cidbus/cidbus.toml");
  world.files.emplace_back(machine_file);
  return world;
}

const std::vector<std::string>& known_tables() {
  static const std::vector<std::string> tables{"common",   "broker", "worker",  "leecher", "gateway",
                                               "observer", "node",   "command", "role"};
  return tables;
}

std::string table_of(const std::string& program) {
  const auto dash = program.find('-');
  return dash == std::string::npos ? "command" : program.substr(dash + 1);
}

Settings::Settings(CLI::App& app, std::string table, std::vector<SubTables> sub_tables)
    : app_(app), table_(std::move(table)), sub_tables_(std::move(sub_tables)) {
  for (CLI::Option* option : settings_of(app_)) {
    if (!option->get_required()) continue;
    required_.insert(option);
    option->required(false);
  }
  add_flags(app_);
}

Settings::~Settings() { restore_required(); }

void Settings::restore_required() {
  for (CLI::Option* option : required_) option->required(true);
}

void Settings::add_flags(CLI::App& app) {
  app.add_option("--config", config_file_,
                 std::string("Settings from this file alone (") + config_variable +
                     "; ~/.config/cidbus/cidbus.toml, /etc/cidbus/cidbus.toml)")
      ->type_name("FILE")
      ->group(common_options)
      ->configurable(false);
  app.add_flag("--show-origin", show_origin_,
               "Print every setting, its value and where it comes from, and end")
      ->group(common_options)
      ->configurable(false);
}

bool Settings::is_sub_table(const std::string& key) const {
  return std::any_of(sub_tables_.begin(), sub_tables_.end(),
                     [&](const SubTables& sub) { return sub.name == key && !sub.shared; });
}

std::string Settings::named_file(const SettingsWorld& world) const {
  return config_file_.empty() ? world.variable(config_variable).value_or("") : config_file_;
}

std::vector<std::string> Settings::candidates(const SettingsWorld& world) const {
  const std::string named = named_file(world);
  return named.empty() ? world.files : std::vector{named};
}

Result<std::vector<ConfigValue>> Settings::read_files(const SettingsWorld& world) const {
  std::vector<ConfigValue> files;
  if (const std::string named = named_file(world); !named.empty()) {
    auto file = read_config_file(named);
    if (!file) return tl::unexpected(file.error());
    files.push_back(*std::move(file));
    return files;
  }
  for (const std::string& path : world.files) {
    auto file = read_config_file_if_there(path);
    if (!file) return tl::unexpected(file.error());
    if (*file) files.push_back(**std::move(file));
  }
  return files;
}

Status Settings::check_tables(const ConfigValue& file, CLI::App& common) const {
  for (const auto& [key, value] : file.entries) {
    const bool known = std::find(known_tables().begin(), known_tables().end(), key) != known_tables().end();
    if (!known || value.kind != ConfigValue::Kind::Table) return tl::unexpected(bad_table(value, key));
    if (key == table_) {
      if (Status checked = check_own(value); !checked) return checked;
    }
    if (key != "common") continue;
    for (const auto& [name, setting] : value.entries) {
      CLI::Option* const option = find_setting(common, name);
      if (option == nullptr || option->get_group() != common_options) {
        Fault why = unknown_key(common, key, name, setting.place);
        if (find_setting(app_, name) != nullptr) why.message += "; it stands under [" + table_ + "]";
        return tl::unexpected(std::move(why));
      }
      if (Status checked = set_from_file(*option, setting); !checked) return checked;
    }
  }
  return {};
}

Status Settings::check_own(const ConfigValue& table) const {
  std::set<const CLI::Option*> given;
  for (const auto& [key, value] : table.entries) {
    if (is_sub_table(key)) continue;
    const CLI::Option* const option = find_setting(app_, key);
    if (option == nullptr) return tl::unexpected(unknown_key(app_, table_, key, value.place));
    if (!given.insert(option).second) {
      return fault(FaultKind::BadData,
                   to_text(value.place) + ": " + key + " is another name of a setting given above; keep one");
    }
  }
  return {};
}

Status Settings::take_sub_tables(const std::vector<ConfigValue>& files) const {
  for (const SubTables& sub : sub_tables_) {
    std::set<std::string> taken;
    for (const ConfigValue& file : files) {
      const ConfigValue* const own = sub.shared ? &file : file.find(table_);
      const ConfigValue* const tables = own == nullptr ? nullptr : own->find(sub.name);
      if (tables == nullptr) continue;
      const std::string path = sub.shared ? sub.name : table_ + "." + sub.name;
      if (tables->kind != ConfigValue::Kind::Table)
        return fault(FaultKind::BadData,
                     to_text(tables->place) + ": " + path + " is made of tables [" + path + ".NAME]");
      for (const auto& [name, table] : tables->entries) {
        if (table.kind != ConfigValue::Kind::Table) {
          return fault(FaultKind::BadData, to_text(table.place) + ": " + in_quotes(name) +
                                               " must be a table, [" + path + "." + escaped(name) + "]");
        }
        if (!taken.insert(name).second) continue;
        if (Status took = sub.take(name, table); !took) return took;
      }
    }
  }
  return {};
}

// From the weakest source to the strongest, each checked; the last one stays.
Status Settings::resolve_one(CLI::Option& option, const SettingsWorld& world,
                             const std::vector<ConfigValue>& files) {
  SettingValue told{setting_name(option), option.get_default_str(), "default"};
  const auto from_line = typed(app_, option);
  const bool is_common = option.get_group() == common_options;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    for (const char* const name : {"common", table_.c_str()}) {
      const ConfigValue* const table =
          name == std::string("common") && !is_common ? nullptr : file->find(name);
      if (table == nullptr) continue;
      for (const auto& [key, value] : table->entries) {
        if (find_setting(app_, key) != &option) continue;
        if (Status set = set_from_file(option, value); !set) return set;
        told.value = CLI::detail::join(option.results(), ",");
        told.origin = to_text(value.place);
      }
    }
  }
  for (const std::string& name : option.get_lnames()) {
    const std::string variable = variable_of(name);
    const auto value = world.variable(variable);
    if (from_line || !value || value->empty()) continue;
    if (Status set = set_from_text(option, *value, variable); !set) return set;
    told.value = *value;
    told.origin = "environment " + variable;
    break;
  }
  if (from_line) {
    option.clear();
    for (const std::string& text : *from_line) option.add_result(text);
    option.run_callback();
    told.value = CLI::detail::join(*from_line, ",");
    told.origin = "flag";
  }
  if (told.origin == "default" && told.value.empty()) {
    if (is_flag(option))
      told.value = "false";
    else
      told.origin = "not set";
  }
  values_.push_back(std::move(told));
  return {};
}

Status Settings::resolve(const SettingsWorld& world, CLI::App& common) {
  values_.clear();
  const auto files = read_files(world);
  if (!files) return tl::unexpected(files.error());
  for (const ConfigValue& file : *files) {
    if (Status checked = check_tables(file, common); !checked) return checked;
  }
  for (CLI::Option* option : settings_of(app_)) {
    if (Status resolved = resolve_one(*option, world, *files); !resolved) return resolved;
  }
  return take_sub_tables(*files);
}

Status Settings::check_required() const {
  for (const CLI::Option* option : required_) {
    if (option->count() > 0) continue;
    const std::string name = setting_name(*option);
    const auto& tables = known_tables();
    if (std::find(tables.begin(), tables.end(), table_) == tables.end())
      return fault(FaultKind::BadUsage, "--" + name + " is missing; give it, or set " + variable_of(name));
    return fault(FaultKind::BadUsage, "--" + name + " is missing; give it, set " + variable_of(name) +
                                          ", or write " + name + " under [" + table_ +
                                          "] in a configuration file");
  }
  return {};
}

std::string origins_as_text(const std::vector<SettingValue>& values) {
  std::size_t name_width = 0, value_width = 0;
  for (const SettingValue& setting : values) {
    name_width = std::max(name_width, setting.name.size());
    value_width = std::max(value_width, escaped(setting.value).size());
  }
  std::string text;
  for (const SettingValue& setting : values) {
    const std::string value = escaped(setting.value);
    text += setting.name + std::string(name_width - setting.name.size() + 2, ' ');
    text += value + std::string(value_width - value.size() + 2, ' ') + setting.origin + "\n";
  }
  return text;
}

}  // namespace cidbus
