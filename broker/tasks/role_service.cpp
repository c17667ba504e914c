#include "broker/tasks/role_service.h"

#include <algorithm>

#include "shared/base/limits/roles.h"
#include "shared/base/limits/tasks.h"
#include "shared/core/article.h"

namespace cidbus {
namespace {

std::string text(std::string_view view) { return std::string(view); }
std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

bool is_live(MemberState state) { return state <= MemberState::Suspect; }

// Room for one more: of what somebody told who is gone; false when all are there.
template <typename Map, typename IsGone>
bool make_room(Map& map, std::size_t most, IsGone is_gone) {
  if (map.size() < most) return true;
  const auto gone = std::find_if(map.begin(), map.end(), is_gone);
  if (gone == map.end()) return false;
  map.erase(gone);
  return true;
}

}  // namespace

bool RoleService::on_message(Peer peer, std::string_view sender, const Message& message) {
  if (const auto* moves = std::get_if<Moves>(&message)) {
    on_moves(peer, sender, *moves);
  } else if (const auto* report = std::get_if<RoleReport>(&message)) {
    on_report(peer, sender, *report);
  } else if (const auto* query = std::get_if<RoleQuery>(&message)) {
    on_query(peer, *query);
  } else if (const auto* change = std::get_if<RoleChange>(&message)) {
    on_change(peer, *change);
  } else if (const auto* answer = std::get_if<RoleChangeAnswer>(&message)) {
    on_answer(sender, *answer);
  } else {
    return false;
  }
  return true;
}

// ---- what nodes tell

void RoleService::on_moves(Peer peer, std::string_view sender, const Moves& moves) {
  const auto is_gone = [](const auto& told) { return told.second.peer == Peer::Nobody; };
  if (!told_.contains(sender) && !make_room(told_, 2 * limits::members, is_gone)) return;
  Told& told = told_[text(sender)];
  told = {peer, {}, {}};
  for (const MovedSetting& setting : moves.settings)
    told.settings.push_back({text(setting.what), text(setting.now), text(setting.given)});
  for (const Move& move : moves.moves)
    told.moves.push_back({move.at, text(move.what), text(move.from), text(move.to), text(move.reason)});
}

void RoleService::on_report(Peer peer, std::string_view sender, const RoleReport& said) {
  if (sender != agent_name(said.node))
    return output_.send(peer, Refused{Refusal::NotAllowed, "an agent reports of its own node alone", {}});
  const auto is_gone = [](const auto& report) { return report.second.agent == Peer::Nobody; };
  if (!reports_.contains(said.node) && !make_room(reports_, limits::members, is_gone)) return;
  Report& report = reports_[text(said.node)];
  const bool is_same = report.agent == peer;  // an order to it may still be on its way
  report = {peer,
            said.role,
            said.next,
            said.since,
            said.by_itself,
            said.proposal,
            {},
            is_same ? report.ordered : 0,
            is_same ? report.ordered_role : Role::Client};
  for (const RoleChance& chance : said.chances)
    report.chances.push_back({chance.role, chance.possible, chance.permille, text(chance.limit)});
  for (const Asked& asked : asked_) {
    if (asked.node == said.node)
      give(report, RoleChange{{}, asked.token, asked.node, asked.role, asked.force, 0});
  }
  carry_out_votes(said.node);
}

const RoleService::Report* RoleService::agent_of(std::string_view node) const {
  const auto found = reports_.find(node);
  return found == reports_.end() || found->second.agent == Peer::Nobody ? nullptr : &found->second;
}

void RoleService::on_peer_gone(Peer peer) {
  for (auto& [node, report] : reports_)
    if (report.agent == peer) report.agent = Peer::Nobody;
  for (auto& [sender, told] : told_)
    if (told.peer == peer) told.peer = Peer::Nobody;
  std::erase_if(asked_, [&](const Asked& asked) { return asked.peer == peer; });
}

// ---- questions

void RoleService::add_told(NodeRole& node, std::string_view sender, bool with_moves) const {
  const auto found = told_.find(sender);
  if (found == told_.end()) return;
  const Told& told = found->second;
  if (told.peer != Peer::Nobody) {  // what one that is gone lived by is no news
    for (const Setting& setting : told.settings)
      node.settings.push_back({setting.what, setting.now, setting.given});
  }
  if (!with_moves) return;
  for (const Moved& move : told.moves)
    node.moves.push_back({move.at, move.what, move.from, move.to, move.reason});
}

NodeRole RoleService::describe(const RoleFacts::Node& fact, bool with_moves) const {
  NodeRole node;
  node.node = fact.name;
  node.role = fact.role;
  node.state = fact.state;
  node.since = fact.since;
  if (const Report* const report = agent_of(fact.name)) {
    node.role = report->role;
    node.changes = true;
    node.by_itself = report->by_itself;
    node.next = report->heading();
    node.since = report->since;
    for (const Chance& chance : report->chances)
      node.chances.push_back({chance.role, chance.possible, chance.permille, chance.limit});
  }
  add_told(node, fact.name, with_moves);
  add_told(node, agent_name(fact.name), with_moves);
  std::stable_sort(node.moves.begin(), node.moves.end(), [](const Move& one, const Move& other) {
    return one.at.milliseconds < other.at.milliseconds;
  });
  return node;
}

void RoleService::on_query(Peer peer, const RoleQuery& query) {
  std::map<std::string_view, RoleFacts::Node> nodes;
  for (const RoleFacts::Node& node : facts_.nodes()) {
    // A broker of the group that is in another role now is both.
    const auto [at, is_new] = nodes.try_emplace(node.name, node);
    if (!is_new && !is_live(at->second.state)) at->second = node;
  }
  for (const auto& [name, report] : reports_)
    if (report.agent != Peer::Nobody) nodes.try_emplace(name, RoleFacts::Node{name, report.role, {}, {}});
  RoleReports answer{query.request, {}};
  for (const auto& [name, node] : nodes) {
    if (answer.nodes.size() == limits::items_a_message) break;
    if (query.node.empty() || query.node == name) answer.nodes.push_back(describe(node, !query.node.empty()));
  }
  output_.send(peer, answer);
}

// ---- changes

void RoleService::give(Report& report, const RoleChange& order) {
  report.ordered = order.token;
  report.ordered_role = order.role;
  output_.send(report.agent, order);
}

bool RoleService::is_leaving(std::string_view node) const {
  const Report* const report = agent_of(node);
  return report != nullptr && report->heading() != Role::Client;
}

// Whether, by its agent's word, it is not in that role, or not for long.
bool RoleService::is_away(std::string_view node, Role role) const {
  const Report* const report = agent_of(node);
  return report != nullptr && (report->role != role || report->heading() != Role::Client);
}

std::string RoleService::loss_of(std::string_view broker) const {
  std::vector<std::string_view> away;
  for (const auto& [name, report] : reports_)
    if (name != broker && facts_.is_of_group(name) && is_away(name, Role::Master)) away.push_back(name);
  return facts_.loss_of(broker, away);
}

std::string RoleService::objection(std::string_view node, Role role, bool force) const {
  const auto nodes = facts_.nodes();
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const RoleFacts::Node& one) { return one.name == node; });
  const Report* const report = agent_of(node);
  if (report == nullptr && found == nodes.end())
    return "there is no node " + quoted(node) + "; 'cidbus role show' lists them";
  if (report == nullptr) {
    return quoted(node) + " is run by a program that is " + with_article(to_text(found->role)) +
           " and nothing else; a node started as cidbus-node changes its role";
  }
  if (role == Role::Master && !facts_.is_of_group(node))
    return quoted(node) + " is no broker of the group, which is fixed by --group";
  for (const Chance& chance : report->chances) {
    if (chance.role == role && !chance.possible)
      return quoted(node) + " cannot carry " + with_article(to_text(role)) + ": " + chance.limit;
  }
  if (force || role == report->role) return {};
  if (report->role == Role::Master && facts_.is_of_group(node)) return loss_of(node);
  const bool others_work = std::any_of(nodes.begin(), nodes.end(), [&](const RoleFacts::Node& one) {
    return one.name != node && one.role == Role::Worker && is_live(one.state) &&
           !is_away(one.name, Role::Worker);
  });
  return report->role != Role::Worker || others_work
             ? ""
             : quoted(node) + " is the last worker: tasks would wait, and content be out of reach";
}

void RoleService::on_change(Peer peer, const RoleChange& change) {
  const auto answer = [&](RoleChangeOutcome outcome, std::string_view reason) {
    output_.send(peer, RoleChangeAnswer{change.request, change.token, change.node, outcome, reason});
  };
  if (const std::string why = objection(change.node, change.role, change.force); !why.empty())
    return answer(RoleChangeOutcome::Refused, why);
  Report& report = reports_.find(change.node)->second;
  if (report.role == change.role && report.next == Role::Client) return answer(RoleChangeOutcome::Done, {});
  const bool is_last_answer =
      report.role == Role::Master && facts_.is_of_group(change.node) && !loss_of(change.node).empty();
  const bool is_known = std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) {
    return asked.peer == peer && asked.request == change.request;
  });
  if (!is_known && asked_.size() >= limits::role_changes)
    return answer(RoleChangeOutcome::Refused, "too many changes of roles are under way; try again");
  if (!is_known && !is_last_answer) {
    asked_.push_back({peer, change.request, change.token, text(change.node), change.role, change.force});
  }
  give(report, RoleChange{{}, change.token, change.node, change.role, change.force, 0});
  if (is_last_answer) answer(RoleChangeOutcome::Begun, {});
}

void RoleService::on_answer(std::string_view sender, const RoleChangeAnswer& told) {
  if (sender != agent_name(told.node)) return;
  const auto report = reports_.find(told.node);
  if (report != reports_.end() && report->second.ordered == told.token) report->second.ordered = 0;
  std::erase_if(asked_, [&](const Asked& asked) {
    if (asked.token != told.token || asked.node != told.node) return false;
    output_.send(asked.peer,
                 RoleChangeAnswer{asked.request, told.token, told.node, told.outcome, told.reason});
    return true;
  });
}

// ---- changes by vote

// The newest one counts. What cannot be done now, because it is the last worker, is tried at its next report.
void RoleService::carry_out_votes(std::string_view node) {
  const auto found = reports_.find(node);
  if (found == reports_.end() || found->second.agent == Peer::Nobody || state_ == nullptr) return;
  Report& report = found->second;
  const auto& decided = state_->config().decided();
  const auto newest = std::find_if(decided.rbegin(), decided.rend(), [&](const Ballot& ballot) {
    return ballot.kind == ProposalKind::RoleChange && ballot.subject == node &&
           ballot.status == ProposalStatus::Accepted;
  });
  if (newest == decided.rend() || newest->id <= report.proposal) return;
  const auto role = static_cast<Role>(newest->value);
  if (!objection(node, role, false).empty()) return;
  give(report, RoleChange{{}, newest->token, node, role, false, newest->id});
}

void RoleService::on_applied(const Changes& changes) {
  if (!changes.of_config) return;
  for (const Change& change : changes.list) {
    if (change.kind != ChangeKind::Decided || !change.flag) continue;
    const Ballot* const ballot = state_->config().find(change.number);
    if (ballot != nullptr && ballot->kind == ProposalKind::RoleChange) carry_out_votes(ballot->subject);
  }
}

}  // namespace cidbus
