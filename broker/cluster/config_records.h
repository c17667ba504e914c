// The records of configuration by vote, as they lie in the journal between the others of
// broker/tasks/records.h: what is proposed, who voted how, and how it was decided.
//
//   PROPOSE := version:u8 token:u64 kind:u8 subject:text8 value:i64 proposer:text8 deadline:varint
//              count:u16 voter:text8*       deadline: milliseconds after the record's time; voters: sorted
//   VOTE    := version:u8 proposal:u64 how:u8 voter:text8 reason:text8       how: 1 yes, 2 by a person
//   DECIDE  := version:u8 proposal:u64 status:u8                             as ProposalStatus, not pending
//   text8   := length:u8 bytes
//
// Numbers are little-endian. The version is 1; older ones are read for ever.
//
// Thread rule: values; views live as long as the payload. Limits: limits/config.h; checked before a record
// is made.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/core/config_messages.h"

namespace cidbus {

struct ProposeRecord {
  std::uint64_t token = 0;  // the proposer's; the same again is the same proposal
  ProposalKind kind = ProposalKind::ConfigChange;
  std::string_view subject;
  std::int64_t value = 0;
  std::string_view proposer;
  std::chrono::milliseconds deadline{0};  // after the record's time
  std::vector<std::string_view> voters;   // who has a vote: sorted, none twice
};
struct VoteRecord {
  std::uint64_t proposal = 0;
  bool yes = false;
  bool by_person = false;
  std::string_view voter;
  std::string_view reason;
};
// The leader's decision. That it counts the same votes as everybody else makes it right; that it is a record
// makes it the same for all, whatever their version thinks of the value.
struct DecideRecord {
  std::uint64_t proposal = 0;
  ProposalStatus status = ProposalStatus::Expired;
};

// Appends the payload to `out`.
void encode(const ProposeRecord& record, Bytes& out);
void encode(const VoteRecord& record, Bytes& out);
void encode(const DecideRecord& record, Bytes& out);
// False when the bytes are not one, whole.
bool decode(ByteView payload, ProposeRecord& out);
bool decode(ByteView payload, VoteRecord& out);
bool decode(ByteView payload, DecideRecord& out);

}  // namespace cidbus
