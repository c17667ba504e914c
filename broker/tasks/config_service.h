// The leader's part of configuration by vote: it takes proposals and votes, writes them down, and decides.
//
// What is true is in the replicated book (broker/cluster/config_book.h); here is who waits for an answer. A
// new leader needs nothing from the one before: it finds in the book what is open, what has its majority
// already, and what is past its deadline.
//
// Invariants
//  1. A proposal, a vote or a decision is told after its record was applied (I7).
//  2. A proposal is decided as soon as its votes decide it, and at its deadline at the latest.
//  3. Who asks is answered, with the proposal as it stands, or with the reason of a refusal.
//
// Thread rule: one owner. Limits: limits/config.h.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/tasks/output.h"
#include "broker/tasks/state_machine.h"

namespace cidbus {

class ConfigService {
 public:
  // Who has a vote now, by name: brokers and workers. In any order; a name twice is one vote.
  using Voters = std::function<std::vector<std::string>()>;
  // Whether a name is a broker's: those cannot be forbidden.
  using IsBroker = std::function<bool(std::string_view)>;
  // Why a node cannot be in a role; empty when it can.
  using RoleObjection = std::function<std::string(std::string_view node, Role role)>;
  ConfigService(Output& output, Voters voters, IsBroker is_broker, RoleObjection role_objection)
      : output_(output),
        voters_(std::move(voters)),
        is_broker_(std::move(is_broker)),
        role_objection_(std::move(role_objection)) {}

  // REQUIRES: the state outlives the service.
  void take_office(Now now, const StateMachine& state);
  // ConfigRequest, Propose, CastVote and ProposalsRequest; false for any other.
  bool on_message(Now now, Peer peer, std::string_view sender, Role role, const Message& message);
  // A broker's own vote, heard between brokers, or the leader's.
  void on_broker_vote(std::string_view broker, const VoteRecord& vote);
  void on_peer_gone(Peer peer);
  void on_applied(Now now, const Changes& changes);
  // False: proposals are refused with this reason until true; votes and decisions go on.
  void admit(bool admitted, std::string_view reason) { refusal_ = admitted ? "" : reason; }
  // Decides what is past its deadline; when to call again at the latest.
  Monotonic tick(Now now);

 private:
  struct Asked {
    LogIndex index;  // answered once this is applied; 0: once the proposal is decided
    Peer peer = Peer::Nobody;
    RequestId request;
    std::uint64_t token = 0;     // of a Propose
    std::uint64_t proposal = 0;  // of a vote or a wait
    std::string subject = {};    // of a Propose
  };
  void on_propose(Now now, Peer peer, std::string_view sender, const Propose& wanted);
  [[nodiscard]] std::string objection(const Propose& wanted, std::int64_t& value) const;
  [[nodiscard]] std::string config_objection(const Propose& wanted, std::int64_t& value) const;
  [[nodiscard]] std::string membership_objection(const Propose& wanted, std::int64_t& value) const;
  [[nodiscard]] std::string role_change_objection(const Propose& wanted, std::int64_t& value) const;
  void on_vote(Peer peer, std::string_view sender, Role role, const CastVote& vote);
  LogIndex record_vote(const VoteRecord& vote);
  void on_question(Peer peer, const ProposalsRequest& question);
  void on_config_question(Peer peer, RequestId request);
  void tell(Peer peer, RequestId request, const Ballot* ballot);
  void refuse(Peer peer, Refusal why, std::string_view reason);
  void decide_what_is_due(Now now);
  void decide(std::uint64_t proposal, ProposalStatus status);
  [[nodiscard]] const ConfigBook& book() const { return state_->config(); }

  Output& output_;
  Voters voters_;
  IsBroker is_broker_;
  RoleObjection role_objection_;
  const StateMachine* state_ = nullptr;
  std::string refusal_;
  std::deque<Asked> asked_;           // by the record that answers them
  std::deque<Asked> waiting_;         // for a decision
  std::set<std::uint64_t> deciding_;  // proposals whose DECIDE is on its way
  // Votes that are on their way, and what they say; a second one is judged as if the first were counted.
  std::map<std::pair<std::uint64_t, std::string>, bool> voting_;
};

}  // namespace cidbus
