#include "worker/sandbox/group_memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace cidbus {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Names in `path` below the folder; empty when it is gone, as processes are at any moment.
std::vector<std::string> names_in(int folder, const std::string& path) {
  const int opened = ::openat(folder, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return {};
  const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(opened));
  if (!listing) return {};
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') names.emplace_back(entry->d_name);
  }
  return names;
}

std::string read_text(int folder, const std::string& path) {
  const FileDescriptor file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return {};
  std::string text(8192, '\0');
  const ssize_t size = ::read(file.number(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

// The sum of the lines "Name:   123 kB" of these names, in bytes.
ByteCount sum_of(std::string_view text, std::initializer_list<std::string_view> names) {
  ByteCount sum = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    for (const std::string_view name : names) {
      if (!line.starts_with(name)) continue;
      const std::size_t digits = std::min(line.find_first_of("0123456789", name.size()), line.size());
      ByteCount kilobytes = 0;
      std::from_chars(line.data() + digits, line.data() + line.size(), kilobytes);
      sum += kilobytes * 1024;
    }
  }
  return sum;
}

// Files in memory that these processes hold open and no folder names, each once.
ByteCount memory_files(int processes, const std::vector<std::string>& ids) {
  std::set<std::pair<dev_t, ino_t>> seen;
  ByteCount sum = 0;
  for (const std::string& id : ids) {
    for (const std::string& descriptor : names_in(processes, id + "/fd")) {
      struct stat status {};
      const std::string path = id + "/fd/" + descriptor;
      if (::fstatat(processes, path.c_str(), &status, 0) != 0) continue;
      if (!S_ISREG(status.st_mode) || status.st_nlink != 0) continue;
      if (seen.emplace(status.st_dev, status.st_ino).second)
        sum += static_cast<ByteCount>(status.st_blocks) * 512;
    }
  }
  return sum;
}

}  // namespace

bool GroupMemory::exceeds(ByteCount limit) const {
  const std::vector<std::string> ids = names_in(processes_.number(), ".");
  ByteCount own = 0;
  ByteCount shared = 0;
  for (const std::string& id : ids) {
    const std::string status = read_text(processes_.number(), id + "/status");
    own += sum_of(status, {"RssAnon:", "VmSwap:"});
    shared += sum_of(status, {"RssShmem:"});
  }
  const ByteCount files = memory_files(processes_.number(), ids);
  if (own + std::max(shared, files) <= limit) return false;
  ByteCount exact = 0;
  ByteCount exact_shared = 0;
  for (const std::string& id : ids) {
    const std::string parts = read_text(processes_.number(), id + "/smaps_rollup");
    exact += sum_of(parts, {"Pss_Anon:", "SwapPss:"});
    exact_shared += sum_of(parts, {"Pss_Shmem:"});
  }
  return exact + std::max(exact_shared, files) > limit;
}

}  // namespace cidbus
