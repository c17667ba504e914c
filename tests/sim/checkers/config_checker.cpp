#include "tests/sim/checkers/config_checker.h"

#include <algorithm>

#include "broker/tasks/records.h"
#include "shared/base/ensure.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {
namespace {

constexpr const char* one_vote_each = "config: a majority, one vote each";
constexpr const char* same_sequence = "config: the same sequence for all";

template <typename Record>
Record read(ByteView payload) {
  Record record;
  ENSURE(decode(payload, record), "a record that cannot be read");
  return record;
}

}  // namespace

void ConfigChecker::on_record(const RecordView& record) {
  const auto type = static_cast<RecordType>(record.type);
  if (type == RecordType::Propose) on_propose(read<ProposeRecord>(record.payload), record.time);
  if (type == RecordType::Vote) on_vote(read<VoteRecord>(record.payload));
  if (type == RecordType::Decide) on_decide(read<DecideRecord>(record.payload), record.time);
}

void ConfigChecker::on_propose(const ProposeRecord& record, WallTime time) {
  const bool about_the_same = std::any_of(
      open_.begin(), open_.end(), [&](const auto& entry) { return entry.second.key == record.subject; });
  if (about_the_same || !tokens_.insert(record.token).second) return;
  Open& open = open_[next_++];
  open.token = record.token;
  open.key = record.subject;
  open.value = record.value;
  open.deadline = time + record.deadline;
  open.voters.insert(record.voters.begin(), record.voters.end());
}

void ConfigChecker::on_vote(const VoteRecord& record) {
  const auto open = open_.find(record.proposal);
  const std::string voter(record.voter);
  if (open != open_.end() && open->second.voters.contains(voter))
    open->second.cast.emplace(voter, record.yes);
}

void ConfigChecker::on_decide(const DecideRecord& record, WallTime time) {
  const auto found = open_.find(record.proposal);
  if (found == open_.end()) return;  // of a leader that came later, or of the one before
  const Open open = found->second;
  open_.erase(found);
  const auto yes = static_cast<std::size_t>(
      std::count_if(open.cast.begin(), open.cast.end(), [](const auto& vote) { return vote.second; }));
  const std::size_t no = open.cast.size() - yes;
  if (record.status == ProposalStatus::Accepted) {
    check(2 * yes > open.voters.size(), one_vote_each, "proposal ", record.proposal, " was accepted with ",
          yes, " of ", open.voters.size());
    Values values = versions_.back();
    values[open.key] = open.value;
    versions_.push_back(std::move(values));
  } else if (record.status == ProposalStatus::Rejected) {
    check(2 * no >= open.voters.size(), one_vote_each, "proposal ", record.proposal, " was rejected with ",
          no, " against it of ", open.voters.size());
  } else {
    check(time >= open.deadline, "config: expires at its deadline", "proposal ", record.proposal);
  }
}

void ConfigChecker::on_told(const std::string& node, const Configuration& configuration) {
  if (!sees_commits_) return;
  check(configuration.version < versions_.size(), "I7 told after commit", node, " is told version ",
        configuration.version, " of the configuration, and ", version(), " is committed");
  std::uint64_t& newest = told_[node];
  check(configuration.version >= newest, same_sequence, node, " goes back from version ", newest, " to ",
        configuration.version);
  newest = configuration.version;
  Values values;
  for (const ConfigEntry& entry : configuration.entries) values[std::string(entry.key)] = entry.value;
  check(values == versions_[configuration.version], same_sequence, node, ", version ", configuration.version);
}

}  // namespace cidbus::sim
