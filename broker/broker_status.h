// What a broker says of itself and its group when it is asked for its status (PROTOCOL: brokers).
//
// Thread rule: pure. Limits: none.
#pragma once

#include "broker/replica.h"
#include "shared/core/broker_messages.h"

namespace cidbus {

// Views live as long as the replica.
BrokerStatus status_of(const Replica& replica, const StateMachine& state, Now now);

}  // namespace cidbus
