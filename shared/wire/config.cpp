#include "shared/base/limits/config.h"

#include "shared/base/limits/words.h"
#include "shared/content/quote.h"
#include "shared/wire/values.h"

namespace cidbus::wire {
namespace {

constexpr const char* bad_voter = "a voter that is not a name";

template <typename Container>
unsigned size_of(const Container& container) {
  return static_cast<unsigned>(container.size());
}

std::string_view get_vote_reason(capnp::Text::Reader in, Checks& checks) {
  const std::string_view reason = checks.text(in, limits::vote_reason_length, "a reason over 255 bytes");
  checks.require(is_plain_line(reason), "a reason with control characters, or not in UTF-8");
  return reason;
}

std::string_view get_subject(capnp::Text::Reader in, Checks& checks) {
  const std::string_view subject = checks.name(in, "a key, or a node, that is not a name");
  checks.require(!subject.empty(), "a proposal about nothing");
  return subject;
}

template <typename List>
std::vector<Proposal> get_proposals(const List& in, Checks& checks, std::size_t most) {
  std::vector<Proposal> proposals(checks.count(in, "too many proposals", most));
  for (unsigned place = 0; place < proposals.size(); ++place) proposals[place] = get(in[place], checks);
  return proposals;
}

template <typename List>
std::vector<std::string_view> get_nodes(const List& in, Checks& checks, std::size_t most) {
  std::vector<std::string_view> names(checks.count(in, "too many names of nodes", most));
  for (unsigned place = 0; place < names.size(); ++place) names[place] = checks.name(in[place], bad_voter);
  return names;
}

}  // namespace

void put(schema::Proposal::Builder out, const Proposal& proposal) {
  out.setId(proposal.id);
  out.setKind(static_cast<schema::ProposalKind>(proposal.kind));
  out.setSubject(text_of(proposal.subject));
  out.setValue(proposal.value);
  out.setProposer(text_of(proposal.proposer));
  out.setProposedAt(proposal.proposed_at.milliseconds);
  out.setDeadline(proposal.deadline.milliseconds);
  out.setDecidedAt(proposal.decided_at.milliseconds);
  out.setStatus(static_cast<schema::ProposalStatus>(proposal.status));
  out.setVersion(proposal.version);
  out.setEligible(proposal.eligible);
  out.setYes(proposal.yes);
  out.setNo(proposal.no);
  auto votes = out.initVotes(size_of(proposal.votes));
  for (unsigned place = 0; place < votes.size(); ++place) {
    const VoteInfo& vote = proposal.votes[place];
    votes[place].setVoter(text_of(vote.voter));
    votes[place].setYes(vote.yes);
    votes[place].setByPerson(vote.by_person);
    if (!vote.reason.empty()) votes[place].setReason(text_of(vote.reason));
  }
  auto waiting = out.initWaiting(size_of(proposal.waiting));
  for (unsigned place = 0; place < waiting.size(); ++place)
    waiting.set(place, text_of(proposal.waiting[place]));
}

Proposal get(schema::Proposal::Reader in, Checks& checks) {
  Proposal proposal;
  proposal.id = in.getId();
  proposal.kind = checks.pick(in.getKind(), ProposalKind::RoleChange, "an unknown kind of proposal");
  proposal.subject = get_subject(in.getSubject(), checks);
  proposal.value = in.getValue();
  checks.require(proposal.kind != ProposalKind::RoleChange || is_node_role(proposal.value),
                 "a change to a role that there is not");
  proposal.proposer = checks.name(in.getProposer(), "a proposer that is not a name");
  proposal.proposed_at = {in.getProposedAt()};
  proposal.deadline = {in.getDeadline()};
  proposal.decided_at = {in.getDecidedAt()};
  proposal.status = checks.pick(in.getStatus(), ProposalStatus::Expired, "an unknown status of a proposal");
  proposal.version = in.getVersion();
  proposal.eligible = in.getEligible();
  proposal.yes = in.getYes();
  proposal.no = in.getNo();
  const auto votes = in.getVotes();
  proposal.votes.resize(checks.count(votes, "more votes than there may be voters", limits::voters));
  for (unsigned place = 0; place < proposal.votes.size(); ++place) {
    const auto vote = votes[place];
    proposal.votes[place] = {checks.name(vote.getVoter(), bad_voter), vote.getYes(), vote.getByPerson(),
                             get_vote_reason(vote.getReason(), checks)};
  }
  proposal.waiting = get_nodes(in.getWaiting(), checks, limits::voters);
  return proposal;
}

void put(schema::Configuration::Builder out, const Configuration& configuration) {
  out.setRequest(configuration.request.value);
  out.setVersion(configuration.version);
  auto entries = out.initEntries(size_of(configuration.entries));
  for (unsigned place = 0; place < entries.size(); ++place) {
    const ConfigEntry& entry = configuration.entries[place];
    entries[place].setKey(text_of(entry.key));
    entries[place].setValue(entry.value);
    entries[place].setVersion(entry.version);
    entries[place].setProposal(entry.proposal);
    entries[place].setSince(entry.since.milliseconds);
  }
  auto forbidden = out.initForbidden(size_of(configuration.forbidden));
  for (unsigned place = 0; place < forbidden.size(); ++place)
    forbidden.set(place, text_of(configuration.forbidden[place]));
  auto open = out.initOpen(size_of(configuration.open));
  for (unsigned place = 0; place < open.size(); ++place) put(open[place], configuration.open[place]);
}

Configuration get(schema::Configuration::Reader in, Checks& checks) {
  Configuration configuration;
  configuration.request = {in.getRequest()};
  configuration.version = in.getVersion();
  const auto entries = in.getEntries();
  configuration.entries.resize(checks.count(entries, "too many keys", limits::config_keys));
  for (unsigned place = 0; place < configuration.entries.size(); ++place) {
    const auto entry = entries[place];
    configuration.entries[place] = {get_subject(entry.getKey(), checks), entry.getValue(), entry.getVersion(),
                                    entry.getProposal(), WallTime{entry.getSince()}};
  }
  configuration.forbidden = get_nodes(in.getForbidden(), checks, limits::names_forbidden);
  configuration.open = get_proposals(in.getOpen(), checks, limits::proposals_open);
  return configuration;
}

void put(schema::Propose::Builder out, const Propose& propose) {
  out.setRequest(propose.request.value);
  out.setToken(propose.token);
  out.setKind(static_cast<schema::ProposalKind>(propose.kind));
  out.setSubject(text_of(propose.subject));
  out.setValue(text_of(propose.value));
  out.setDeadlineMs(static_cast<std::uint64_t>(propose.deadline.count()));
}

Propose get(schema::Propose::Reader in, Checks& checks) {
  Propose propose{RequestId{in.getRequest()},
                  in.getToken(),
                  checks.pick(in.getKind(), ProposalKind::RoleChange, "an unknown kind of proposal"),
                  get_subject(in.getSubject(), checks),
                  checks.text(in.getValue(), limits::config_value_length, "a value over 64 bytes"),
                  checks.milliseconds(in.getDeadlineMs())};
  checks.require(is_plain_line(propose.value), "a value with control characters, or not in UTF-8");
  checks.require(propose.token != 0, "a proposal without a token");
  return propose;
}

void put(schema::CastVote::Builder out, const CastVote& vote) {
  out.setRequest(vote.request.value);
  out.setProposal(vote.proposal);
  if (!vote.voter.empty()) out.setVoter(text_of(vote.voter));
  out.setYes(vote.yes);
  if (!vote.reason.empty()) out.setReason(text_of(vote.reason));
}

CastVote get(schema::CastVote::Reader in, Checks& checks) {
  return {RequestId{in.getRequest()}, in.getProposal(), checks.name(in.getVoter(), bad_voter), in.getYes(),
          get_vote_reason(in.getReason(), checks)};
}

void put(schema::ProposalsRequest::Builder out, const ProposalsRequest& request) {
  out.setRequest(request.request.value);
  out.setId(request.id);
  out.setWait(request.wait);
  out.setOnlyOpen(request.only_open);
  out.setBefore(request.before);
}

ProposalsRequest get(schema::ProposalsRequest::Reader in, Checks& checks) {
  checks.require(!in.getWait() || in.getId() != 0, "a wait for no proposal");
  return {RequestId{in.getRequest()}, in.getId(), in.getWait(), in.getOnlyOpen(), in.getBefore()};
}

void put(schema::Proposals::Builder out, const Proposals& proposals) {
  out.setRequest(proposals.request.value);
  auto all = out.initProposals(size_of(proposals.proposals));
  for (unsigned place = 0; place < all.size(); ++place) put(all[place], proposals.proposals[place]);
  out.setMore(proposals.more);
}

Proposals get(schema::Proposals::Reader in, Checks& checks) {
  return {RequestId{in.getRequest()}, get_proposals(in.getProposals(), checks, limits::proposals_an_answer),
          in.getMore()};
}

}  // namespace cidbus::wire
