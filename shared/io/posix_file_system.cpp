#include "shared/io/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr mode_t file_mode = 0644;
constexpr mode_t directory_mode = 0755;
constexpr std::size_t parts_a_call = 64;  // well under IOV_MAX

// REQUIRES: called at once after the system call that failed.
tl::unexpected<Fault> system_fault(const std::string& what, const std::string& path) {
  const int error = errno;
  const std::string message = what + " " + path + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return fault(FaultKind::TryAgain, message + "; free some room on that disk");
    case ENOENT:
    case ENOTDIR:
      return fault(FaultKind::NotFound, message);
    case EACCES:
    case EPERM:
    case EROFS:
      return fault(FaultKind::NotAllowed,
                   message + "; give this user the right to it, or name another folder");
    default:
      return fault(FaultKind::Failed, message);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path, Histogram* sync_time)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), sync_time_(sync_time) {}

  Status write(ByteCount offset, std::span<const ByteView> parts) override {
    if (broken_) return tl::unexpected(*broken_);
    while (!parts.empty()) {
      const auto group = parts.first(std::min(parts.size(), parts_a_call));
      if (Status status = write_group(offset, group); !status) return status;
      for (const ByteView& part : group) offset += part.size();
      parts = parts.subspan(group.size());
    }
    return {};
  }

  Result<std::size_t> read(ByteCount offset, std::span<std::uint8_t> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t count = ::pread(descriptor_.number(), into.data() + done, into.size() - done,
                                    static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_fault("cannot read", path_ + " at " + std::to_string(offset + done));
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Status sync() override {
    if (broken_) return tl::unexpected(*broken_);
    const Monotonic began = sync_time_ == nullptr ? Monotonic{} : read_clock().monotonic;
    while (::fdatasync(descriptor_.number()) != 0)
      if (errno != EINTR) return broken("cannot sync");
    if (sync_time_ != nullptr) sync_time_->observe(read_clock().monotonic - began);
    return {};
  }

  Status preallocate(ByteCount bytes) override {
    if (broken_) return tl::unexpected(*broken_);
    // posix_fallocate writes the zeros itself where the file system cannot take room ahead.
    int error = EINTR;
    while (error == EINTR) error = ::posix_fallocate(descriptor_.number(), 0, static_cast<off_t>(bytes));
    errno = error;
    if (error != 0) return system_fault("cannot take room for", path_);
    return {};
  }

  Status resize(ByteCount bytes) override {
    if (broken_) return tl::unexpected(*broken_);
    if (::ftruncate(descriptor_.number(), static_cast<off_t>(bytes)) != 0)
      return system_fault("cannot resize", path_);
    return {};
  }

  Result<ByteCount> size() override {
    struct stat info {};
    if (::fstat(descriptor_.number(), &info) != 0) return system_fault("cannot ask the size of", path_);
    return static_cast<ByteCount>(info.st_size);
  }

  void forget_cache() override { ::posix_fadvise(descriptor_.number(), 0, 0, POSIX_FADV_DONTNEED); }

 private:
  Status write_group(ByteCount offset, std::span<const ByteView> parts) {
    std::array<iovec, parts_a_call> vectors{};
    for (std::size_t i = 0; i < parts.size(); ++i)
      vectors[i] = {const_cast<std::uint8_t*>(parts[i].data()), parts[i].size()};
    iovec* next = vectors.data();
    iovec* const end = next + parts.size();
    while (next != end) {
      if (next->iov_len == 0) {
        ++next;
        continue;
      }
      const ssize_t count =
          ::pwritev(descriptor_.number(), next, static_cast<int>(end - next), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == ENOSPC || errno == EDQUOT)) return system_fault("cannot write", path_);
      if (count < 0) return broken("cannot write");
      offset += static_cast<ByteCount>(count);
      skip_written(next, static_cast<std::size_t>(count));
    }
    return {};
  }

  static void skip_written(iovec*& next, std::size_t count) {
    while (count != 0) {
      const std::size_t part = std::min(count, next->iov_len);
      next->iov_base = static_cast<char*>(next->iov_base) + part;
      next->iov_len -= part;
      count -= part;
      if (next->iov_len == 0) ++next;
    }
  }

  Status broken(const std::string& what) {
    auto found = system_fault(what, path_);
    found.value().kind = FaultKind::Failed;
    broken_ = found.value();
    return found;
  }

  Descriptor descriptor_;
  std::string path_;
  Histogram* const sync_time_;   // or nobody measures
  std::optional<Fault> broken_;  // a write or sync failed: what is on disk is unknown from then on
};

class PosixLock final : public DirectoryLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

// The process number that the holder of the lock has written, or "".
std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size() - 1, 0);
  std::string digits;
  for (ssize_t i = 0; i < count && text[static_cast<std::size_t>(i)] >= '0'; ++i)
    digits += text[static_cast<std::size_t>(i)];
  return digits.empty() ? "" : " (process " + digits + ")";
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!descriptor.valid()) return system_fault("cannot open", path);
  return std::make_unique<PosixFile>(std::move(descriptor), path, sync_time_);
}

Result<std::unique_ptr<File>> PosixFileSystem::create(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode));
  if (!descriptor.valid()) return system_fault("cannot create", path);
  return std::make_unique<PosixFile>(std::move(descriptor), path, sync_time_);
}

Status PosixFileSystem::create_directory(const std::string& path) {
  if (::mkdir(path.c_str(), directory_mode) != 0) {
    struct stat info {};
    if (errno == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    if (errno != ENOENT) return system_fault("cannot create folder", path);
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos || slash == 0) {
      errno = ENOENT;
      return system_fault("cannot create folder", path);
    }
    if (Status status = create_directory(path.substr(0, slash)); !status) return status;
    if (::mkdir(path.c_str(), directory_mode) != 0 && errno != EEXIST)
      return system_fault("cannot create folder", path);
  }
  const auto slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  return sync_directory(parent);
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_fault("cannot rename " + from + " to", to);
  return {};
}

Status PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return system_fault("cannot remove", path);
  return {};
}

Status PosixFileSystem::sync_directory(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) return system_fault("cannot open folder", path);
  while (::fsync(descriptor.number()) != 0) {
    if (errno == EINTR) continue;
    auto found = system_fault("cannot sync folder", path);
    found.value().kind = FaultKind::Failed;
    return found;
  }
  return {};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  if (!folder) return system_fault("cannot list folder", path);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr && errno != 0) return system_fault("cannot list folder", path);
    if (entry == nullptr) break;
    struct stat info {};
    const std::string name = entry->d_name;
    if (::stat((path + "/" + name).c_str(), &info) == 0 && S_ISREG(info.st_mode)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<DiskSpace> PosixFileSystem::space(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return system_fault("cannot ask the room of", path);
  return DiskSpace{info.f_blocks * info.f_frsize, info.f_bavail * info.f_frsize};
}

Result<std::unique_ptr<DirectoryLock>> PosixFileSystem::lock(const std::string& path) {
  const std::string name = path + "/lock";
  Descriptor descriptor(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode));
  if (!descriptor.valid()) return system_fault("cannot open", name);
  if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_fault("cannot lock", name);
    return fault(FaultKind::TryAgain, "folder " + path + " is in use by another process" +
                                          holder(descriptor.number()) + "; stop it or name another folder");
  }
  const std::string process = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor.number(), 0) != 0 ||
      ::pwrite(descriptor.number(), process.data(), process.size(), 0) < 0) {
    if (errno != ENOSPC && errno != EDQUOT) return system_fault("cannot write", name);
  }
  return std::make_unique<PosixLock>(std::move(descriptor));
}

}  // namespace cidbus
