// What a broker is asked about itself and its group, and told to do with its office.
//
// A status may be asked of any broker, leader or standby, without saying hello: it is what that broker knows.
//
// Thread rule: values. Limits and invariants: message.h; limits::brokers brokers in a list.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/core/client_messages.h"
#include "shared/core/node.h"

namespace cidbus {

enum class Duty : std::uint8_t {
  Standby,   // it follows a leader
  Electing,  // it knows none
  Leader     // it holds office
};
std::string_view to_text(Duty duty);

// What comparing its state with those of the others has shown of it.
enum class StateTrust : std::uint8_t {
  Good,         // nothing bad
  Doubted,      // a majority agreed on another one while it led
  Quarantined,  // it is wrong, and is being replaced by another broker's
  Differs  // it differs again though it was replaced: something makes the same records mean another thing
};
std::string_view to_text(StateTrust trust);

// A broker of the group, as another one sees it.
struct BrokerPeer {
  std::string_view name;
  std::string_view endpoint;  // host:port of its bus
  std::int32_t priority = 0;
  LogIndex durable;       // on its disk, as far as the one asked was told; 0 unless that one leads
  WallTime last_contact;  // when it was heard last; 0: never. Of the one asked: now
};
struct BrokerStatusRequest {
  RequestId request;
};
struct BrokerStatus {
  RequestId request;
  std::string_view name;  // of the one asked
  Duty duty = Duty::Standby;
  std::string_view leader;  // whom it follows; empty for nobody
  Epoch epoch;
  LogIndex last;  // newest record it holds
  LogIndex durable;
  LogIndex commit;
  LogIndex applied;
  Durability durability = Durability::Disk;
  std::vector<BrokerPeer> brokers;   // all of its group, itself among them
  std::uint64_t config_version = 0;  // of the configuration it has applied
  StateTrust trust = StateTrust::Good;
  LogIndex agreed;  // the newest record after which its state was compared and found equal; 0: never
};

// The office of `epoch` is to go to `to`, or, when empty, to whom the leader thinks best. In a later epoch
// nothing is done, so it may be asked again.
struct HandoverRequest {
  RequestId request;
  std::string_view to;
  Epoch epoch;
};
enum class HandoverOutcome : std::uint8_t {
  Done,          // `leader` holds office
  NoSuchBroker,  // `to` is not of this group, or there is no other broker
  NotReady,      // it cannot take over now: `reason`
  NotTaken       // it was offered the office and did not take it
};
struct HandoverAnswer {
  RequestId request;
  HandoverOutcome outcome = HandoverOutcome::Done;
  std::string_view leader;
  Epoch epoch;
  std::string_view reason;  // why not; one line, for a person
};

}  // namespace cidbus
