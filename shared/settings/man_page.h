// Manual pages made from a program's options and commands: the text of --help, as man(7) wants it.
//
// Thread rule: functions of their arguments, and of the disk. Limits: none.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace cidbus {

// (file name, roff text) of the program and of each of its commands: cidbus.1, cidbus-task-show.1,
// cidbus-broker-journal-verify.1, ...
std::vector<std::pair<std::string, std::string>> manual_pages(const CLI::App& root);

// Gives `app` the hidden --describe-man FOLDER, with which the build writes those pages: it makes the folder,
// and ends with CLI::Success. `before` runs first.
void add_manual_flag(
    CLI::App& app, std::function<void()> before = [] {});

}  // namespace cidbus
