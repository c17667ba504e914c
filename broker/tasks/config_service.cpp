#include "broker/tasks/config_service.h"

#include <algorithm>

#include "shared/base/limits/config.h"

namespace cidbus {
namespace {

constexpr std::chrono::milliseconds busy_retry{1000};
constexpr std::chrono::milliseconds default_deadline{60'000};

template <typename Record>
Bytes encoded(const Record& record) {
  Bytes payload;
  encode(record, payload);
  return payload;
}

// What is in force and the change with it.
ConfigValues with_change(const ConfigBook& book, std::string_view subject, std::int64_t value) {
  ConfigValues values = book.values();
  if (const auto key = find_config_key(subject)) values.set(*key, value);
  return values;
}

std::string_view text_of(ConfigBook::Answer answer) {
  using Answer = ConfigBook::Answer;
  if (answer == Answer::Double) return "has voted the other way already, and a vote is not changed";
  if (answer == Answer::Stranger) return "has no vote on this proposal: who has one is fixed when it is made";
  if (answer == Answer::Closed) return "comes too late: the proposal is decided";
  return "votes on no proposal that is known; 'cidbus config proposals' lists them";
}

}  // namespace

void ConfigService::take_office(Now now, const StateMachine& state) {
  state_ = &state;
  decide_what_is_due(now);
}

bool ConfigService::on_message(Now now, Peer peer, std::string_view sender, Role role,
                               const Message& message) {
  if (const auto* wanted = std::get_if<Propose>(&message)) {
    on_propose(now, peer, sender, *wanted);
  } else if (const auto* vote = std::get_if<CastVote>(&message)) {
    on_vote(peer, sender, role, *vote);
  } else if (const auto* question = std::get_if<ProposalsRequest>(&message)) {
    on_question(peer, *question);
  } else if (const auto* asked = std::get_if<ConfigRequest>(&message)) {
    on_config_question(peer, asked->request);
  } else {
    return false;
  }
  return true;
}

// ---- proposals

std::string ConfigService::config_objection(const Propose& wanted, std::int64_t& value) const {
  const auto key = find_config_key(wanted.subject);
  if (!key)
    return "there is no key '" + std::string(wanted.subject) + "'; 'cidbus config get' lists those there are";
  const ConfigKeyInfo& info = info_of(*key);
  const auto number = parse_config_value(info, wanted.value);
  if (!number) {
    return "'" + std::string(wanted.value) + "' is no value of " + std::string(info.name) + ", which goes " +
           bounds_text(info);
  }
  value = *number;
  return with_change(book(), info.name, value).contradiction();
}

std::string ConfigService::membership_objection(const Propose& wanted, std::int64_t& value) const {
  if (wanted.value != "forbid" && wanted.value != "allow")
    return "'" + std::string(wanted.value) + "' is no change of a member; give forbid or allow";
  value = wanted.value == "forbid" ? 1 : 0;
  const bool forbidden = book().forbidden().contains(wanted.subject);
  if (value == 0) return forbidden ? "" : "'" + std::string(wanted.subject) + "' is not forbidden";
  if (forbidden) return "'" + std::string(wanted.subject) + "' is forbidden already";
  if (is_broker_(wanted.subject))
    return "'" + std::string(wanted.subject) + "' is a broker of the group, which is fixed by --group";
  return book().forbidden().size() < limits::names_forbidden
             ? ""
             : "as many names are forbidden as can be; allow one first";
}

std::string ConfigService::role_change_objection(const Propose& wanted, std::int64_t& value) const {
  const auto role = parse_role(wanted.value);
  if (!role || *role == Role::Client)
    return "'" + std::string(wanted.value) +
           "' is no role; there are master, worker, leecher, gateway and observer";
  value = static_cast<std::int64_t>(*role);
  return role_objection_(wanted.subject, *role);
}

// Why it cannot even be voted on; empty when it can.
std::string ConfigService::objection(const Propose& wanted, std::int64_t& value) const {
  if (wanted.deadline.count() != 0 && (wanted.deadline < limits::proposal_deadline_least ||
                                       wanted.deadline > limits::proposal_deadline_most)) {
    return "a deadline goes from 1 s to 30 days";
  }
  if (wanted.kind == ProposalKind::MembershipChange) return membership_objection(wanted, value);
  if (wanted.kind == ProposalKind::RoleChange) return role_change_objection(wanted, value);
  return config_objection(wanted, value);
}

void ConfigService::on_propose(Now, Peer peer, std::string_view sender, const Propose& wanted) {
  if (const Ballot* known = book().find_token(wanted.token)) return tell(peer, wanted.request, known);
  const auto same = std::find_if(asked_.begin(), asked_.end(),
                                 [&](const Asked& asked) { return asked.token == wanted.token; });
  if (same != asked_.end()) {  // asked again, perhaps over another connection
    same->peer = peer;
    same->request = wanted.request;
    return;
  }
  if (!refusal_.empty()) return refuse(peer, Refusal::Exhausted, refusal_);
  std::int64_t value = 0;
  if (const std::string why = objection(wanted, value); !why.empty())
    return refuse(peer, Refusal::BadMessage, why);
  const auto coming =
      std::count_if(asked_.begin(), asked_.end(), [](const Asked& asked) { return asked.token != 0; });
  const bool on_its_way = std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) {
    return asked.token != 0 && asked.subject == wanted.subject;
  });
  const Ballot* const open = book().find_open(wanted.kind, wanted.subject);
  if (open != nullptr || on_its_way) {
    const std::string which = open == nullptr ? "a proposal" : "proposal " + std::to_string(open->id);
    return refuse(peer, Refusal::Exhausted,
                  which + " about " + std::string(wanted.subject) + " is open; wait until it is decided");
  }
  if (book().open().size() + static_cast<std::size_t>(coming) >= limits::proposals_open)
    return refuse(peer, Refusal::Exhausted, "as many proposals are open as can be; wait for one of them");
  std::vector<std::string> names = voters_();
  // A node that is to go has no say in it.
  if (wanted.kind == ProposalKind::MembershipChange) std::erase(names, wanted.subject);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const ProposeRecord record{wanted.token,
                             wanted.kind,
                             wanted.subject,
                             value,
                             sender,
                             wanted.deadline.count() == 0 ? default_deadline : wanted.deadline,
                             {names.begin(), names.end()}};
  const LogIndex index = output_.propose(RecordType::Propose, encoded(record), Urgency::Now);
  asked_.push_back({index, peer, wanted.request, wanted.token, 0, std::string(wanted.subject)});
}

// ---- votes

LogIndex ConfigService::record_vote(const VoteRecord& vote) {
  voting_.emplace(std::pair(vote.proposal, std::string(vote.voter)), vote.yes);
  return output_.propose(RecordType::Vote, encoded(vote), Urgency::Now);
}

void ConfigService::on_broker_vote(std::string_view broker, const VoteRecord& given) {
  VoteRecord vote = given;
  vote.voter = broker;
  const bool counts = book().judge(vote.proposal, broker, vote.yes) == ConfigBook::Answer::Counted;
  if (counts && !voting_.contains({vote.proposal, std::string(broker)})) record_vote(vote);
}

void ConfigService::on_vote(Peer peer, std::string_view sender, Role role, const CastVote& vote) {
  const bool by_person = role == Role::Client;
  std::vector<std::string> voters;
  if (!by_person) {
    voters.emplace_back(sender);
  } else if (!vote.voter.empty()) {
    voters.emplace_back(vote.voter);
  } else if (const Ballot* ballot = book().find(vote.proposal)) {
    voters.assign(ballot->waiting.begin(), ballot->waiting.end());
    if (voters.empty()) return tell(peer, vote.request, ballot);
  }
  LogIndex last;
  for (const std::string& voter : voters) {
    const auto coming = voting_.find({vote.proposal, voter});
    const bool by_name = !by_person || !vote.voter.empty();
    if (coming != voting_.end() && (coming->second == vote.yes || !by_name)) continue;
    const auto answer =
        coming != voting_.end() ? ConfigBook::Answer::Double : book().judge(vote.proposal, voter, vote.yes);
    if (answer == ConfigBook::Answer::Counted) {
      last = record_vote({vote.proposal, vote.yes, by_person, voter, vote.reason});
    } else if (answer != ConfigBook::Answer::Repeated) {
      const bool is_known = !by_person || book().find(vote.proposal) != nullptr;
      return refuse(peer, is_known ? Refusal::NotAllowed : Refusal::BadMessage,
                    "'" + voter + "' " + std::string(text_of(answer)));
    }
  }
  const Ballot* const ballot = book().find(vote.proposal);
  if (ballot == nullptr)
    return refuse(peer, Refusal::BadMessage,
                  "proposal " + std::to_string(vote.proposal) +
                      " is not known, or was forgotten; 'cidbus config proposals' lists them");
  if (last.value == 0) return tell(peer, vote.request, ballot);
  asked_.push_back({last, peer, vote.request, 0, vote.proposal});
}

// ---- questions

void ConfigService::tell(Peer peer, RequestId request, const Ballot* ballot) {
  Proposals answer{request, {}, false};
  if (ballot != nullptr) answer.proposals.push_back(proposal_of(*ballot, true));
  output_.send(peer, answer);
}

void ConfigService::refuse(Peer peer, Refusal why, std::string_view reason) {
  output_.send(peer, Refused{why, reason, why == Refusal::Exhausted ? busy_retry : busy_retry * 0});
}

void ConfigService::on_question(Peer peer, const ProposalsRequest& question) {
  if (question.id != 0) {
    const Ballot* const ballot = book().find(question.id);
    const bool waits = question.wait && ballot != nullptr && ballot->status == ProposalStatus::Pending;
    if (!waits) return tell(peer, question.request, ballot);
    if (waiting_.size() >= limits::proposal_waiters)
      return refuse(peer, Refusal::Exhausted, "too many wait for a decision");
    return waiting_.push_back({{}, peer, question.request, 0, question.id});
  }
  std::vector<const Ballot*> all;
  for (const auto& [id, ballot] : book().open()) all.push_back(&ballot);
  if (!question.only_open)
    for (const Ballot& ballot : book().decided()) all.push_back(&ballot);
  if (question.before != 0)
    std::erase_if(all, [&](const Ballot* ballot) { return ballot->id >= question.before; });
  std::sort(all.begin(), all.end(),
            [](const Ballot* one, const Ballot* other) { return one->id > other->id; });
  Proposals answer{question.request, {}, all.size() > limits::proposals_an_answer};
  if (answer.more) all.resize(limits::proposals_an_answer);
  for (const Ballot* ballot : all) answer.proposals.push_back(proposal_of(*ballot, false));
  output_.send(peer, answer);
}

void ConfigService::on_config_question(Peer peer, RequestId request) {
  Configuration answer = configuration_of(book());
  answer.request = request;
  answer.forbidden.assign(book().forbidden().begin(), book().forbidden().end());
  output_.send(peer, answer);
}

void ConfigService::on_peer_gone(Peer peer) {
  for (Asked& asked : asked_)
    if (asked.peer == peer) asked.peer = Peer::Nobody;
  std::erase_if(waiting_, [&](const Asked& waits) { return waits.peer == peer; });
}

// ---- what was applied

void ConfigService::on_applied(Now now, const Changes& changes) {
  if (changes.of_config) {
    for (const Change& change : changes.list)
      if (change.kind == ChangeKind::Decided) deciding_.erase(change.number);
  }
  while (!asked_.empty() && asked_.front().index <= changes.applied) {
    const Asked done = std::move(asked_.front());
    asked_.pop_front();
    tell(done.peer, done.request,
         done.token != 0 ? book().find_token(done.token) : book().find(done.proposal));
  }
  if (!changes.of_config) return;
  std::erase_if(voting_, [&](const auto& vote) {
    const auto& [proposal, voter] = vote.first;
    const Ballot* const ballot = book().find(proposal);
    return ballot == nullptr || !ballot->waiting.contains(voter);
  });
  std::erase_if(waiting_, [&](const Asked& waits) {
    const Ballot* const ballot = book().find(waits.proposal);
    if (ballot != nullptr && ballot->status == ProposalStatus::Pending) return false;
    tell(waits.peer, waits.request, ballot);
    return true;
  });
  decide_what_is_due(now);
}

void ConfigService::decide(std::uint64_t proposal, ProposalStatus status) {
  deciding_.insert(proposal);
  output_.propose(RecordType::Decide, encoded(DecideRecord{proposal, status}), Urgency::Now);
}

// One acceptance at a time, so that what contradicts it is seen before it is accepted too.
void ConfigService::decide_what_is_due(Now now) {
  for (const auto& [id, ballot] : book().open()) {
    if (deciding_.contains(id)) continue;
    ProposalStatus status = ballot.count();
    if (status == ProposalStatus::Pending && now.wall >= ballot.deadline) status = ProposalStatus::Expired;
    if (status == ProposalStatus::Pending) continue;
    if (status == ProposalStatus::Accepted) {
      if (!deciding_.empty()) continue;
      const bool changes_config = ballot.kind == ProposalKind::ConfigChange;
      if (changes_config && !with_change(book(), ballot.subject, ballot.value).contradiction().empty())
        status = ProposalStatus::Rejected;
    }
    decide(id, status);
  }
}

Monotonic ConfigService::tick(Now now) {
  decide_what_is_due(now);
  Monotonic next = Monotonic::max();
  for (const auto& [id, ballot] : book().open()) {
    if (deciding_.contains(id) || ballot.count() != ProposalStatus::Pending) continue;
    const auto left = std::max(ballot.deadline - now.wall, std::chrono::milliseconds(0));
    next = std::min(next, now.monotonic + std::min(left, std::chrono::milliseconds(3'600'000)));
  }
  return next;
}

}  // namespace cidbus
