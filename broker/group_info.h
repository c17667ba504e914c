// What a broker tells of its group: to those who ask, and to its log.
//
// Thread rule: pure. Limits: none.
#pragma once

#include <string>
#include <vector>

#include "broker/consensus/group.h"
#include "shared/core/node.h"

namespace cidbus {

// Every broker as the leader knows it, in the order of seats. Views live as long as the group.
std::vector<BrokerInfo> brokers_of(const group::Group& group, LogIndex applied);

std::string to_text(const group::Notice& notice, const group::GroupConfig& config);

}  // namespace cidbus
