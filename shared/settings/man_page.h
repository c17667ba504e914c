// Manual pages made from a program's options and commands: the text of --help, as man(7) wants it.
//
// Thread rule: functions of their arguments, and of the disk. Limits: none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.h"

namespace CLI {
class App;
}

namespace cidbus {

// (file name, roff text) of the program and of each of its commands: cidbus.1, cidbus-task-show.1, ...
std::vector<std::pair<std::string, std::string>> manual_pages(const CLI::App& root);

// The same as files; the folder is made. Failed, naming the file.
Status write_manual_pages(const CLI::App& root, const std::string& folder);

}  // namespace cidbus
