// The options of a CLI11 program as settings: the one definition of an option gives its flag (--storage-max),
// its variable (CIDBUS_STORAGE_MAX), its key in a configuration file (storage-max), its type, its bounds and
// its help.
//
// A setting is an option with a long name that is configurable(), as CLI11 calls it; positionals and what
// belongs to a command line only (--help, --config) are not. The type a file must use follows from the
// option:
//   a flag takes true or false; UINT, INT and FLOAT take numbers; a size (CLI::AsSizeValue) takes a whole
//   number or text such as "100GB"; TEXT and the words of text_types in option_table.cpp take text; where the
//   type's name ends in ",…" a list of texts will do too. Under any other type name CLI11's conversion alone
//   decides.
//
// Faults: BadData for what a file says, beginning with FILE:LINE; BadUsage for what was typed.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/settings/config_value.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cidbus {

// Under this group of options stands what every program takes, and what may stand in the table [common].
inline constexpr const char* common_options = "Common options";

[[nodiscard]] std::vector<CLI::Option*> settings_of(CLI::App& app);
[[nodiscard]] CLI::Option* find_setting(CLI::App& app, std::string_view name);  // null: there is none
[[nodiscard]] std::string setting_name(const CLI::Option& option);              // storage-max
[[nodiscard]] std::string variable_of(std::string_view setting_name);           // CIDBUS_STORAGE_MAX
[[nodiscard]] bool is_flag(const CLI::Option& option);
[[nodiscard]] bool is_size(const CLI::Option& option);
// The option's type as it was named, without what its checks add to it.
[[nodiscard]] std::string type_name(const CLI::Option& option);
// The words that allow_only() gave it; empty when it takes others.
[[nodiscard]] std::vector<std::string> words_of(const CLI::Option& option);

// Replaces what the option has, and runs its checks; its variable holds the value afterwards.
Status set_from_file(CLI::Option& option, const ConfigValue& value);
Status set_from_text(CLI::Option& option, const std::string& text, const std::string& where);

// The option takes these words only. They are shown by --help and completed by shells.
void allow_only(CLI::Option& option, std::vector<std::string> words);

// Fills the settings of `app` from a table such as [worker.exec.NAME]: every key must be one, and what is
// required() must be there.
Status read_table(CLI::App& app, const ConfigValue& table);

// What a key that is none is told: where, what, and the nearest that is one.
Fault unknown_key(CLI::App& app, const std::string& table, const std::string& key, const ConfigPlace& place);

}  // namespace cidbus
