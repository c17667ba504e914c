#include "shared/content/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "shared/content/quote.h"

namespace cidbus {

namespace {

FaultKind kind_of(int error) {
  switch (error) {
    case ENOENT:
    case ELOOP:
      return FaultKind::NotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return FaultKind::NotAllowed;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return FaultKind::TryAgain;
    case EEXIST:
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
      return FaultKind::BadUsage;
    default:
      return FaultKind::Failed;
  }
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() { close(); }

bool FileDescriptor::close() {
  const int number = std::exchange(number_, -1);
  return number < 0 || ::close(number) == 0;
}

tl::unexpected<Fault> errno_fault(std::string_view action, const std::filesystem::path& path, int error) {
  return fault(kind_of(error), "cannot " + std::string(action) + ' ' + in_quotes(path.native()) + ": " +
                                   std::generic_category().message(error));
}

FileSource::FileSource(std::filesystem::path path, FileDescriptor file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<FileSource> FileSource::open(const std::filesystem::path& path, Link link) {
  // Without O_NONBLOCK a pipe that took the file's place since it was looked at would hold us for ever.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (link == Link::Refuse ? O_NOFOLLOW : 0);
  FileDescriptor file(::open(path.c_str(), flags));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0) return errno_fault("read", path, errno);
  if (!S_ISREG(status.st_mode)) {
    return fault(FaultKind::BadUsage,
                 "cannot read " + in_quotes(path.native()) + ": it is not a regular file");
  }
  ::posix_fadvise(file.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return FileSource(path, std::move(file));
}

Result<std::size_t> FileSource::read(std::span<std::uint8_t> buffer) {
  for (;;) {
    const ssize_t count = ::read(file_.number(), buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return errno_fault("read", path_, errno);
  }
}

FileSink::FileSink(std::filesystem::path path, FileDescriptor file)
    : path_(std::move(path)), file_(std::move(file)) {}

Status FileSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_fault("write", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status FileSink::close() { return file_.close() ? Status() : Status(errno_fault("write", path_, errno)); }

}  // namespace cidbus
