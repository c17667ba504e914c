// Standard output for a command beside the role: tables, JSON or names, as --output has them.
//
// Thread rule: the main thread. Limits: those of Output.
#pragma once

#include <unistd.h>

#include "client/command/descriptor_sink.h"
#include "client/command/output.h"

namespace cidbus {

struct Console {
  explicit Console(Format format) : output(environment, format) {}

  DescriptorSink out{STDOUT_FILENO, "standard output"};
  DescriptorSink err{STDERR_FILENO, "standard error"};
  Environment environment{out, err};
  Output output;
};

}  // namespace cidbus
