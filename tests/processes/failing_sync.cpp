// A disk whose syncs fail, for a process that is started with this in LD_PRELOAD: as long as the file exists
// that CIDBUS_SYNC_FAILS names, every sync ends with EIO.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

int sync_or_fail(long call, int descriptor) {
  const char* const file = std::getenv("CIDBUS_SYNC_FAILS");
  if (file == nullptr || access(file, F_OK) != 0) return static_cast<int>(syscall(call, descriptor));
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" int fsync(int descriptor) { return sync_or_fail(SYS_fsync, descriptor); }
extern "C" int fdatasync(int descriptor) { return sync_or_fail(SYS_fdatasync, descriptor); }
