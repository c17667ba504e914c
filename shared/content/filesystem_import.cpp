#include "shared/content/filesystem_import.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "shared/content/posix_file.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

namespace fs = std::filesystem;

// What can be imported; anything else has a name for the message.
struct PathKind {
  NodeKind kind;
  ByteCount size;  // of a file
};

const char* special_kind(mode_t mode) {
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a pipe";
  return "a device";
}

Result<PathKind> kind_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return errno_fault("read", path, errno);
  const mode_t mode = status.st_mode;
  if (S_ISREG(mode)) return PathKind{NodeKind::File, static_cast<ByteCount>(status.st_size)};
  if (S_ISDIR(mode)) return PathKind{NodeKind::Directory, 0};
  if (S_ISLNK(mode)) return PathKind{NodeKind::Symlink, 0};
  return fault(FaultKind::BadUsage, "cannot add " + in_quotes(path.native()) + ": it is " +
                                        special_kind(mode) +
                                        ", not a file, folder or symlink; take it out of the way");
}

Result<std::string> link_target(const fs::path& path) {
  std::array<char, limits::path_bytes + 1> buffer{};
  const ssize_t size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  if (size < 0) return errno_fault("read", path, errno);
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

tl::unexpected<Fault> too_deep(const fs::path& path) {
  return fault(FaultKind::BadUsage, "cannot add " + in_quotes(path.native()) + ": it lies deeper than " +
                                        std::to_string(limits::dag_depth) + " levels; add a part of it");
}

class PathImport {
 public:
  PathImport(Importer& importer, const PathImportOptions& options, const ImportProgress& progress)
      : importer_(importer), options_(options), progress_(progress) {}

  Result<ImportedNode> run(const fs::path& path) {
    if (progress_) {
      if (auto measured = measure(path, 0); !measured) return tl::unexpected(measured.error());
    }
    return add(path, 0);
  }

 private:
  Status measure(const fs::path& path, std::size_t depth) {
    const auto kind = kind_of(path);
    if (!kind) return tl::unexpected(kind.error());
    total_ += kind->size;
    if (kind->kind != NodeKind::Directory || !options_.recursive) return {};
    const auto names = list(path, depth);
    if (!names) return tl::unexpected(names.error());
    for (const std::string& name : *names) {
      if (auto measured = measure(path / name, depth + 1); !measured) return measured;
    }
    return {};
  }

  Result<ImportedNode> add(const fs::path& path, std::size_t depth) {
    const auto kind = kind_of(path);
    if (!kind) return tl::unexpected(kind.error());
    auto node = kind->kind == NodeKind::Directory ? add_folder(path, depth)
                : kind->kind == NodeKind::Symlink ? add_symlink(path)
                                                  : add_file(path);
    if (node && node->height > limits::dag_depth) return too_deep(path);
    return node;
  }

  Result<ImportedNode> add_file(const fs::path& path) {
    auto file = FileSource::open(path, FileSource::Link::Refuse);
    if (!file) return tl::unexpected(file.error());
    return importer_.add_file(*file, [this](ByteCount count) {
      done_ += count;
      return progress_ ? progress_(done_, std::max(done_, total_)) : Status();
    });
  }

  Result<ImportedNode> add_symlink(const fs::path& path) {
    const auto target = link_target(path);
    if (!target) return tl::unexpected(target.error());
    return importer_.add_symlink(*target);
  }

  Result<ImportedNode> add_folder(const fs::path& path, std::size_t depth) {
    if (!options_.recursive) {
      return fault(FaultKind::BadUsage,
                   "cannot add " + in_quotes(path.native()) + ": it is a folder; use --recursive");
    }
    const auto names = list(path, depth);
    if (!names) return tl::unexpected(names.error());
    std::vector<DirectoryEntry> entries;
    entries.reserve(names->size());
    for (const std::string& name : *names) {
      auto node = add(path / name, depth + 1);
      if (!node) return node;
      entries.push_back({name, node->cid, node->tsize, node->height});
    }
    return importer_.add_directory(std::move(entries));
  }

  // Sorted, so that blocks come out in one order; closed before anything below is opened.
  Result<std::vector<std::string>> list(const fs::path& path, std::size_t depth) const {
    if (depth == limits::dag_depth) return too_deep(path);
    struct Close {
      void operator()(DIR* folder) const { ::closedir(folder); }
    };
    const std::unique_ptr<DIR, Close> folder(::opendir(path.c_str()));
    if (!folder) return errno_fault("read", path, errno);
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(folder.get());
      if (entry == nullptr && errno != 0) return errno_fault("read", path, errno);
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || (name[0] == '.' && !options_.include_hidden)) continue;
      if (names.size() == limits::directory_entries) {
        return fault(FaultKind::BadUsage, "cannot add " + in_quotes(path.native()) +
                                              ": a folder of more than " +
                                              std::to_string(limits::directory_entries) + " entries");
      }
      names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Importer& importer_;
  const PathImportOptions& options_;
  const ImportProgress& progress_;
  ByteCount done_ = 0;
  ByteCount total_ = 0;
};

}  // namespace

Result<ImportedNode> add_path(Importer& importer, const fs::path& path, const PathImportOptions& options,
                              const ImportProgress& progress) {
  fs::path start = path;
  if (options.follow_path_link) {
    std::error_code error;
    start = fs::canonical(path, error);
    if (error) return errno_fault("read", path, error.value());
  }
  return PathImport(importer, options, progress).run(start);
}

}  // namespace cidbus
