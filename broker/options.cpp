#include "broker/options.h"

#include <algorithm>
#include <charconv>

namespace cidbus {
namespace {

Result<GroupMember> parse_member(std::string_view text) {
  const auto bad = [&] {
    return fault(FaultKind::BadUsage,
                 "--group: '" + std::string(text) + "' is no member; give NAME=HOST:PORT/PRIORITY");
  };
  const auto equals = text.find('=');
  const auto slash = text.rfind('/');
  if (equals == std::string_view::npos || slash == std::string_view::npos || slash < equals) return bad();
  GroupMember member;
  member.name = text.substr(0, equals);
  member.address = text.substr(equals + 1, slash - equals - 1);
  const std::string_view priority = text.substr(slash + 1);
  const auto [end, error] =
      std::from_chars(priority.data(), priority.data() + priority.size(), member.priority);
  const bool whole = error == std::errc() && end == priority.data() + priority.size();
  if (!whole || !is_valid_name(member.name) || !parse_addresses(member.address)) return bad();
  return member;
}

Result<Durability> parse_durability(const std::string& text) {
  if (text == "disk") return Durability::Disk;
  if (text == "memory") return Durability::Memory;
  return fault(FaultKind::BadUsage,
               "--durability '" + text + "' is unknown; a broker alone takes disk or memory");
}

// The address others reach this broker at.
Result<std::string> own_address(const BrokerFlags& flags) {
  if (flags.group.empty()) return flags.listen;
  const auto group = parse_group(flags.group);
  if (!group) return tl::unexpected(group.error());
  if (group->size() > 1) {
    return fault(FaultKind::BadUsage,
                 "--group: this version runs one broker alone; give one member, or leave it out");
  }
  if (group->front().name != flags.node.name) {
    return fault(FaultKind::BadUsage, "--group: '" + flags.node.name + "' (--name) is not in it");
  }
  return group->front().address;
}

}  // namespace

Result<std::vector<GroupMember>> parse_group(std::string_view text) {
  std::vector<GroupMember> members;
  while (true) {
    const auto comma = text.find(',');
    const auto member = parse_member(text.substr(0, comma));
    if (!member) return tl::unexpected(member.error());
    const bool twice = std::any_of(members.begin(), members.end(), [&](const GroupMember& other) {
      return other.name == member->name || other.address == member->address;
    });
    if (twice)
      return fault(FaultKind::BadUsage, "--group: '" + member->name + "' or its address stands there twice");
    members.push_back(*member);
    if (comma == std::string_view::npos) return members;
    text.remove_prefix(comma + 1);
  }
}

Result<BrokerServerOptions> server_options(const BrokerFlags& flags) {
  const auto identity = identity_of(flags.node, Role::Master);
  if (!identity) return tl::unexpected(identity.error());
  const auto listen = parse_addresses(flags.listen);
  if (!listen || listen->size() != 1) {
    return fault(FaultKind::BadUsage, "--listen '" + flags.listen + "' is no address; give HOST:PORT");
  }
  const auto address = own_address(flags);
  if (!address) return tl::unexpected(address.error());
  const auto durability = parse_durability(flags.durability);
  if (!durability) return tl::unexpected(durability.error());
  return BrokerServerOptions{flags.node.cluster, flags.node.name, flags.listen,
                             *address,           flags.data,      *durability};
}

}  // namespace cidbus
