#include "shared/io/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/base/limits/keys.h"
#include "shared/io/allow_list.h"

namespace cidbus {
namespace {

using KeyText = std::array<char, limits::key_text + 1>;  // as libzmq gives it, with its end

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

void wipe(std::string& text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

Fault file_fault(const std::string& path, const char* what) {
  const bool refused = errno == EACCES || errno == EPERM || errno == EROFS;
  const bool is_full = errno == ENOSPC || errno == EDQUOT;
  const FaultKind kind = errno == ENOENT ? FaultKind::NotFound
                         : refused       ? FaultKind::NotAllowed
                         : is_full       ? FaultKind::TryAgain
                                         : FaultKind::Failed;
  return {kind, std::string(what) + " " + path + ": " + std::strerror(errno)};
}

// Beside its place first, then moved there: never half a file, never one that others could read.
Status write_whole(const std::string& path, std::string_view content, mode_t mode) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.number() < 0) return tl::unexpected(file_fault(path, "cannot write"));
  const bool written =
      ::write(file.number(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(file.number()) == 0 && ::rename(fresh.c_str(), path.c_str()) == 0;
  if (written) return {};
  const Fault why = file_fault(path, "cannot write");
  ::unlink(fresh.c_str());
  return tl::unexpected(why);
}

// The line that is no comment; nothing when there are none or several.
std::string_view only_line(std::string_view text) {
  std::string_view only;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#'))
      continue;  // no key begins so: its first five would be over 2^32
    if (!only.empty()) return {};
    only = line;
  }
  return only;
}

}  // namespace

KeyPair::KeyPair(KeyPair&& other) noexcept { *this = std::move(other); }
KeyPair& KeyPair::operator=(KeyPair&& other) noexcept {
  std::swap(public_key, other.public_key);
  std::swap(private_key, other.private_key);  // and the other wipes what was here
  return *this;
}
KeyPair::~KeyPair() { wipe(private_key); }

KeyPair make_key_pair() {
  KeyText public_key{};
  KeyText private_key{};
  const int made = zmq_curve_keypair(public_key.data(), private_key.data());
  ENSURE(made == 0, zmq_strerror(errno));  // ENOTSUP: a libzmq without CURVE
  KeyPair pair;
  pair.public_key = public_key.data();
  pair.private_key = private_key.data();
  explicit_bzero(private_key.data(), private_key.size());
  return pair;
}

Result<std::string> read_guarded_file(const std::string& path, std::size_t limit, unsigned others,
                                      const std::string& remedy) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (file.number() < 0 || ::fstat(file.number(), &facts) != 0)
    return tl::unexpected(file_fault(path, "cannot read"));
  if (!S_ISREG(facts.st_mode)) return fault(FaultKind::BadData, path + " is no file");
  if ((facts.st_mode & others) != 0) return fault(FaultKind::NotAllowed, path + remedy);
  std::string content(limit + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t count = ::read(file.number(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(file_fault(path, "cannot read"));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > limit) return fault(FaultKind::BadData, path + " is too long for what it should be");
  content.resize(size);
  return content;
}

Result<KeyPair> read_private_key(const std::string& path) {
  constexpr unsigned group_and_others = 077;
  auto content = read_guarded_file(path, limits::key_file_bytes, group_and_others,
                                   " holds a private key, and others than its owner may use it; run: chmod "
                                   "600 " +
                                       path);
  if (!content) return tl::unexpected(content.error());
  KeyPair pair;
  pair.private_key = only_line(*content);
  wipe(*content);
  KeyText public_key{};
  if (!is_key(pair.private_key) || zmq_curve_public(public_key.data(), pair.private_key.c_str()) != 0) {
    return fault(FaultKind::BadData,
                 path + " holds no private key; give the .key file that cidbus keygen made");
  }
  pair.public_key = public_key.data();
  return pair;
}

Status write_private_key(const std::string& path, const KeyPair& pair, const std::string& name,
                         bool replace) {
  if (!replace && ::access(path.c_str(), F_OK) == 0) {
    return fault(
        FaultKind::BadUsage,
        path + " is there already and stays as it is; choose another --dir, or --force to replace it");
  }
  std::string content = "# The private key of " + name +
                        ": it stays on its machine, readable by its owner alone.\n" + pair.private_key + "\n";
  const Status written = write_whole(path, content, 0600);
  wipe(content);
  return written;
}

std::string allow_line(const KeyHolder& holder) {
  std::string roles = to_text(holder.roles);
  std::erase(roles, ' ');
  return holder.name + ' ' + roles + ' ' + holder.key;
}

Status write_public_key(const std::string& path, const KeyHolder& holder) {
  return write_whole(path, allow_line(holder) + "\n", 0644);
}

}  // namespace cidbus
