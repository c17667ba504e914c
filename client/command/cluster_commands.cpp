#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "client/command/group_status.h"
#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "client/command/values.h"

namespace cidbus {
namespace {

constexpr std::array member_states{MemberState::Joining, MemberState::Alive, MemberState::Suspect,
                                   MemberState::Left, MemberState::Dead};

// Calls `print` with the leader's view of the cluster; views live during the call.
Result<int> with_snapshot(Context& context, const std::function<Result<int>(const Snapshot&)>& print) {
  const RequestId request = context.next_request();
  Result<int> printed = 0;
  const Status asked = context.ask(SnapshotRequest{request}, [&](const Message& message) {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return false;
    printed = print(*snapshot);
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return printed;
}

const BrokerInfo* leader_of(const Snapshot& snapshot) {
  const auto leader = std::find_if(snapshot.brokers.begin(), snapshot.brokers.end(),
                                   [](const BrokerInfo& broker) { return broker.leader; });
  return leader == snapshot.brokers.end() ? nullptr : &*leader;
}

std::uint64_t tasks_in(const Snapshot& snapshot, std::size_t state) {
  return state < snapshot.tasks_by_state.size() ? snapshot.tasks_by_state[state] : 0;
}

std::uint64_t members_in(const Snapshot& snapshot, MemberState state) {
  return static_cast<std::uint64_t>(
      std::count_if(snapshot.members.begin(), snapshot.members.end(),
                    [&](const Member& member) { return member.state == state; }));
}

void write_leader(JsonWriter& json, const Snapshot& snapshot) {
  const BrokerInfo* const leader = leader_of(snapshot);
  json.name("leader").string_or_null(snapshot.leader);
  json.name("address").string_or_null(leader == nullptr ? "" : leader->endpoint);
  json.name("epoch").number(leader == nullptr ? 0 : leader->epoch.value);
}

// The leader's word about members and tasks; without a leader there is none.
void write_tasks(JsonWriter& json, const Snapshot* snapshot) {
  if (snapshot == nullptr) {
    json.name("members").null().name("tasks").null().name("blocks").null();
    return;
  }
  json.name("members").open_object();
  for (const MemberState state : member_states)
    json.name(to_text(state)).number(members_in(*snapshot, state));
  json.close_object().name("tasks").open_object();
  for (std::size_t state = 0; state < task_state_count; ++state)
    json.name(to_text(static_cast<TaskState>(state))).number(tasks_in(*snapshot, state));
  json.close_object().name("blocks").number(snapshot->blocks_indexed);
}

std::string status_json(Context& context, const GroupOverview& group, const Snapshot* snapshot) {
  const GroupOverview::Broker* const leader = group.leader();
  const std::string& address = context.common().brokers.front();
  JsonWriter json;
  json.open_object().name("cluster").string(context.common().cluster);
  json.name("leader").string_or_null(leader == nullptr ? "" : leader->name);
  json.name("address");
  if (leader == nullptr) {
    json.null();
  } else {
    json.string(leader->address.empty() ? address : leader->address);
  }
  json.name("epoch").number(leader == nullptr ? 0 : leader->epoch.value);
  json.name("durability").string(to_text(group.durability())).name("applied");
  leader == nullptr ? json.null() : json.number(leader->applied.value);
  write_json(json, group, address);
  write_tasks(json, snapshot);
  return json.close_object().text();
}

// "2 alive, 1 dead": the states that have any.
template <typename States, typename Count>
std::string counts(const States& states, Count count) {
  std::string text;
  for (const auto state : states) {
    if (count(state) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count(state)) + ' ' + std::string(to_text(state));
  }
  return text.empty() ? "none" : text;
}

using Rows = std::vector<std::vector<std::string>>;

void add_tasks(Rows& rows, const Snapshot& snapshot) {
  std::vector<TaskState> task_states;
  for (std::size_t state = 0; state < task_state_count; ++state)
    task_states.push_back(static_cast<TaskState>(state));
  rows.push_back(
      {"members", counts(member_states, [&](MemberState state) { return members_in(snapshot, state); })});
  rows.push_back({"tasks", counts(task_states, [&](TaskState state) {
                    return tasks_in(snapshot, static_cast<std::size_t>(state));
                  })});
  rows.push_back({"blocks", std::to_string(snapshot.blocks_indexed) + " known"});
}

Rows broker_rows(Output& output, const std::vector<GroupOverview::Broker>& brokers) {
  Rows rows{{}};
  for (const char* name :
       {"BROKER", "ADDRESS", "STATE", "PRIORITY", "EPOCH", "JOURNAL", "LAG", "LAST CONTACT"})
    rows[0].push_back(output.heading(name));
  for (const GroupOverview::Broker& broker : brokers) {
    const bool answered = broker.duty.has_value();
    rows.push_back({printable(broker.name), printable(broker.address), state_text(broker),
                    broker.priority ? std::to_string(*broker.priority) : "-",
                    answered ? std::to_string(broker.epoch.value) : "-",
                    answered ? std::to_string(broker.last.value) : "-",
                    broker.lag ? std::to_string(*broker.lag) : "-",
                    broker.last_contact.milliseconds == 0 ? "-" : to_rfc3339(broker.last_contact)});
  }
  return rows;
}

void print_status(Context& context, const GroupOverview& group, const Snapshot* snapshot) {
  const auto brokers = group.brokers(context.common().brokers.front());
  const GroupOverview::Broker* const leader = group.leader();
  Rows rows{{"cluster", printable(context.common().cluster)}};
  if (leader == nullptr) {
    rows.push_back({"leader", "none"});
  } else {
    rows.push_back({"leader", printable(leader->name) + ", epoch " + std::to_string(leader->epoch.value)});
  }
  rows.push_back({"quorum", (leader == nullptr ? "no: " : "yes: ") + group.quorum_text()});
  rows.push_back({"durability", std::string(to_text(group.durability()))});
  if (snapshot != nullptr) add_tasks(rows, *snapshot);
  context.output().table(rows);
  context.output().line("");
  context.output().table(broker_rows(context.output(), brokers));
}

void show_status(Context& context, const GroupOverview& group, const Snapshot* snapshot) {
  Output& output = context.output();
  if (output.is_json())
    output.line(status_json(context, group, snapshot));
  else if (output.format() == Format::Quiet)
    output.line(group.leader() == nullptr ? "" : printable(group.leader()->name));
  else
    print_status(context, group, snapshot);
}

Result<int> status(Context& context) {
  auto group = ask_group(context);
  if (!group) return tl::unexpected(group.error());
  if (group->leader() == nullptr && !group->empty() && group->reachable() >= group->needed()) {
    // An election is under way, and whoever is elected answers; or who leads cannot be reached from here.
    const auto any = [](const Message& message) { return std::holds_alternative<Snapshot>(message); };
    static_cast<void>(context.ask_at_once(SnapshotRequest{context.next_request()}, any));
    group = ask_group(context);
    if (!group) return tl::unexpected(group.error());
  }
  if (group->empty() || group->leader() != nullptr) {
    const auto shown = with_snapshot(context, [&](const Snapshot& snapshot) {
      if (group->empty()) group->add(snapshot);
      show_status(context, *group, &snapshot);
      return 0;
    });
    if (shown || group->empty()) return shown;
  }
  show_status(context, *group, nullptr);
  if (group->leader() != nullptr) return 0;
  return fault(FaultKind::Unavailable, group->no_leader_text());
}

Result<int> leader(Context& context) {
  return with_snapshot(context, [&](const Snapshot& snapshot) -> Result<int> {
    Output& output = context.output();
    if (output.is_json()) {
      JsonWriter json;
      json.open_object();
      write_leader(json, snapshot);
      output.line(json.close_object().text());
    }
    if (snapshot.leader.empty()) {
      return fault(FaultKind::Unavailable, "nobody is in office; a majority of the brokers must be up");
    }
    const BrokerInfo* const found = leader_of(snapshot);
    std::string text = printable(snapshot.leader);
    if (output.format() == Format::Table && found != nullptr)
      text += "  " + printable(found->endpoint) + "  epoch " + std::to_string(found->epoch.value);
    if (!output.is_json()) output.line(text);
    return 0;
  });
}

}  // namespace

void add_cluster_commands(CommandRegistry& registry) {
  CLI::App& group = registry.group("cluster", "Look at the cluster: its leader, its members, its tasks");
  registry.leaf(group,
                {"status",
                 "Who leads, how each broker is by its own word, whether there is a majority, how many "
                 "members there are and tasks in which state",
                 "  cidbus cluster status\n  cidbus cluster status --output json\n"},
                status);
  add_member_commands(registry, group);
  registry.leaf(
      group,
      {"leader", "The broker in office", "  cidbus cluster leader\n  cidbus cluster leader --output json\n"},
      leader);
  add_health_command(registry, group);
  add_handover_command(registry, group);
}

}  // namespace cidbus
