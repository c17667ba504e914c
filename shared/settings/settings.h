// Where a program's settings come from: flag > environment > file (the user's before the machine's) >
// default.
//
// The program's options are the settings (option_table.h); there is no second list. In a file, a program
// reads the table of its own name ([worker] for cidbus-worker, [command] for cidbus) and, for what every
// program takes, [common]; its own table wins. All of both is checked, also what a flag or a variable
// overrides; tables of other programs are left to them.
//
//     Settings settings(app, "worker", {{"exec", take_program}});   // before app.parse()
//     app.parse(...);
//     settings.resolve(real_world(), common)                        // after it
//
// Invariants
//  1. After resolve() every option's variable holds the value that values() tells.
//  2. A required option may be given by file or variable; whether one is missing is asked after all of them.
//
// Thread rule: one owner. Limits: limits/settings.h.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/settings/config_value.h"
#include "shared/settings/option_table.h"

namespace cidbus {

// What settings may come from outside the command line; handed in, so that a test can be the world.
struct SettingsWorld {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::vector<std::string> files;  // read when they are there; the first wins
};
// $XDG_CONFIG_HOME/cidbus/cidbus.toml (~/.config without it), then /etc/cidbus/cidbus.toml.
SettingsWorld real_world();

// Tables [worker.NAME.x] of a program's own, for any x. `take` gets x and the table, whose keys it checks:
// see read_table(). The machine's x is not told when the user's file has one of that name.
struct SubTables {
  std::string name;
  std::function<Status(const std::string& x, const ConfigValue& table)> take;
  bool shared = false;  // they are [NAME.x], for every program that asks for them
};

struct SettingValue {
  std::string name;
  std::string value;   // as typed; empty when it has none
  std::string origin;  // "flag", "environment CIDBUS_NAME", "FILE:LINE", "default", "not set"
};

class Settings {
 public:
  // Adds --config and --show-origin to `app`, which outlives this. The names of `sub_tables` are no options.
  Settings(CLI::App& app, std::string table, std::vector<SubTables> sub_tables = {});
  ~Settings();
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  // The same two flags on a sub-command.
  void add_flags(CLI::App& app);

  // REQUIRES: app.parse() has run. `common` has the options that [common] may hold. BadData for a file's
  // faults, BadUsage for a variable's.
  Status resolve(const SettingsWorld& world, CLI::App& common);
  // BadUsage for a required setting that nobody gave.
  [[nodiscard]] Status check_required() const;
  // Gives the options back as they were before, so that --help tells what is required.
  void restore_required();

  [[nodiscard]] bool show_origin() const { return show_origin_; }
  [[nodiscard]] const std::vector<SettingValue>& values() const { return values_; }  // after resolve()
  // The files that are looked at: the one of --config or CIDBUS_CONFIG, or the world's.
  [[nodiscard]] std::vector<std::string> candidates(const SettingsWorld& world) const;

 private:
  [[nodiscard]] std::string named_file(const SettingsWorld& world) const;
  [[nodiscard]] Result<std::vector<ConfigValue>> read_files(const SettingsWorld& world) const;
  Status check_tables(const ConfigValue& file, CLI::App& common) const;
  Status check_own(const ConfigValue& table) const;
  [[nodiscard]] Status take_sub_tables(const std::vector<ConfigValue>& files) const;
  Status resolve_one(CLI::Option& option, const SettingsWorld& world, const std::vector<ConfigValue>& files);
  [[nodiscard]] bool is_sub_table(const std::string& key) const;

  CLI::App& app_;
  const std::string table_;
  const std::vector<SubTables> sub_tables_;
  std::set<CLI::Option*> required_;
  std::string config_file_;
  bool show_origin_ = false;
  std::vector<SettingValue> values_;
};

// The tables a file may have: "common", one a program, and "role", which is shared by those that take it.
const std::vector<std::string>& known_tables();
// "worker" for "cidbus-worker", "command" for "cidbus".
std::string table_of(const std::string& program);

// A line a setting, aligned: name, value, origin.
std::string origins_as_text(const std::vector<SettingValue>& values);

}  // namespace cidbus
