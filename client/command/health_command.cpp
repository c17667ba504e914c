#include <CLI/CLI.hpp>

#include "client/command/group_status.h"
#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/io/clock.h"
#include "shared/node/health.h"

namespace cidbus {
namespace {

constexpr int warning_code = 3;
constexpr int critical_code = 4;

// What a leader says of nodes and tasks; nothing when none does.
struct LeadersWord {
  std::optional<std::vector<NodeSigns>> nodes;
  std::optional<std::uint64_t> tasks_open;
};

LeadersWord ask_leader(Context& context) {
  LeadersWord word;
  const RequestId request = context.next_request();
  static_cast<void>(context.ask_at_once(SnapshotRequest{request}, [&](const Message& message) {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return false;
    word.nodes.emplace();
    for (const Member& member : snapshot->members) word.nodes->push_back(signs_of(member, read_clock().wall));
    word.tasks_open = 0;
    for (std::size_t state = 0; state < snapshot->tasks_by_state.size(); ++state)
      if (!is_final(static_cast<TaskState>(state))) *word.tasks_open += snapshot->tasks_by_state[state];
    return true;
  }));
  return word;
}

void write_health(JsonWriter& json, const Health& health) {
  json.name("status").string(to_text(health.status)).name("reasons").open_array();
  for (const std::string& reason : health.reasons) json.string(reason);
  json.close_array();
}

std::string health_json(const std::string& cluster, const Health& health, const LeadersWord& word) {
  JsonWriter json;
  json.open_object().name("cluster").string(cluster);
  write_health(json, health);
  json.name("nodes");
  if (!word.nodes) return json.null().close_object().text();
  json.open_array();
  for (const NodeSigns& node : *word.nodes) {
    json.open_object().name("name").string(node.name).name("role").string(to_text(node.role));
    write_health(json, health_of(node));
    json.close_object();
  }
  return json.close_array().close_object().text();
}

void print_health(Context& context, const Health& health, const LeadersWord& word) {
  Output& output = context.output();
  output.line("cluster " + printable(context.common().cluster) + ": " + std::string(to_text(health.status)));
  for (const std::string& reason : health.reasons) output.line("  " + printable(reason));
  if (!word.nodes) return;
  std::vector<std::vector<std::string>> rows{{}};
  for (const char* name : {"NODE", "ROLE", "HEALTH", "WHY"}) rows[0].push_back(output.heading(name));
  for (const NodeSigns& node : *word.nodes) {
    const Health own = health_of(node);
    std::string why;
    for (const std::string& reason : own.reasons) why += (why.empty() ? "" : "; ") + printable(reason);
    rows.push_back(
        {printable(node.name), std::string(to_text(node.role)), std::string(to_text(own.status)), why});
  }
  output.line("");
  output.table(rows);
}

Result<int> show_health(Context& context) {
  const auto group = ask_group(context);
  if (!group) return tl::unexpected(group.error());
  const LeadersWord word = group->empty() || group->leader() != nullptr ? ask_leader(context) : LeadersWord{};
  const Health health = health_of({*group, word.nodes, word.tasks_open, {}, {}});
  Output& output = context.output();
  if (output.is_json())
    output.line(health_json(context.common().cluster, health, word));
  else if (output.format() == Format::Quiet)
    output.line(to_text(health.status));
  else
    print_health(context, health, word);
  switch (health.status) {
    case HealthStatus::Healthy:
      return 0;
    case HealthStatus::Warning:
      return warning_code;
    case HealthStatus::Critical:
      return critical_code;
    case HealthStatus::Unknown:
      break;
  }
  return exit_code(FaultKind::Unavailable);
}

}  // namespace

void add_health_command(CommandRegistry& registry, CLI::App& parent) {
  registry.leaf(
      parent,
      {"health",
       "Whether the cluster is healthy, and why not: brokers, majority, nodes, and whether somebody is there "
       "to run what waits. The exit code says it too: 0 healthy, 3 warning, 4 critical, 69 not known. How "
       "long tasks wait, how many fail and how busy machines are is measured over time: 'cidbus top', or "
       "an observer's page, judges that as well",
       "  cidbus cluster health\n  cidbus cluster health --output json\n"
       "  cidbus cluster health --output quiet || notify-operator\n"},
      show_health);
}

}  // namespace cidbus
