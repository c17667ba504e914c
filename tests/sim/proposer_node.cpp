#include "tests/sim/proposer_node.h"

#include <array>

#include "shared/base/ensure.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration patience = 2s;  // for an answer; then it is asked again

struct Choice {
  const char* key;
  std::uint64_t least;
  std::uint64_t most;
  const char* unit;
};
// Values with which a run still ends in its time; and one that everybody refuses at once.
constexpr std::array<Choice, 7> choices{{{"heartbeat_interval", 200, 1000, "ms"},
                                         {"node_timeout", 3, 6, "s"},
                                         {"lease_length", 5, 60, "s"},
                                         {"retry_backoff_most", 1, 20, "s"},
                                         {"lost_attempts_most", 15, 50, ""},
                                         {"counters_interval", 100, 900, "ms"},
                                         {"no_such_key", 1, 2, "s"}}};

}  // namespace

ProposerNode::ProposerNode(const NodeGround& ground, NodeIdentity identity, Prng given,
                           std::uint32_t proposals)
    : Node(ground, std::move(identity), given), left_(proposals) {
  rest();
}

Hello ProposerNode::make_hello() {
  Hello hello;
  hello.role = Role::Client;
  return hello;
}

void ProposerNode::rest() {
  stage_ = Stage::Idle;
  say_again_ = Monotonic::max();
  if (left_ > 0) after(Duration(prng().between(1'000'000, 4'000'000'000)), [this] { propose_one(); });
}

void ProposerNode::propose_one() {
  --left_;
  const Choice& choice = choices[prng().below(choices.size())];
  key_ = choice.key;
  value_ = std::to_string(prng().between(choice.least, choice.most)) + choice.unit;
  token_ = prng()() | 1;
  deadline_ = std::chrono::milliseconds(prng().between(1000, 10'000));
  stage_ = Stage::Proposing;
  say();
}

void ProposerNode::say() {
  if (stage_ == Stage::Idle) return;
  const RequestId request{++last_request_};
  if (stage_ == Stage::Proposing)
    send(Propose{request, token_, ProposalKind::ConfigChange, key_, value_, deadline_});
  if (stage_ == Stage::Voting) send(CastVote{request, proposal_, voter_, yes_, "by hand"});
  if (stage_ == Stage::Waiting) send(ProposalsRequest{request, proposal_, true, false, 0});
  say_again_ = now().monotonic + patience;
  wake();
}

std::optional<Monotonic> ProposerNode::turn() {
  if (now().monotonic >= say_again_) say();
  return say_again_ == Monotonic::max() ? std::nullopt : std::optional(say_again_);
}

void ProposerNode::on_message(const Message& message) {
  if (const auto* answer = std::get_if<Proposals>(&message)) {
    if (stage_ == Stage::Idle || answer->request.value != last_request_) return;
    if (answer->proposals.empty()) return rest();  // another about the key came first
    return on_proposal(answer->proposals.front());
  }
  const auto* refused = std::get_if<Refused>(&message);
  if (refused == nullptr || stage_ == Stage::Idle) return;
  if (stage_ == Stage::Voting) {
    chronicle().mark("a vote is refused");
    stage_ = Stage::Waiting;
    return say();
  }
  check(stage_ != Stage::Proposing || refused->why == Refusal::Exhausted || key_ == "no_such_key",
        "config: a proposal that makes sense is taken", key_, " ", value_, ": ", refused->reason);
  chronicle().mark("a proposal is refused");
  rest();
}

void ProposerNode::on_proposal(const Proposal& proposal) {
  const auto told = told_.find(proposal.id);
  check(told == told_.end() || told->second == proposal.status, "config: what is decided stays so",
        proposal.id);
  check(stage_ == Stage::Proposing || proposal.id == proposal_, "config: the answer is of the question",
        proposal.id);
  check(proposal.subject == key_, "config: the same proposal under the same token", proposal.subject);
  proposal_ = proposal.id;
  if (proposal.status != ProposalStatus::Pending) {
    told_[proposal.id] = proposal.status;
    if (proposal.status == ProposalStatus::Expired) chronicle().mark("a proposal expires");
    if (proposal.status == ProposalStatus::Rejected) chronicle().mark("a proposal is rejected");
    ++decided_;
    return rest();
  }
  if (stage_ == Stage::Proposing && prng().chance(1, 2)) {
    static constexpr std::array<const char*, 4> whose{"", "b1", "w0", "nobody"};
    voter_ = whose[prng().below(whose.size())];
    yes_ = prng().chance(1, 2);
    stage_ = Stage::Voting;
  } else {
    stage_ = Stage::Waiting;
  }
  say();
}

}  // namespace cidbus::sim
