// Shell completion made from a program's options and commands: commands, flags, words of options, files.
//
// Thread rule: functions of their arguments. Limits: none.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cidbus {

// A script to be sourced by that shell.
std::string bash_completion(const CLI::App& root);
std::string zsh_completion(const CLI::App& root);
std::string fish_completion(const CLI::App& root);

}  // namespace cidbus
