#include "worker/sandbox/call_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace cidbus {
namespace {

constexpr std::array<int, 9> refused{
    SCMP_SYS(shmget),      SCMP_SYS(msgget),      SCMP_SYS(semget),
    SCMP_SYS(add_key),     SCMP_SYS(request_key), SCMP_SYS(keyctl),
    SCMP_SYS(userfaultfd), SCMP_SYS(bpf),         SCMP_SYS(io_uring_setup),
};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

tl::unexpected<Fault> no_filter(int error) {
  return fault(FaultKind::TryAgain,
               std::string("the sandbox gets no filter of system calls: ") + std::strerror(error));
}

}  // namespace

Result<FileDescriptor> make_call_filter() {
  const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return no_filter(ENOMEM);
  if (seccomp_arch_native() == SCMP_ARCH_X86_64) {
    for (const std::uint32_t kind : {SCMP_ARCH_X86, SCMP_ARCH_X32}) {
      if (const int failed = seccomp_arch_add(filter.get(), kind); failed != 0) return no_filter(-failed);
    }
  }
  for (const int call : refused) {
    const int failed = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), call, 0);
    if (failed != 0) return no_filter(-failed);
  }
  FileDescriptor file(::memfd_create("cidbus-call-filter", MFD_CLOEXEC));
  if (!file.is_open()) return no_filter(errno);
  if (const int failed = seccomp_export_bpf(filter.get(), file.number()); failed != 0)
    return no_filter(-failed);
  if (::lseek(file.number(), 0, SEEK_SET) != 0) return no_filter(errno);
  return file;
}

}  // namespace cidbus
