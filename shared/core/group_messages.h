// What the brokers of a group say to each other, as plain values (CONSENSUS section 2).
//
// Every message stands behind one GroupHeader. ELECTION, its answers, votes and beats go over the control
// connection; what carries payload goes over bulk, so that a heartbeat never queues behind a batch.
// PROTOCOL.md says when each is sent.
//
// Invariants
//  1. A message is what shared/wire has checked: lengths, counts, enums, and every batch's checksum.
//  2. A batch is the immutable byte string its leader encoded (broker/journal/batch.h), never a copy in
//     another form.
//  3. Loss, duplication, reordering and delay of any message are harmless: each says all that it means.
//
// Thread rule: values. Limits: limits/group.h; limits::message_bytes a frame.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/core/group_values.h"

namespace cidbus::group {

inline constexpr std::uint16_t group_version = 1;
inline constexpr std::uint32_t group_magic = 0x31676a63;  // "cjg1": begins every head

struct GroupHeader {
  std::uint16_t version = group_version;
  ClusterId cluster;
  std::uint64_t config_hash = 0;  // of the bootstrap list of members
  std::string_view from;
  std::string_view to;
  BrokerIncarnation from_incarnation;
  BrokerIncarnation to_incarnation;  // zeros while the sender does not know it
  Epoch epoch;                       // the sender's
};

// ---- election (control; E1 to E7)

struct ElectionMessage {  // ELECTION: "does anybody object to my standing?"
  std::uint64_t round = 0;
  Rank rank;
  LogPosition claim;  // what it once held; greater than rank.log while its journal is damaged (D2)
  bool insist = false;
};
struct Ok {  // "I outrank you, and stand myself"
  std::uint64_t round = 0;
  Rank rank;
};
struct Aye {  // "I would vote for you"; binds nobody
  std::uint64_t round = 0;
  Rank rank;
};
enum class NayWhy : std::uint8_t { LeaderAlive, Stale, Unfit };
struct Nay {
  std::uint64_t round = 0;
  NayWhy why = NayWhy::LeaderAlive;
  Rank rank;
  Seat leader = nobody;  // whom it hears; of LeaderAlive
};
struct VoteRequest {  // its header's epoch is the one to be voted in
  LogPosition log;
  std::uint64_t candidacy =
      0;                    // random: a vote for an earlier life's candidacy in this epoch is none for this
  std::uint64_t token = 0;  // of a hand-over; 0 for none (H2)
};
struct Vote {
  std::uint64_t candidacy = 0;  // of the request answered
  bool granted = false;
  LogPosition log;  // the voter's
};

// ---- heartbeats (control; E9, section 9), and states compared (R7)

struct Beat {
  LogIndex commit;
  std::uint64_t read_round = 0;
  std::int64_t sent = 0;  // the leader's own clock, for it to know which beat was answered
  LogPosition last;
  StateDigest state{};        // the leader's
  bool state_counts = false;  // no majority can have another one: whoever has is wrong
};
struct BeatAck {
  std::uint64_t read_round = 0;
  std::int64_t sent = 0;
  LogIndex durable;           // as in AppendAck
  std::int32_t priority = 0;  // effective: -1 while unfit
  StateDigest state{};        // the own one after the record that BEAT named, once it is applied
  bool wants_state = false;   // the own state is wrong, and waits to be replaced
};

// ---- replication (bulk; R1 to R3)

struct Append {
  LogPosition prev;  // what the first batch follows
  LogIndex commit;
  std::vector<SharedBatch> batches;  // one behind the other; none asks only whether `prev` is held
};
struct AppendAck {
  bool ok = false;
  bool disk_full = false;
  LogIndex prev;     // of the Append answered
  LogIndex match;    // the log is equal to the leader's up to here
  LogIndex durable;  // and on disk up to here
  LogPosition hint;  // not ok: the highest position held at or below `prev`
  // It is being repaired: what it holds counts for nothing yet (D3).
  bool provisional = false;
};

// ---- catching up without a leader (bulk; E8, D1)

// A batch that was written and is damaged: any copy with this identity is right.
struct BatchIdentity {
  LogIndex first;
  LogPosition last;
  std::uint32_t crc = 0;
  friend bool operator==(const BatchIdentity&, const BatchIdentity&) = default;
};
struct Fetch {
  LogPosition after;  // send what follows it
  std::vector<BatchIdentity>
      holes;                // or, when not empty, these: the first, and what of the others is at hand
  std::uint64_t round = 0;  // random, of holes: comes back in the answer
};
struct FetchData {
  LogPosition prev;  // what the first batch follows; of holes, nothing
  LogPosition last;  // the sender's newest record
  bool of_holes = false;
  bool freed = false;                // the sender no longer holds it: only a snapshot has it
  std::vector<SharedBatch> batches;  // of holes, none and not freed: it does not hold the first one intact
  std::uint64_t round = 0;
  bool damaged = false;  // but has a hole in its place too
};

// ---- snapshots (bulk; section 6)

struct SnapBegin {
  LogPosition last;                     // newest record in it; names the snapshot
  ByteCount size = 0;                   // of the file
  std::array<std::uint8_t, 32> hash{};  // the SHA-256 in its footer
};
struct SnapChunk {
  LogPosition last;
  ByteCount offset = 0;
  SharedBatch bytes;
};
struct SnapAck {
  LogPosition last;
  ByteCount next = 0;      // the offset wanted next
  bool installed = false;  // in place: appending goes on behind it
  bool refused = false;    // of no use here, or found damaged
};

// ---- hand-over (control; H1 to H3)

struct HandoverMessage {  // HANDOVER: "stand now": the sender has stopped admitting
  LogPosition last;
  std::uint64_t token = 0;
};
struct Refuse {  // the answer of one who cannot take over
  std::uint64_t token = 0;
};
struct Resign {};  // the leader goes; elect another

// ---- repair of a broker that lost even the identities of its records (control; D3)

struct RepairRequest {
  std::uint64_t nonce = 0;  // fresh at each request: an old answer is unsafe
};
struct RepairGoal {
  std::uint64_t nonce = 0;
  LogIndex goal;  // the leader's newest record when it was asked
};

// ---- configuration by vote (control; not the core's business)

// A standby's vote on a proposal that it found in the journal; sent again until its record is applied.
struct ProposalVote {
  std::uint64_t proposal = 0;
  bool yes = false;
  std::string_view reason;
};

// The order is that of schema/group.capnp.
using GroupMessage = std::variant<ElectionMessage, Ok, Aye, Nay, VoteRequest, Vote, Beat, BeatAck, Append,
                                  AppendAck, Fetch, FetchData, SnapBegin, SnapChunk, SnapAck, HandoverMessage,
                                  Refuse, Resign, RepairRequest, RepairGoal, ProposalVote>;
std::string_view name_of(const GroupMessage& message);

// Which of the two connections of a pair of brokers a message takes.
enum class Channel : std::uint8_t { Control, Bulk };
Channel channel_of(const GroupMessage& message);

}  // namespace cidbus::group
