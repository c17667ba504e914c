// What a command may touch of the world around it; handed in, so that a test can be the world.
//
// Thread rule: the command's thread. Limits: none.
#pragma once

#include <cstdint>
#include <string>

#include "client/library/client_blocks.h"
#include "shared/content/byte_stream.h"
#include "shared/settings/settings.h"

namespace cidbus {

class Interrupt;

struct Environment {
  ByteSink& out;  // standard output
  ByteSink& err;  // standard error
  int input = 0;  // descriptor of standard input
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;             // standard output may be coloured: a terminal, and NO_COLOR is not set
  std::uint32_t columns = 80;      // of the terminal
  Interrupt* interrupt = nullptr;  // null: nobody can interrupt
  BlockAccess* blocks = nullptr;   // null: the cluster's
  SettingsWorld settings{[](const std::string&) { return std::nullopt; }, {}};
  std::string programs{};  // folder of the programs that were installed with this one; empty: not known
};

}  // namespace cidbus
