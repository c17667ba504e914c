#include "shared/io/keyring.h"

#include <sys/stat.h>

#include <algorithm>

#include "shared/base/limits/keys.h"

namespace cidbus {

Keyring::Stamp Keyring::stamp_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  constexpr std::int64_t nanoseconds = 1'000'000'000;
  return {facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size),
          facts.st_ctim.tv_sec * nanoseconds + facts.st_ctim.tv_nsec};
}

Result<std::shared_ptr<const AllowList>> Keyring::read_list(const std::string& path) {
  constexpr unsigned others_write = 002;
  const auto text =
      read_guarded_file(path, limits::allow_list_bytes, others_write,
                        " says whom to believe, and everybody may write it; run: chmod o-w " + path);
  if (!text) return tl::unexpected(text.error());
  auto list = AllowList::parse(*text, path);
  if (!list) return tl::unexpected(list.error());
  return std::make_shared<const AllowList>(std::move(*list));
}

namespace {

// A file that was named and is not there is bad data, not content that nobody has.
FaultKind kind_of(const Fault& fault) {
  return fault.kind == FaultKind::NotFound ? FaultKind::BadData : fault.kind;
}

}  // namespace

Result<std::shared_ptr<Keyring>> Keyring::open(const std::string& key_file, const std::string& allow_file) {
  auto own = read_private_key(key_file);
  if (!own) return fault(kind_of(own.error()), own.error().message);
  std::shared_ptr<Keyring> ring(new Keyring(std::move(*own), allow_file));
  ring->read_ = ring->seen_ = stamp_of(allow_file);
  auto list = read_list(allow_file);
  if (!list) {
    const bool missing = list.error().kind == FaultKind::NotFound;
    return fault(
        kind_of(list.error()),
        list.error().message +
            (missing ? "; put the .pub lines of all nodes there, or name the file with --allow-file" : ""));
  }
  const KeyHolder* const self = (*list)->find(ring->own_.public_key);
  if (self == nullptr) {
    return fault(FaultKind::NotAllowed, "the key " + key_file + " is not in the allow-list " + allow_file +
                                            "; add the line that stands in its .pub file");
  }
  ring->self_ = *self;
  ring->list_ = std::move(*list);
  return ring;
}

std::shared_ptr<const AllowList> Keyring::list() const {
  const std::lock_guard guard(lock_);
  return list_;
}

std::vector<KeyHolder> Keyring::named(std::string_view name) const {
  std::vector<KeyHolder> found;
  for (const KeyHolder& holder : list()->holders())
    if (holder.name == name) found.push_back(holder);
  return found;
}

std::vector<KeyHolder> Keyring::with(RoleSet roles) const {
  std::vector<KeyHolder> found;
  for (const KeyHolder& holder : list()->holders())
    if (holder.roles.meets(roles)) found.push_back(holder);
  return found;
}

std::optional<Keyring::Reloaded> Keyring::reload() {
  const std::lock_guard one_at_a_time(reload_lock_);
  const Stamp now = stamp_of(allow_file_);
  const bool rests = now == seen_;
  seen_ = now;
  if (!rests || now == read_) return std::nullopt;
  read_ = now;
  auto fresh = read_list(allow_file_);
  if (!fresh) return Reloaded{false, fresh.error().message + "; the allow-list read before stays in force"};
  const std::size_t keys = (*fresh)->holders().size();
  const bool self_is_in_it = (*fresh)->find(own_.public_key) != nullptr;
  {
    const std::lock_guard guard(lock_);
    list_ = std::move(*fresh);
  }
  ++version_;
  return Reloaded{self_is_in_it, "the allow-list " + allow_file_ +
                                     " was read again: " + std::to_string(keys) + " keys" +
                                     (self_is_in_it ? "" : ", this node's own is no longer among them")};
}

}  // namespace cidbus
