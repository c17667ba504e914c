// The system calls a program in a sandbox may not make, as a filter that bubblewrap installs (seccomp).
//
// Not a wall of its own: it closes what the others' limits do not count. Segments, queues and semaphores of
// System V and keys of the kernel are memory that belongs to no process, so nobody's limit holds for it; a
// ring of io_uring locks memory and does its work past this filter. To the program they look as in a kernel
// that was built without them (ENOSYS), which programs know how to do without.
//
// Thread rule: any. Limits: none.
#pragma once

#include "shared/base/result.h"
#include "shared/content/posix_file.h"

namespace cidbus {

// A descriptor, at its start, with the filter as `bwrap --seccomp` reads it: for this machine's own kind of
// program, and on x86-64 for 32-bit ones too. Programs of any other kind are killed by the kernel.
Result<FileDescriptor> make_call_filter();

}  // namespace cidbus
