#include "broker/consensus/group_config.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {
namespace {

std::uint64_t hash_of(const std::vector<Member>& members) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&hash](std::string_view text) {
    for (const char character : text) hash = (hash ^ static_cast<std::uint8_t>(character)) * 0x100000001b3ULL;
    hash = (hash ^ 0xffU) * 0x100000001b3ULL;  // ends each text: no valid one holds this byte
  };
  for (const Member& member : members) {
    mix(member.name);
    mix(member.endpoint);
    mix(std::to_string(member.priority));
  }
  return hash;
}

}  // namespace

GroupConfig::GroupConfig(std::vector<Member> members, std::string_view self) : members_(std::move(members)) {
  ENSURE(!members_.empty() && members_.size() <= limits::brokers, "members", members_.size());
  std::sort(members_.begin(), members_.end(),
            [](const Member& left, const Member& right) { return left.name < right.name; });
  for (std::size_t at = 0; at < members_.size(); ++at) {
    const Member& member = members_[at];
    ENSURE(is_valid_name(member.name), "name", member.name);
    ENSURE(at == 0 || members_[at - 1].name != member.name, "twice in the list", member.name);
    ENSURE(member.priority >= 0 && member.priority <= limits::priority_most, "priority", member.priority);
  }
  const auto found = find(self);
  ENSURE(found.has_value(), "not in the list", self);
  self_ = *found;
  hash_ = hash_of(members_);
}

std::optional<Seat> GroupConfig::find(std::string_view name) const {
  for (std::size_t at = 0; at < members_.size(); ++at)
    if (members_[at].name == name) return static_cast<Seat>(at);
  return std::nullopt;
}

std::string tolerance_of(std::size_t members) {
  const std::size_t lost = (members - 1) / 2;
  const std::string of = std::to_string(members) + (members == 1 ? " broker" : " brokers");
  if (lost == 0) return of + ": tolerates the loss of none; three tolerate one";
  if (members % 2 == 0) return of + ": tolerates the loss of one, as three would; five tolerate two";
  return of + ": tolerates the loss of " + (lost == 1 ? "one" : "two");
}

}  // namespace cidbus::group
