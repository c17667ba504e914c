// Starts bubblewrap with a program behind it that waits at a gate, and gives the descriptors to it.
//
// The gate is a shell of two lines: it says that the walls stand, waits for a line, and becomes the program
// under its limits. bubblewrap's own --block-fd waits before the mounts are made, too early to put inputs in.
//
// Thread rule: any; the child between fork and exec calls only what is safe there. Limits: sandbox.h.
#pragma once

#include <sys/types.h>

#include "shared/content/posix_file.h"
#include "worker/sandbox/sandbox.h"

namespace cidbus {

// The user that a worker that is root becomes for its programs, and the name every program sees of itself.
inline constexpr unsigned nobody = 65534;

struct LaunchedSandbox {
  pid_t bubblewrap = 0;   // our child, to be waited for
  FileDescriptor input;   // written by us
  FileDescriptor output;  // read by us
  FileDescriptor errors;
  FileDescriptor ready;  // readable with a byte when the walls stand; at its end without: they do not
  FileDescriptor gate;   // a line lets the program go
  FileDescriptor about;  // what bubblewrap tells of its child, as JSON
};

Result<LaunchedSandbox> launch_sandbox(const SandboxProgram& program);

// The words of the command line, for tests.
std::vector<std::string> sandbox_command(const SandboxProgram& program);

}  // namespace cidbus
