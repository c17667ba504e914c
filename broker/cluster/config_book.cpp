#include "broker/cluster/config_book.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/base/limits/config.h"

namespace cidbus {

ProposalStatus Ballot::count() const {
  if (2 * yes > eligible) return ProposalStatus::Accepted;
  return 2 * no >= eligible ? ProposalStatus::Rejected : ProposalStatus::Pending;
}

// ---- records

std::uint64_t ConfigBook::propose(const ProposeRecord& record, WallTime at) {
  if (const Ballot* same = find_token(record.token)) return same->id;
  if (find_open(record.kind, record.subject) != nullptr) return 0;
  Ballot ballot;
  ballot.id = next_++;
  ballot.token = record.token;
  ballot.kind = record.kind;
  ballot.subject = record.subject;
  ballot.value = record.value;
  ballot.proposer = record.proposer;
  ballot.proposed_at = at;
  ballot.deadline = at + record.deadline;
  ballot.waiting.insert(record.voters.begin(), record.voters.end());
  ballot.eligible = static_cast<std::uint32_t>(ballot.waiting.size());
  const std::uint64_t id = ballot.id;
  open_.emplace(id, std::move(ballot));
  return id;
}

ConfigBook::Answer ConfigBook::judge(std::uint64_t proposal, std::string_view voter, bool yes) const {
  const auto found = open_.find(proposal);
  if (found == open_.end()) return find(proposal) != nullptr ? Answer::Closed : Answer::Unknown;
  const Ballot& ballot = found->second;
  if (ballot.waiting.contains(voter)) return Answer::Counted;
  const auto cast = std::find_if(ballot.votes.begin(), ballot.votes.end(),
                                 [&](const Ballot::Vote& vote) { return vote.voter == voter; });
  if (cast == ballot.votes.end()) return Answer::Stranger;
  return cast->yes == yes ? Answer::Repeated : Answer::Double;
}

ConfigBook::Answer ConfigBook::vote(const VoteRecord& record) {
  const Answer answer = judge(record.proposal, record.voter, record.yes);
  if (answer != Answer::Counted) return answer;
  Ballot& ballot = open_.at(record.proposal);
  ballot.waiting.erase(ballot.waiting.find(record.voter));
  ballot.votes.push_back(
      {std::string(record.voter), record.yes, record.by_person, std::string(record.reason)});
  ++(record.yes ? ballot.yes : ballot.no);
  return answer;
}

bool ConfigBook::decide(const DecideRecord& record, WallTime at) {
  const auto found = open_.find(record.proposal);
  if (found == open_.end()) return false;
  Ballot ballot = std::move(found->second);
  open_.erase(found);
  ballot.status = record.status;
  ballot.decided_at = at;
  if (record.status == ProposalStatus::Accepted) put_in_force(ballot);
  ballot.waiting.clear();
  std::erase_if(ballot.votes, [](const Ballot::Vote& vote) { return vote.reason.empty(); });
  if (ballot.votes.size() > limits::objections_kept) ballot.votes.resize(limits::objections_kept);
  const auto place = std::find_if(decided_.begin(), decided_.end(),
                                  [&](const Ballot& other) { return other.id > ballot.id; });
  decided_.insert(place, std::move(ballot));
  if (decided_.size() > limits::proposals_kept) decided_.pop_front();
  return true;
}

void ConfigBook::put_in_force(Ballot& ballot) {
  ballot.version = ++version_;
  if (ballot.kind == ProposalKind::ConfigChange) {
    entries_.insert_or_assign(ballot.subject, Entry{ballot.value, version_, ballot.id, ballot.decided_at});
  } else if (ballot.kind == ProposalKind::MembershipChange) {
    if (ballot.value != 0)
      forbidden_.insert(ballot.subject);
    else
      forbidden_.erase(ballot.subject);
  }
}

// ---- looking

ConfigValues ConfigBook::values() const {
  ConfigValues values;
  const Configuration configuration = configuration_of(*this);
  values.take(configuration.entries);
  return values;
}

const Ballot* ConfigBook::find(std::uint64_t id) const {
  if (const auto open = open_.find(id); open != open_.end()) return &open->second;
  const auto decided =
      std::find_if(decided_.begin(), decided_.end(), [&](const Ballot& ballot) { return ballot.id == id; });
  return decided == decided_.end() ? nullptr : &*decided;
}

const Ballot* ConfigBook::find_token(std::uint64_t token) const {
  for (const auto& [id, ballot] : open_)
    if (ballot.token == token) return &ballot;
  const auto decided = std::find_if(decided_.begin(), decided_.end(),
                                    [&](const Ballot& ballot) { return ballot.token == token; });
  return decided == decided_.end() ? nullptr : &*decided;
}

const Ballot* ConfigBook::find_open(ProposalKind kind, std::string_view subject) const {
  for (const auto& [id, ballot] : open_)
    if (ballot.kind == kind && ballot.subject == subject) return &ballot;
  return nullptr;
}

void ConfigBook::check_invariants() const {
  std::uint64_t last = 0;
  for (const auto& [id, ballot] : open_) {
    ENSURE(id == ballot.id && id < next_, "proposal", id, "next", next_);
    ENSURE(ballot.status == ProposalStatus::Pending && ballot.version == 0, "proposal", id);
    ENSURE(ballot.yes + ballot.no + ballot.waiting.size() == ballot.eligible, "proposal", id);
    ENSURE(ballot.votes.size() == ballot.yes + ballot.no, "proposal", id);
    ENSURE(find_open(ballot.kind, ballot.subject) == &ballot, "proposal", id);
  }
  for (const Ballot& ballot : decided_) {
    ENSURE(ballot.id > std::exchange(last, ballot.id) && ballot.id < next_, "proposal", ballot.id);
    ENSURE(!open_.contains(ballot.id) && ballot.status != ProposalStatus::Pending, "proposal", ballot.id);
    ENSURE((ballot.version != 0) == (ballot.status == ProposalStatus::Accepted), "proposal", ballot.id);
    ENSURE(ballot.version <= version_, "proposal", ballot.id, "version", ballot.version);
  }
  for (const auto& [key, entry] : entries_) ENSURE(entry.version <= version_, "key", key);
}

Proposal proposal_of(const Ballot& ballot, bool votes) {
  Proposal proposal{ballot.id,
                    ballot.kind,
                    ballot.subject,
                    ballot.value,
                    ballot.proposer,
                    ballot.proposed_at,
                    ballot.deadline,
                    ballot.decided_at,
                    ballot.status,
                    ballot.version,
                    ballot.eligible,
                    ballot.yes,
                    ballot.no,
                    {},
                    {}};
  for (const Ballot::Vote& vote : ballot.votes) {
    if (votes || (!vote.reason.empty() && proposal.votes.size() < limits::objections_kept))
      proposal.votes.push_back({vote.voter, vote.yes, vote.by_person, vote.reason});
  }
  if (votes) proposal.waiting.assign(ballot.waiting.begin(), ballot.waiting.end());
  return proposal;
}

Configuration configuration_of(const ConfigBook& book) {
  Configuration configuration;
  configuration.version = book.version();
  for (const auto& [key, entry] : book.entries())
    configuration.entries.push_back({key, entry.value, entry.version, entry.proposal, entry.since});
  for (const auto& [id, ballot] : book.open()) configuration.open.push_back(proposal_of(ballot, false));
  return configuration;
}

}  // namespace cidbus
