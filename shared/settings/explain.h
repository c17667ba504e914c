// What is wrong with a command line or with one value, in our words: what, why and what to do.
//
// CLI11 says such things for programmers ("1 required N missing", "Value 0 not in range 1 to 9"). A text of
// its own that is not known here is passed on as it is, in one line.
//
// Thread rule: functions of their arguments. Limits: none.
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace cidbus {

// Of a line that could not be read: names the option, or the unknown word and the nearest known one.
std::string explain(const CLI::App& root, const CLI::ParseError& error);

// Of `value`, which the option does not take, without the option's name.
std::string explain_value(const CLI::Option& option, const std::string& value, const CLI::ParseError& error);

// A word that stands where only a command may, although the line asks for --help; nothing when all are known.
std::optional<std::string> unknown_command(const CLI::App& root);

}  // namespace cidbus
