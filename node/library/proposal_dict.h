// Changes that are proposed, from dicts.
//
// Thread rule: functions of their arguments. Limits: none.
#pragma once

#include <string>

#include "cidbus/cluster/value.h"
#include "shared/core/config_messages.h"

namespace cidbus::v1 {

struct Change {
  ProposalKind kind = ProposalKind::ConfigChange;
  std::string subject;
  std::string value;  // as people write it
};
// BadUsage says which types and keys there are.
Result<Change> change_of(const std::string& type, const Dict& data);

// 0 for what is no proposal's number.
std::uint64_t parse_proposal_id(const std::string& id);

}  // namespace cidbus::v1
