#include "shared/node/opinion.h"

#include "shared/base/limits/config.h"

namespace cidbus {
namespace {

// Why a value of a key cannot be lived by here; empty when it can.
std::string objection(const Proposal& proposal, const VoterFacts& facts, const ConfigValues& in_force) {
  const auto key = find_config_key(proposal.subject);
  if (!key) return "this version knows no key " + std::string(proposal.subject);
  const ConfigKeyInfo& info = info_of(*key);
  const std::string text = config_value_text(info, proposal.value);
  if (parse_config_value(info, text) != proposal.value)
    return "this version takes " + std::string(info.name) + " " + bounds_text(info) + ", not " + text;
  const bool keeps_more = *key == ConfigKey::SnapshotAfter && proposal.value > in_force.of(*key);
  if (keeps_more && facts.role == Role::Master && facts.short_of_room)
    return "its disk is short of room, and more journal would be kept on it";
  return {};
}

}  // namespace

std::optional<Opinion> opinion_on(const Proposal& proposal, const VoterFacts& facts,
                                  const ConfigValues& in_force) {
  if (proposal.kind == ProposalKind::ConfigChange) {
    if (std::string why = objection(proposal, facts, in_force); !why.empty())
      return Opinion{false, why.substr(0, limits::vote_reason_length)};
  }
  if (facts.by_hand) return std::nullopt;
  return Opinion{true};
}

}  // namespace cidbus
