// Configuration by vote: what is proposed, voted and in force (DESIGN section 8).
//
// A proposal is journaled and voted on by the nodes that had a vote when it was made: the brokers of the
// group, and the workers that were members. What it proposes is a number, whatever its kind, so that nothing
// replicated depends on how a text is read.
//
// Thread rule: values. Limits and invariants: message.h, limits/config.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/core/node.h"

namespace cidbus {

// The numbers are on disk.
enum class ProposalKind : std::uint8_t {
  ConfigChange = 0,      // subject: a key; value: what it is to be, in the key's unit
  MembershipChange = 1,  // subject: a node's name; value: 1 to forbid it the cluster, 0 to let it in again
  RoleChange = 2         // subject: a node's name; value: a Role
};
inline constexpr std::uint8_t proposal_kinds = 3;
std::string_view to_text(ProposalKind kind);

enum class ProposalStatus : std::uint8_t {
  Pending,
  Accepted,  // by a majority of those with a vote
  Rejected,  // no majority can be had any more, or what was accepted meanwhile contradicts it
  Expired    // its deadline came first
};
std::string_view to_text(ProposalStatus status);

struct CastVote {
  RequestId request;
  std::uint64_t proposal = 0;
  // Of a client: whose vote it is, empty for all that have not voted. Of a node: empty, it is its own.
  std::string_view voter;
  bool yes = false;
  std::string_view reason;  // why not; one line
};

struct VoteInfo {
  std::string_view voter;
  bool yes = false;
  bool by_person = false;
  std::string_view reason;
};

struct Proposal {
  std::uint64_t id = 0;  // from 1
  ProposalKind kind = ProposalKind::ConfigChange;
  std::string_view subject;
  std::int64_t value = 0;
  std::string_view proposer;
  WallTime proposed_at;
  WallTime deadline;
  WallTime decided_at;  // 0 while pending
  ProposalStatus status = ProposalStatus::Pending;
  std::uint64_t version = 0;   // of the configuration that it made; 0 unless accepted
  std::uint32_t eligible = 0;  // how many have a vote
  std::uint32_t yes = 0;
  std::uint32_t no = 0;
  std::vector<VoteInfo> votes;            // of a decided one only those with a reason, and not all
  std::vector<std::string_view> waiting;  // who has not voted; of one that is pending
};

struct Propose {
  RequestId request;
  std::uint64_t token = 0;  // random: a proposal that is sent again is known by it
  ProposalKind kind = ProposalKind::ConfigChange;
  std::string_view subject;
  std::string_view value;  // as people write it: 30s, 256MiB, 12; forbid, allow; worker
  std::chrono::milliseconds deadline{0};
};

struct ProposalsRequest {
  RequestId request;
  std::uint64_t id = 0;      // this one; 0: all, newest first
  bool wait = false;         // of one: answered when it is decided
  bool only_open = false;    // of all
  std::uint64_t before = 0;  // of all: only older ones; 0 for the newest
};
// Also the answer to Propose and CastVote: the proposal as it stands then.
struct Proposals {
  RequestId request;
  std::vector<Proposal> proposals;
  bool more = false;
};

struct ConfigEntry {
  std::string_view key;
  std::int64_t value = 0;
  std::uint64_t version = 0;  // of the configuration that gave it this value
  std::uint64_t proposal = 0;
  WallTime since;
};
struct ConfigRequest {
  RequestId request;
};
// What is in force, as an answer; and, with request 0, told to every node after its welcome and at each
// change.
struct Configuration {
  RequestId request;
  std::uint64_t version = 0;                // counts accepted proposals
  std::vector<ConfigEntry> entries;         // keys that were ever voted on; all others have their defaults
  std::vector<std::string_view> forbidden;  // names of nodes; of an answer only
  std::vector<Proposal> open;               // without votes and who waits
};

}  // namespace cidbus
