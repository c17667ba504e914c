// What the cluster has agreed on, and what it is voting on: the replicated state of configuration by vote.
//
// Every broker applies the same records (config_records.h) in the order of the journal and holds the same
// book. A vote is counted as its record is applied; the leader, which counts like everybody else, then writes
// down the decision, and that record puts the value in force. So a leader that dies between the last vote and
// the decision leaves both to the next one, and a value is in force exactly once, for all from the same
// record on.
//
//   book := version:u64 next:u64 count:u32 entry* count:u32 name:text8* count:u32 ballot* count:u32 ballot*
//   entry := key:text8 value:i64 version:u64 proposal:u64 since:i64
//   ballot := id:u64 token:u64 kind:u8 status:u8 subject:text8 value:i64 proposer:text8 proposed_at:i64
//             deadline:i64 decided_at:i64 version:u64 eligible:u32 yes:u32 no:u32
//             count:u32 (voter:text8 how:u8 reason:text8)* count:u32 waiting:text8*
//             open ones first, then those decided, both in the order of their ids
//
// Invariants
//  1. Who has a vote is fixed when the proposal is made; each votes once, and nobody else does.
//  2. yes + no + waiting = eligible.
//  3. A proposal is decided once; version() is the number of those that were accepted.
//  4. One proposal about a subject is open at a time.
//
// Thread rule: with the state machine. Limits: limits/config.h; what is kept of decided ones is forgotten
// oldest first.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/cluster/config_records.h"
#include "shared/node/config_keys.h"

namespace cidbus {

struct Ballot {
  struct Vote {
    std::string voter;
    bool yes = false;
    bool by_person = false;
    std::string reason;
  };
  std::uint64_t id = 0;
  std::uint64_t token = 0;
  ProposalKind kind = ProposalKind::ConfigChange;
  ProposalStatus status = ProposalStatus::Pending;
  std::string subject;
  std::int64_t value = 0;
  std::string proposer;
  WallTime proposed_at;
  WallTime deadline;
  WallTime decided_at;
  std::uint64_t version = 0;  // of the configuration it made; 0 unless accepted
  std::uint32_t eligible = 0;
  std::uint32_t yes = 0;
  std::uint32_t no = 0;
  std::vector<Vote> votes;                     // of a decided one: objections, not all
  std::set<std::string, std::less<>> waiting;  // who has not voted; empty once it is decided

  // Accepted by a majority of those with a vote; Rejected once none can be had; Pending otherwise.
  [[nodiscard]] ProposalStatus count() const;
};

class ConfigBook {
 public:
  struct Entry {
    std::int64_t value = 0;
    std::uint64_t version = 0;
    std::uint64_t proposal = 0;
    WallTime since;
  };

  // ---- records. What changes nothing, because it came too late or twice, answers so.
  // The id of the proposal; that of the one with the same token, or 0 when one about its subject is open.
  std::uint64_t propose(const ProposeRecord& record, WallTime at);
  enum class Answer : std::uint8_t {
    Counted,
    Repeated,  // the same vote was counted before
    Double,    // another one was: one vote each
    Stranger,  // no vote on this proposal
    Closed,    // it is decided
    Unknown    // no such proposal, or it is forgotten
  };
  Answer vote(const VoteRecord& record);
  // Whether it was open.
  bool decide(const DecideRecord& record, WallTime at);

  // ---- looking
  // What vote() would answer.
  [[nodiscard]] Answer judge(std::uint64_t proposal, std::string_view voter, bool yes) const;
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
  [[nodiscard]] ConfigValues values() const;
  [[nodiscard]] const std::set<std::string, std::less<>>& forbidden() const { return forbidden_; }
  [[nodiscard]] const std::map<std::uint64_t, Ballot>& open() const { return open_; }
  [[nodiscard]] const std::deque<Ballot>& decided() const { return decided_; }  // oldest first
  [[nodiscard]] const Ballot* find(std::uint64_t id) const;
  [[nodiscard]] const Ballot* find_token(std::uint64_t token) const;
  [[nodiscard]] const Ballot* find_open(ProposalKind kind, std::string_view subject) const;

  // ---- snapshots
  void write(Bytes& out) const;
  // REQUIRES: an empty book. False when the bytes are none, or contradict themselves.
  bool read(ByteView bytes);
  void check_invariants() const;

 private:
  void put_in_force(Ballot& ballot);

  std::uint64_t version_ = 0;
  std::uint64_t next_ = 1;  // id of the next proposal
  std::map<std::string, Entry, std::less<>> entries_;
  std::set<std::string, std::less<>> forbidden_;
  std::map<std::uint64_t, Ballot> open_;
  std::deque<Ballot> decided_;
};

// Core values; views live until the book changes. `votes`: with who voted how, and who has not.
Proposal proposal_of(const Ballot& ballot, bool votes);
Configuration configuration_of(const ConfigBook& book);

}  // namespace cidbus
