// The little of POSIX files that importing and exporting need, and files as byte streams.
//
// Thread rule: one owner each. Limits: none.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "shared/base/result.h"
#include "shared/content/byte_stream.h"

namespace cidbus {

// Closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  // False, with errno, when the file system gives up what it took earlier (NFS, quotas).
  bool close();

 private:
  int number_ = -1;  // -1: none
};

// "cannot <action> '<path>': <what errno means>", of the kind the caller can act on: NotFound, NotAllowed,
// TryAgain for a full disk, BadUsage for a path that cannot be, else Failed.
tl::unexpected<Fault> errno_fault(std::string_view action, const std::filesystem::path& path, int error);

// A regular file, read from its start. BadUsage when it is anything else; a symlink is NotFound unless
// followed.
class FileSource final : public ByteSource {
 public:
  enum class Link : std::uint8_t { Follow, Refuse };
  static Result<FileSource> open(const std::filesystem::path& path, Link link = Link::Follow);
  Result<std::size_t> read(std::span<std::uint8_t> buffer) override;

 private:
  FileSource(std::filesystem::path path, FileDescriptor file);
  std::filesystem::path path_;  // for messages
  FileDescriptor file_;
};

// A file being written. Closing is what may fail last: call close().
class FileSink final : public ByteSink {
 public:
  FileSink(std::filesystem::path path, FileDescriptor file);
  Status write(ByteView bytes) override;
  Status close();

 private:
  std::filesystem::path path_;  // for messages
  FileDescriptor file_;
};

}  // namespace cidbus
