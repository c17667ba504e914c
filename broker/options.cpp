#include "broker/options.h"

#include <algorithm>
#include <charconv>

#include "shared/base/limits/group.h"

namespace cidbus {
namespace {

Result<group::Member> parse_member(std::string_view text) {
  const auto bad = [&] {
    return fault(FaultKind::BadUsage,
                 "--group: '" + std::string(text) + "' is no member; give NAME=HOST:PORT/PRIORITY");
  };
  const auto equals = text.find('=');
  const auto slash = text.rfind('/');
  if (equals == std::string_view::npos || slash == std::string_view::npos || slash < equals) return bad();
  group::Member member;
  member.name = text.substr(0, equals);
  member.endpoint = text.substr(equals + 1, slash - equals - 1);
  const std::string_view priority = text.substr(slash + 1);
  const auto [end, error] =
      std::from_chars(priority.data(), priority.data() + priority.size(), member.priority);
  const bool whole = error == std::errc() && end == priority.data() + priority.size() &&
                     member.priority >= 0 && member.priority <= limits::priority_most;
  if (!whole || !is_valid_name(member.name) || !parse_addresses(member.endpoint)) return bad();
  return member;
}

Result<Durability> parse_durability(const std::string& text, std::size_t brokers) {
  if (text.empty()) return brokers == 1 ? Durability::Disk : Durability::Quorum;
  if (text == "memory") return Durability::Memory;
  if (text == "disk" && brokers == 1) return Durability::Disk;
  if (text == "quorum" && brokers > 1) return Durability::Quorum;
  return fault(FaultKind::BadUsage, "--durability '" + text +
                                        "' makes no sense here; a broker alone takes disk or " +
                                        "memory, brokers in a group take quorum or memory");
}

// The group this broker is in; without --group it is alone, at the address it listens on.
Result<std::vector<group::Member>> members_of(const BrokerFlags& flags) {
  if (flags.group.empty()) return std::vector<group::Member>{{flags.node.name, flags.listen, 0}};
  auto members = parse_group(flags.group);
  if (!members) return members;
  if (members->size() > limits::brokers) {
    return fault(FaultKind::BadUsage, "--group: " + std::to_string(members->size()) +
                                          " brokers are named; a group has " +
                                          std::to_string(limits::brokers) + " at the most");
  }
  const bool named = std::any_of(members->begin(), members->end(),
                                 [&](const group::Member& member) { return member.name == flags.node.name; });
  if (named) return members;
  return fault(FaultKind::BadUsage, "--group: '" + flags.node.name + "' (--name) is not in it");
}

}  // namespace

Result<std::vector<group::Member>> parse_group(std::string_view text) {
  std::vector<group::Member> members;
  while (true) {
    const auto comma = text.find(',');
    const auto member = parse_member(text.substr(0, comma));
    if (!member) return tl::unexpected(member.error());
    const bool twice = std::any_of(members.begin(), members.end(), [&](const group::Member& other) {
      return other.name == member->name || other.endpoint == member->endpoint;
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
  auto members = members_of(flags);
  if (!members) return tl::unexpected(members.error());
  const auto durability = parse_durability(flags.durability, members->size());
  if (!durability) return tl::unexpected(durability.error());
  const auto timers = group::timers_of(flags.profile);
  if (!timers)
    return fault(FaultKind::BadUsage, "--profile '" + flags.profile + "' is unknown; give lan, cloud or wan");
  group::GroupConfig config(std::move(*members), flags.node.name);
  config.durability = *durability;
  config.timers = *timers;
  config.preempt = !flags.no_preempt;
  return BrokerServerOptions{flags.node.cluster, std::move(config), flags.listen, flags.data};
}

}  // namespace cidbus
