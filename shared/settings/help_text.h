// How --help and the manual pages read: one line of values an option, in words that a person knows.
//
//     --slots N (1-1000) [2]      a whole number of that range; without it 2
//     --durability disk|memory    one of these words
//     --storage-max SIZE          bytes, as a number or such as 100GB
//     --name NAME (required)
//
// CLI11 would write the first `--slots UINT:UINT in [1 - 1000]=2`. What is shown is read from the option's
// definition: nothing is said twice.
//
// Thread rule: functions of their arguments. Limits: lines to 100 columns, but for single long words.
#pragma once

#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cidbus {

// "--brokers, --master"; a positional's own name.
std::string names_text(const CLI::Option& option);
// "N (1-1000) [2]"; empty for flags, and for positionals of any word.
std::string values_text(const CLI::Option& option);

// Lays out the --help of `app` and of all commands it has by now.
void use_help_layout(CLI::App& app);

}  // namespace cidbus
