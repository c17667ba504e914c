#include "client/command/descriptor_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cidbus {

bool is_reader_gone(int descriptor) {
  pollfd end{descriptor, 0, 0};
  return poll(&end, 1, 0) == 1 && (end.revents & (POLLERR | POLLHUP)) != 0;
}

Status DescriptorSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {  // somebody made it non-blocking; a shell's other end may be shared
      pollfd writable{descriptor_, POLLOUT, 0};
      poll(&writable, 1, -1);
      continue;
    }
    if (errno == EPIPE) {
      reader_gone_ = true;
      return fault(FaultKind::Failed, "");
    }
    const FaultKind kind = errno == ENOSPC || errno == EDQUOT ? FaultKind::TryAgain : FaultKind::Failed;
    return fault(kind, "cannot write to " + name_ + ": " + std::generic_category().message(errno) +
                           "; the answer is not complete");
  }
  return {};
}

}  // namespace cidbus
