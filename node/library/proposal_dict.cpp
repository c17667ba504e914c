#include "node/library/proposal_dict.h"

#include <charconv>
#include <cmath>

#include "cidbus/cluster/role_manager.h"
#include "shared/content/quote.h"
#include "shared/node/config_keys.h"

namespace cidbus::v1 {
namespace {

Fault refused(std::string why) { return {FaultKind::BadUsage, std::move(why)}; }

// A number is in seconds where the key is a time, and in the key's own unit elsewhere.
std::string value_text_of(const ConfigKeyInfo& key, const Value& value) {
  if (value.whole() == nullptr && value.decimal() == nullptr) return value.shown();
  const bool is_time = key.unit == ConfigUnit::Time;
  return config_value_text(key, std::llround(value.number() * (is_time ? 1000 : 1)));
}

Result<Change> config_change(const Value& data) {
  const std::string name = data["key"].shown();
  const auto key = find_config_key(name);
  if (!key) {
    std::string known;
    for (const ConfigKeyInfo& info : config_keys())
      known += (known.empty() ? "" : ", ") + std::string(info.name);
    return refused("there is no key " + in_quotes(name) + "; there are " + known);
  }
  const std::string text = value_text_of(info_of(*key), data["value"]);
  if (!parse_config_value(info_of(*key), text))
    return refused(in_quotes(text) + " is no value of " + name + ", which goes " +
                   bounds_text(info_of(*key)));
  return Change{ProposalKind::ConfigChange, name, text};
}

Result<Change> membership_change(const Value& data) {
  const std::string action = data["action"].shown();
  if (action != "forbid" && action != "allow")
    return refused("a membership_change takes 'node_id', and 'action': forbid or allow, not " +
                   in_quotes(action));
  return Change{ProposalKind::MembershipChange, data["node_id"].shown(), action};
}

Result<Change> role_change(const Value& data) {
  const auto role = node_role_from_string(data["role"].shown());
  if (!role) return refused("a role_change takes 'node_id' and 'role': " + role.error().message);
  return Change{ProposalKind::RoleChange, data["node_id"].shown(), std::string(to_text(*role))};
}

}  // namespace

Result<Change> change_of(const std::string& type, const Dict& data) {
  const Value given(data);
  if (type == cidbus::to_text(ProposalKind::ConfigChange)) return config_change(given);
  if (type == cidbus::to_text(ProposalKind::MembershipChange)) return membership_change(given);
  if (type == cidbus::to_text(ProposalKind::RoleChange)) return role_change(given);
  return refused(in_quotes(type) +
                 " is no type of proposal; there are config_change, role_change and membership_change");
}

std::uint64_t parse_proposal_id(const std::string& id) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc() && end == id.data() + id.size() && number < (1ULL << 53) ? number : 0;
}

}  // namespace cidbus::v1
