#include "shared/content/filesystem_export.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "shared/content/directory_builder.h"
#include "shared/content/file_reader.h"
#include "shared/content/posix_file.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

namespace fs = std::filesystem;

// All is made in a folder that was empty, so what exists there already has come from this DAG.
tl::unexpected<Fault> creation_fault(const fs::path& shown, int error) {
  if (error != EEXIST) return errno_fault("create", shown, error);
  return fault(FaultKind::BadData, "cannot create " + in_quotes(shown.native()) +
                                       ": the folder has two entries that are one name here");
}

// Passes bytes on to the file and tells how many.
class CountedSink final : public ByteSink {
 public:
  CountedSink(FileSink& file, std::function<Status(ByteCount)> written)
      : file_(file), written_(std::move(written)) {}
  Status write(ByteView bytes) override {
    if (auto done = file_.write(bytes); !done) return done;
    return written_(bytes.size());
  }

 private:
  FileSink& file_;
  std::function<Status(ByteCount)> written_;
};

class PathExport {
 public:
  PathExport(Reader& reader, ByteCount total, const ExportProgress& progress)
      : source_(reader.source()), total_(total), progress_(progress) {}

  // Makes `name` within the folder; `shown` is its path in messages.
  Status write(const Cid& cid, int folder, const std::string& name, const fs::path& shown,
               std::size_t depth) {
    const auto node = load_node(source_, cid);
    if (!node) return tl::unexpected(node.error());
    switch (node->kind) {
      case NodeKind::File:
        return write_file(*node, folder, name, shown);
      case NodeKind::Directory:
        return write_folder(*node, folder, name, shown, depth);
      case NodeKind::Symlink:
        break;
    }
    const std::string target(as_text(node->data));
    if (::symlinkat(target.c_str(), folder, name.c_str()) == 0) return {};
    return creation_fault(shown, errno);
  }

 private:
  Status write_file(const UnixFsNode& node, int folder, const std::string& name, const fs::path& shown) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    FileDescriptor descriptor(::openat(folder, name.c_str(), flags, 0666));
    if (!descriptor.is_open()) return creation_fault(shown, errno);
    FileSink file(shown, std::move(descriptor));
    CountedSink counted(file, [this](ByteCount count) {
      done_ += count;
      return progress_ ? progress_(done_, std::max(done_, total_)) : Status();
    });
    if (auto read = read_file_range(source_, node, 0, node.size, counted); !read) return read;
    return file.close();
  }

  Status write_folder(const UnixFsNode& node, int parent, const std::string& name, const fs::path& shown,
                      std::size_t depth) {
    if (depth == limits::dag_depth) {
      return fault(FaultKind::BadData, "cannot create " + in_quotes(shown.native()) +
                                           ": folders deeper than " + std::to_string(limits::dag_depth) +
                                           " levels");
    }
    if (::mkdirat(parent, name.c_str(), 0777) != 0) return creation_fault(shown, errno);
    const FileDescriptor folder(
        ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open()) return errno_fault("open", shown, errno);
    return list_directory(source_, node, [&](const ListedEntry& entry) -> Result<Visit> {
      if (auto checked = check_entry_name(entry.name); !checked) {
        return fault(FaultKind::BadData,
                     "will not write below " + in_quotes(shown.native()) + ": " + checked.error().message);
      }
      const std::string below(entry.name);
      auto written = write(entry.cid, folder.number(), below, shown / below, depth + 1);
      if (!written) return tl::unexpected(written.error());
      return Visit::Continue;
    });
  }

  BlockSource& source_;
  ByteCount done_ = 0;
  ByteCount total_;
  const ExportProgress& progress_;
};

// A folder of its own beside the destination; taken away, with what is left in it, at the end.
class Staging {
 public:
  static Result<Staging> beside(const fs::path& destination) {
    const fs::path parent = destination.has_parent_path() ? destination.parent_path() : fs::path(".");
    std::string name = (parent / ".cidbus-get-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) return errno_fault("write into", parent, errno);
    Staging staging{fs::path(name)};
    staging.folder_ = FileDescriptor(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!staging.folder_.is_open()) return errno_fault("open", name, errno);
    return staging;
  }
  Staging(Staging&& other) noexcept
      : path_(std::exchange(other.path_, fs::path())), folder_(std::move(other.folder_)) {}
  Staging& operator=(Staging&&) = delete;
  ~Staging() {
    std::error_code ignored;  // what cannot be removed stays, hidden, for a person to see
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  [[nodiscard]] int folder() const { return folder_.number(); }

  // False, with errno, when the destination exists or cannot be made.
  bool move_to(const std::string& name, const fs::path& destination) const {
    const fs::path from = path_ / name;
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, destination.c_str(), RENAME_NOREPLACE) == 0)
      return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    // A file system without RENAME_NOREPLACE: what appears between the two calls may be replaced if it is a
    // file.
    struct stat status {};
    if (::lstat(destination.c_str(), &status) == 0) {
      errno = EEXIST;
      return false;
    }
    return ::rename(from.c_str(), destination.c_str()) == 0;
  }

 private:
  explicit Staging(fs::path path) : path_(std::move(path)) {}
  fs::path path_;  // empty once moved from
  FileDescriptor folder_;
};

}  // namespace

Status export_path(Reader& reader, const Cid& cid, const fs::path& destination,
                   const ExportProgress& progress) {
  const fs::path target = destination.has_filename() ? destination : destination.parent_path();
  struct stat status {};
  if (::lstat(target.c_str(), &status) == 0) {
    return fault(FaultKind::BadUsage,
                 "cannot create " + in_quotes(target.native()) + ": it exists already; name another path");
  }
  const auto root = reader.stat(cid);
  if (!root) return tl::unexpected(root.error());
  const auto staging = Staging::beside(target);
  if (!staging) return tl::unexpected(staging.error());
  const std::string name = "content";
  const ByteCount total = root->kind == NodeKind::File ? root->size : root->cumulative_size;
  PathExport path_export(reader, total, progress);
  if (auto written = path_export.write(cid, staging->folder(), name, target, 0); !written) return written;
  return staging->move_to(name, target) ? Status() : Status(errno_fault("create", target, errno));
}

}  // namespace cidbus
