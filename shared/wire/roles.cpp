#include "shared/base/limits/roles.h"

#include "shared/base/limits/words.h"
#include "shared/content/quote.h"
#include "shared/wire/values.h"

namespace cidbus::wire {
namespace {

constexpr const char* no_name = "a node that is not a name";

template <typename Container>
unsigned size_of(const Container& container) {
  return static_cast<unsigned>(container.size());
}

std::string_view get_line(capnp::Text::Reader in, Checks& checks, std::size_t most) {
  const std::string_view line = checks.text(in, most, "a line on what was moved that is too long");
  checks.require(is_plain_line(line), "a line on what was moved with control characters, or not in UTF-8");
  return line;
}

std::string_view get_node(capnp::Text::Reader in, Checks& checks) {
  const std::string_view node = checks.name(in, no_name);
  checks.require(!node.empty(), "a role of no node");
  return node;
}

Role get_role(schema::Role in, Checks& checks) { return checks.pick(in, Role::Client, "an unknown role"); }

void put_moves(capnp::List<schema::Move>::Builder out, const std::vector<Move>& moves) {
  for (unsigned place = 0; place < out.size(); ++place) {
    out[place].setAt(moves[place].at.milliseconds);
    out[place].setWhat(text_of(moves[place].what));
    out[place].setFrom(text_of(moves[place].from));
    out[place].setTo(text_of(moves[place].to));
    out[place].setReason(text_of(moves[place].reason));
  }
}

std::vector<Move> get_moves(capnp::List<schema::Move>::Reader in, Checks& checks, std::size_t most) {
  std::vector<Move> moves(checks.count(in, "too many moves", most));
  for (unsigned place = 0; place < moves.size(); ++place) {
    const auto move = in[place];
    moves[place] = {WallTime{move.getAt()}, get_line(move.getWhat(), checks, limits::move_text),
                    get_line(move.getFrom(), checks, limits::move_text),
                    get_line(move.getTo(), checks, limits::move_text),
                    get_line(move.getReason(), checks, limits::move_reason)};
  }
  return moves;
}

void put_settings(capnp::List<schema::MovedSetting>::Builder out, const std::vector<MovedSetting>& settings) {
  for (unsigned place = 0; place < out.size(); ++place) {
    out[place].setWhat(text_of(settings[place].what));
    out[place].setNow(text_of(settings[place].now));
    out[place].setGiven(text_of(settings[place].given));
  }
}

std::vector<MovedSetting> get_settings(capnp::List<schema::MovedSetting>::Reader in, Checks& checks,
                                       std::size_t most) {
  std::vector<MovedSetting> settings(checks.count(in, "too many settings moved", most));
  for (unsigned place = 0; place < settings.size(); ++place) {
    settings[place] = {get_line(in[place].getWhat(), checks, limits::move_text),
                       get_line(in[place].getNow(), checks, limits::move_text),
                       get_line(in[place].getGiven(), checks, limits::move_text)};
  }
  return settings;
}

void put_chances(capnp::List<schema::RoleChance>::Builder out, const std::vector<RoleChance>& chances) {
  for (unsigned place = 0; place < out.size(); ++place) {
    out[place].setRole(static_cast<schema::Role>(chances[place].role));
    out[place].setPossible(chances[place].possible);
    out[place].setPermille(chances[place].permille);
    out[place].setLimit(text_of(chances[place].limit));
  }
}

std::vector<RoleChance> get_chances(capnp::List<schema::RoleChance>::Reader in, Checks& checks) {
  std::vector<RoleChance> chances(checks.count(in, "more roles than there are", limits::roles_a_node));
  for (unsigned place = 0; place < chances.size(); ++place) {
    chances[place] = {get_role(in[place].getRole(), checks), in[place].getPossible(), in[place].getPermille(),
                      get_line(in[place].getLimit(), checks, limits::move_reason)};
  }
  return chances;
}

}  // namespace

void put(schema::Moves::Builder out, const Moves& moves) {
  put_settings(out.initSettings(size_of(moves.settings)), moves.settings);
  put_moves(out.initMoves(size_of(moves.moves)), moves.moves);
}

Moves get(schema::Moves::Reader in, Checks& checks) {
  return {get_settings(in.getSettings(), checks, limits::settings_moved),
          get_moves(in.getMoves(), checks, limits::moves_kept)};
}

void put(schema::RoleReport::Builder out, const RoleReport& report) {
  out.setNode(text_of(report.node));
  out.setRole(static_cast<schema::Role>(report.role));
  out.setNext(static_cast<schema::Role>(report.next));
  out.setSince(report.since.milliseconds);
  out.setByItself(report.by_itself);
  out.setProposal(report.proposal);
  put_chances(out.initChances(size_of(report.chances)), report.chances);
}

RoleReport get(schema::RoleReport::Reader in, Checks& checks) {
  return {get_node(in.getNode(), checks),
          get_role(in.getRole(), checks),
          get_role(in.getNext(), checks),
          WallTime{in.getSince()},
          in.getByItself(),
          in.getProposal(),
          get_chances(in.getChances(), checks)};
}

void put(schema::RoleReports::Builder out, const RoleReports& reports) {
  out.setRequest(reports.request.value);
  auto nodes = out.initNodes(size_of(reports.nodes));
  for (unsigned place = 0; place < nodes.size(); ++place) {
    const NodeRole& node = reports.nodes[place];
    auto to = nodes[place];
    to.setNode(text_of(node.node));
    to.setRole(static_cast<schema::Role>(node.role));
    to.setState(static_cast<schema::MemberState>(node.state));
    to.setChanges(node.changes);
    to.setByItself(node.by_itself);
    to.setNext(static_cast<schema::Role>(node.next));
    to.setSince(node.since.milliseconds);
    put_chances(to.initChances(size_of(node.chances)), node.chances);
    put_settings(to.initSettings(size_of(node.settings)), node.settings);
    put_moves(to.initMoves(size_of(node.moves)), node.moves);
  }
}

RoleReports get(schema::RoleReports::Reader in, Checks& checks) {
  RoleReports reports{RequestId{in.getRequest()}, {}};
  const auto nodes = in.getNodes();
  reports.nodes.resize(checks.count(nodes, "too many nodes"));
  for (unsigned place = 0; place < reports.nodes.size(); ++place) {
    const auto node = nodes[place];
    reports.nodes[place] = {get_node(node.getNode(), checks),
                            get_role(node.getRole(), checks),
                            checks.pick(node.getState(), MemberState::Dead, "an unknown member state"),
                            node.getChanges(),
                            node.getByItself(),
                            get_role(node.getNext(), checks),
                            WallTime{node.getSince()},
                            get_chances(node.getChances(), checks),
                            get_settings(node.getSettings(), checks, 2 * limits::settings_moved),
                            get_moves(node.getMoves(), checks, 2 * limits::moves_kept)};
  }
  return reports;
}

void put(schema::RoleChange::Builder out, const RoleChange& change) {
  out.setRequest(change.request.value);
  out.setToken(change.token);
  out.setNode(text_of(change.node));
  out.setRole(static_cast<schema::Role>(change.role));
  out.setForce(change.force);
  out.setProposal(change.proposal);
}

RoleChange get(schema::RoleChange::Reader in, Checks& checks) {
  const RoleChange change{RequestId{in.getRequest()},     in.getToken(), get_node(in.getNode(), checks),
                          get_role(in.getRole(), checks), in.getForce(), in.getProposal()};
  checks.require(change.token != 0, "a change of a role without a token");
  checks.require(change.role != Role::Client, "a node cannot be a client");
  return change;
}

void put(schema::RoleChangeAnswer::Builder out, const RoleChangeAnswer& answer) {
  out.setRequest(answer.request.value);
  out.setToken(answer.token);
  out.setNode(text_of(answer.node));
  out.setOutcome(static_cast<schema::RoleChangeOutcome>(answer.outcome));
  if (!answer.reason.empty()) out.setReason(text_of(answer.reason));
}

RoleChangeAnswer get(schema::RoleChangeAnswer::Reader in, Checks& checks) {
  return {RequestId{in.getRequest()}, in.getToken(), get_node(in.getNode(), checks),
          checks.pick(in.getOutcome(), RoleChangeOutcome::Failed, "an unknown outcome"),
          get_line(in.getReason(), checks, limits::text_length)};
}

}  // namespace cidbus::wire
