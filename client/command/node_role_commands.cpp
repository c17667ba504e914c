// Roles of the nodes of a cluster: shown, changed, and what each node has moved of itself.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>

#include "client/command/json_writer.h"
#include "client/command/proposal_text.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/core/article.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

using Row = std::vector<std::string>;

// Calls `take` with each of them, or the one that is named; views live during the call.
Status with_roles(Context& context, const std::string& node,
                  const std::function<void(const RoleReports&)>& take) {
  const RequestId request = context.next_request();
  bool found = false;
  const Status asked = context.ask(RoleQuery{request, node}, [&](const Message& message) {
    const auto* answer = std::get_if<RoleReports>(&message);
    if (answer == nullptr || answer->request != request) return false;
    found = node.empty() || !answer->nodes.empty();
    if (found) take(*answer);
    return true;
  });
  if (!asked || found) return asked;
  return fault(FaultKind::BadUsage,
               "there is no node '" + printable(node) + "'; 'cidbus role show' lists them");
}

Row heading(Output& output, std::initializer_list<const char*> names) {
  Row row;
  for (const char* name : names) row.push_back(output.heading(name));
  return row;
}

// ---- show

std::string_view changes_of(const NodeRole& node) {
  if (!node.changes) return "never";
  return node.by_itself ? "by itself" : "when told";
}

std::string json_of(const NodeRole& node) {
  JsonWriter json;
  json.open_object().name("name").string(node.node).name("role").string(to_text(node.role));
  json.name("state").string(to_text(node.state)).name("since").string_or_null(to_rfc3339(node.since));
  json.name("changes").string(changes_of(node));
  json.name("changing_to").string_or_null(node.next == Role::Client ? "" : to_text(node.next));
  json.name("roles").open_array();
  for (const RoleChance& chance : node.chances) {
    json.open_object().name("role").string(to_text(chance.role)).name("possible").boolean(chance.possible);
    json.name("score").decimal(chance.permille / 1000.0, 2).name("limit").string(chance.limit).close_object();
  }
  json.close_array().name("moved").open_array();
  for (const MovedSetting& setting : node.settings) {
    json.open_object().name("what").string(setting.what).name("now").string(setting.now);
    json.name("given").string(setting.given).close_object();
  }
  return json.close_array().close_object().text();
}

std::string roles_text(const NodeRole& node) {
  std::string text;
  for (const RoleChance& chance : node.chances)
    if (chance.possible) text += (text.empty() ? "" : ", ") + std::string(to_text(chance.role));
  return text.empty() ? "-" : text;
}

std::string settings_text(const NodeRole& node) {
  std::string text;
  for (const MovedSetting& setting : node.settings) {
    text += (text.empty() ? "" : ", ") + printable(setting.what) + " " + printable(setting.now);
    if (setting.now != setting.given) text += " of " + printable(setting.given);
  }
  return text.empty() ? "-" : text;
}

Row row_of(const NodeRole& node) {
  const std::string next = node.next == Role::Client ? "" : " -> " + std::string(to_text(node.next));
  return {printable(node.node),
          std::string(to_text(node.role)) + next,
          std::string(to_text(node.state)),
          node.since.milliseconds == 0 ? "-" : to_rfc3339(node.since),
          std::string(changes_of(node)),
          roles_text(node),
          settings_text(node)};
}

std::string score_text(const RoleChance& chance) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.2f", chance.permille / 1000.0);
  return text.data();
}

void print_chances(Output& output, const NodeRole& node) {
  if (node.chances.empty()) return;
  std::vector<Row> rows{heading(output, {"ROLE", "POSSIBLE", "SCORE", "LIMITED BY"})};
  for (const RoleChance& chance : node.chances) {
    rows.push_back({std::string(to_text(chance.role)), chance.possible ? "yes" : "no", score_text(chance),
                    printable(chance.limit)});
  }
  output.line("");
  output.table(rows);
}

Result<int> show(Context& context, const std::string& name) {
  Output& output = context.output();
  const Status asked = with_roles(context, name, [&](const RoleReports& reports) {
    std::vector<Row> rows{
        heading(output, {"NAME", "ROLE", "STATE", "SINCE", "CHANGES", "CAN BE", "LIVES BY"})};
    if (name.empty()) output.open_list();
    for (const NodeRole& node : reports.nodes) {
      if (output.is_json()) name.empty() ? output.item(json_of(node)) : output.line(json_of(node));
      if (output.format() == Format::Quiet)
        output.line(name.empty() ? printable(node.node) : to_text(node.role));
      rows.push_back(row_of(node));
    }
    if (name.empty()) output.close_list();
    if (output.format() != Format::Table) return;
    output.table(rows);
    if (!name.empty()) print_chances(output, reports.nodes.front());
  });
  if (!asked) return tl::unexpected(asked.error());
  return 0;
}

// ---- history

std::string json_of(const Move& move) {
  JsonWriter json;
  json.open_object().name("at").string(to_rfc3339(move.at)).name("what").string(move.what);
  json.name("from").string(move.from).name("to").string(move.to).name("reason").string(move.reason);
  return json.close_object().text();
}

Result<int> history(Context& context, const std::string& name) {
  Output& output = context.output();
  const Status asked = with_roles(context, name, [&](const RoleReports& reports) {
    std::vector<Row> rows{heading(output, {"AT", "WHAT", "FROM", "TO", "WHY"})};
    output.open_list();
    for (const Move& move : reports.nodes.front().moves) {
      if (output.is_json()) output.item(json_of(move));
      if (output.format() == Format::Quiet) output.line(printable(move.what) + " " + printable(move.to));
      rows.push_back({to_rfc3339(move.at), printable(move.what), printable(move.from), printable(move.to),
                      printable(move.reason)});
    }
    output.close_list();
    if (output.format() == Format::Table) output.table(rows);
  });
  if (!asked) return tl::unexpected(asked.error());
  return 0;
}

// ---- set

struct Order {
  std::string node;
  std::string role;
  bool force = false;
};

void print_change(Output& output, const RoleChangeAnswer& answer, const std::string& role) {
  const bool done = answer.outcome == RoleChangeOutcome::Done;
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("name").string(answer.node).name("role").string(role);
    json.name("outcome").string(done ? "done" : "begun").name("left_behind").string_or_null(answer.reason);
    return output.line(json.close_object().text());
  }
  if (output.format() == Format::Quiet) return output.line(role);
  output.line(printable(answer.node) +
              (done ? " is " + with_article(role) + " now" : " changes to " + with_article(role)) +
              (done ? "" : "; no broker is left to tell how that ends: see its log") +
              (answer.reason.empty() ? "" : "; left behind what only it had: " + printable(answer.reason)));
}

Result<int> set(Context& context, const Order& order) {
  const Status known = with_roles(context, order.node, [](const RoleReports&) {});
  if (!known) return tl::unexpected(known.error());
  const RequestId request = context.next_request();
  const RoleChange change{
      request, random_incarnation().value | 1, order.node, *parse_role(order.role), order.force, 0};
  Status ended;
  const Status asked = context.ask_patiently(change, [&](const Message& message) {
    const auto* answer = std::get_if<RoleChangeAnswer>(&message);
    if (answer == nullptr || answer->request != request) return false;
    const std::string reason = printable(answer->reason);
    if (answer->outcome == RoleChangeOutcome::Refused)
      ended = fault(FaultKind::NotAllowed, reason);
    else if (answer->outcome == RoleChangeOutcome::Failed)
      ended = fault(FaultKind::Failed, printable(answer->node) + " stays what it is: " + reason);
    else
      print_change(context.output(), *answer, order.role);
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  if (!ended) return tl::unexpected(ended.error());
  return 0;
}

void add_role_words(CLI::App& leaf, std::string& node, std::string& role) {
  leaf.add_option("NODE", node, "Name of the node")->type_name("NAME")->required();
  leaf.add_option("ROLE", role, "The role it is to be in")
      ->required()
      ->check(CLI::IsMember({"master", "worker", "leecher", "gateway", "observer"}));
}

void add_set(CommandRegistry& registry, CLI::App& group) {
  const auto order = std::make_shared<Order>();
  CLI::App& leaf =
      registry.leaf(group,
                    {"set",
                     "Change the role of a node that is run by cidbus-node, and wait until that is done. It "
                     "drains first, hands over its tasks and the blocks that only it has, and keeps the role "
                     "over restarts. Refused when its machine cannot carry the role, and, without --force, "
                     "for the last worker and for a broker that the quorum needs",
                     "  cidbus role set n1 gateway\n  cidbus role set n1 leecher --force --output json\n"},
                    [order](Context& context) { return set(context, *order); });
  add_role_words(leaf, order->node, order->role);
  leaf.add_flag(
      "--force", order->force,
      "Though it is the last worker or a broker that the quorum needs, and though blocks that only it has "
      "stay behind");
}

void add_propose(CommandRegistry& registry, CLI::App& group) {
  const auto wanted = std::make_shared<NewProposal>();
  wanted->kind = ProposalKind::RoleChange;
  CLI::App& leaf =
      registry.leaf(group,
                    {"propose",
                     "Propose to change the role of a node by vote. Once that is accepted the node changes, "
                     "as by 'role set' without --force; a node that is away does it when it is back",
                     "  cidbus role propose n1 gateway --wait\n"},
                    [wanted](Context& context) { return propose(context, *wanted); });
  add_role_words(leaf, wanted->subject, wanted->value);
  add_proposal_options(leaf, wanted->deadline, wanted->wait);
}

}  // namespace

void add_node_role_commands(CommandRegistry& registry, CLI::App& group) {
  const auto shown = std::make_shared<std::string>();
  registry
      .leaf(group,
            {"show",
             "Every node's role, whether it changes, what else it could be, and the numbers that it moves of "
             "itself as it lives by them now; of one NODE also each role's score and what limits it",
             "  cidbus role show\n  cidbus role show n1\n"},
            [shown](Context& context) { return show(context, *shown); })
      .add_option("NODE", *shown, "Name of a node")
      ->type_name("NAME");
  add_set(registry, group);
  add_propose(registry, group);
  const auto asked = std::make_shared<std::string>();
  registry
      .leaf(group,
            {"history",
             "What a node has moved of itself, or was told to: its role, and numbers such as its slots; from "
             "what, to what, when and why, oldest first",
             "  cidbus role history n1\n  cidbus role history n1 --output ndjson\n"},
            [asked](Context& context) { return history(context, *asked); })
      .add_option("NODE", *asked, "Name of a node")
      ->type_name("NAME")
      ->required();
}

}  // namespace cidbus
