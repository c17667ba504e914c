// What a broker tells of its group: to those who ask, and to its log.
//
// Thread rule: pure. Limits: none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/consensus/group.h"
#include "shared/core/feed.h"
#include "shared/core/node.h"
#include "shared/io/log.h"

namespace cidbus {

// Every broker as the leader knows it, in the order of seats. Views live as long as the group.
std::vector<BrokerInfo> brokers_of(const group::Group& group, LogIndex applied);

// Where nodes find each of them; the address of a broker alone is left out, since it may be of no use to
// others.
std::vector<NodeAddress> addresses_of(const group::GroupConfig& config);

// What is said in an election, of all that brokers say to each other.
std::optional<ElectionWord> election_word(const group::GroupMessage& message);

std::string to_text(const group::Notice& notice, const group::GroupConfig& config);
LogLevel level_of(group::NoticeKind kind);

}  // namespace cidbus
