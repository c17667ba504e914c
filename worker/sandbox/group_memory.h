// How much memory the processes of one sandbox hold together.
//
// It is read from the sandbox's own /proc, which lists its processes and no other. What processes of one fork
// share is counted once, by asking more closely when the quick sum is over the limit.
//
// Memory files (memfd) that nobody maps are looked for in open descriptors; memory that no process holds at
// all cannot be made in there (call_filter.h). The kernel kills the sandbox first when the machine itself
// runs out (oom_score_adj).
//
// Thread rule: one owner. Limits: sandbox.h.
#pragma once

#include "shared/base/bytes.h"
#include "shared/content/posix_file.h"

namespace cidbus {

class GroupMemory {
 public:
  // `processes`: an open descriptor of the sandbox's /proc.
  explicit GroupMemory(FileDescriptor processes) : processes_(std::move(processes)) {}

  [[nodiscard]] bool exceeds(ByteCount limit) const;

 private:
  FileDescriptor processes_;
};

}  // namespace cidbus
