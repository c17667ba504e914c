// Every message on the bus, the feed and the block exchange, as a plain value. PROTOCOL.md says when each is
// sent.
//
// Invariants
//  1. A message is what shared/wire has checked: lengths, counts and enums are within base/limits/.
//  2. Views live as long as the frame the message was decoded from.
//  3. Lists exist so that whatever one turn has collected travels as one message.
//
// Thread rule: values. Limits: limits::items_a_message items in a list, limits::message_bytes in a frame.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/limits/messages.h"
#include "shared/core/broker_messages.h"
#include "shared/core/client_messages.h"
#include "shared/core/config_messages.h"
#include "shared/core/content_messages.h"
#include "shared/core/feed.h"
#include "shared/core/node.h"
#include "shared/core/refusal.h"
#include "shared/core/role_messages.h"
#include "shared/core/task.h"
#include "shared/core/worker_messages.h"

namespace cidbus {

inline constexpr std::uint16_t protocol_version = 1;

// Stands before every body.
struct Header {
  std::uint16_t version = protocol_version;
  ClusterId cluster;
  Epoch epoch;  // the sender's: a leader's own, or the highest a node has seen
  std::string_view sender;
  Incarnation incarnation;
};

struct Hello {
  Role role = Role::Client;
  NodeLoad load;  // as in every heartbeat, so that the leader need not wait for one
  std::vector<std::string_view> task_types;  // what a worker can run
  std::string_view exchange;                 // host:port of its block exchange, empty for none
  std::vector<AttemptId> running;  // attempts it is at, or has finished and not yet had acknowledged (W4)
  std::vector<std::string_view> strict_types = {};  // of task_types: never to run twice at once
  Labels labels = {};
};
struct Welcome {
  std::string_view leader;
  std::chrono::milliseconds heartbeat{0};
  std::chrono::milliseconds node_timeout{0};
  std::chrono::milliseconds lease{0};
  std::uint32_t credit = 0;               // unanswered submissions a client may have on the way
  std::vector<NodeAddress> brokers = {};  // all of the group; none when the sender is no broker
};
struct Redirect {
  std::string_view leader;                // empty when nobody is in office
  std::string_view endpoint;              // host:port
  std::vector<NodeAddress> brokers = {};  // as in Welcome
};
struct Refused {
  Refusal why = Refusal::BadMessage;
  std::string_view reason;  // one line, for a person
  std::chrono::milliseconds retry_after{0};
};
struct Goodbye {
  std::string_view reason;
};
struct Ping {};  // answered with Pong; both are signs of life
struct Pong {};

using Message =
    std::variant<Hello, Welcome, Redirect, Refused, Goodbye, Ping, Pong, Submit, Accepted, Rejected,
                 SessionResume, SessionClose, Results, ResultAck, Credit, Dispatch, Renew, Renewed, Progress,
                 Complete, CompleteAck, Revoke, TaskQuery, TaskList, TaskInfos, Cancel, CancelAnswers,
                 SnapshotRequest, Snapshot, Announce, Find, Providers, Place, Placement, WantBlocks,
                 BlockReply, StoreBlock, StoreReply, Feed, NameContent, FindContent, ContentNames,
                 BrokerStatusRequest, BrokerStatus, HandoverRequest, HandoverAnswer, ConfigRequest,
                 Configuration, Propose, CastVote, ProposalsRequest, Proposals, MemberHistoryRequest,
                 MemberHistory, Moves, RoleReport, RoleQuery, RoleReports, RoleChange, RoleChangeAnswer>;

// The message's name on the wire, for logs and refusals.
std::string_view name_of(const Message& message);

}  // namespace cidbus
