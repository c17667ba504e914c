// A simulated operator: proposes changes of the configuration, votes by hand now and then, and waits for each
// decision.
//
// What it holds against the leader: a proposal that is sent again, to whoever leads, is the same one; whose
// decision was told stays decided that way. The rest is the business of config_checker.h.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>

#include "tests/sim/node.h"

namespace cidbus::sim {

class ProposerNode : public Node {
 public:
  ProposerNode(const NodeGround& ground, NodeIdentity identity, Prng prng, std::uint32_t proposals);

  // Every proposal was refused or decided.
  [[nodiscard]] bool done() const { return left_ == 0 && stage_ == Stage::Idle; }
  [[nodiscard]] std::uint64_t decided() const { return decided_; }

 private:
  enum class Stage { Idle, Proposing, Voting, Waiting };

  Hello make_hello() override;
  void on_bound(const Welcome&) override { say(); }
  void on_unbound() override {}
  void on_message(const Message& message) override;
  std::optional<Monotonic> turn() override;

  void propose_one();
  // What the stage is about, again when it was not answered.
  void say();
  void on_proposal(const Proposal& proposal);
  void rest();

  std::uint32_t left_;
  Stage stage_ = Stage::Idle;
  std::uint64_t token_ = 0;
  std::string key_;
  std::string value_;
  std::chrono::milliseconds deadline_{0};
  std::uint64_t proposal_ = 0;
  std::string voter_;
  bool yes_ = false;
  Monotonic say_again_ = Monotonic::max();
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, ProposalStatus> told_;  // decisions, by proposal
  std::uint64_t decided_ = 0;
};

}  // namespace cidbus::sim
