// write(2) to a pipe whose reader may be gone: that is an answer, EPIPE, and never the death of our process.
//
// What a process does about SIGPIPE belongs to its main(), which need not be ours: a worker may live in
// anybody's program. So the signal is kept from this thread while it writes, and taken back if the write
// raised it. Setting the disposition instead would change it for the program's own pipes.
//
// Thread rule: any; a SIGPIPE is sent to the thread that wrote. Limits: none.
#pragma once

#include "shared/base/bytes.h"
#include "shared/content/posix_file.h"

namespace cidbus {

// As write(2): the bytes taken, or -1 with errno.
ssize_t write_to_pipe(const FileDescriptor& pipe, ByteView bytes);

}  // namespace cidbus
