// Members: who is there, what became of each, and changes of who may be one, by vote.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <thread>

#include "client/command/descriptor_sink.h"
#include "client/command/json_writer.h"
#include "client/command/proposal_text.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr auto watched_every = std::chrono::milliseconds(500);

std::string member_json(const Member& member) {
  JsonWriter json;
  json.open_object().name("name").string(member.name).name("role").string(to_text(member.role));
  json.name("state").string(to_text(member.state));
  json.name("incarnation").string(to_text(member.incarnation));
  json.name("exchange").string_or_null(member.exchange);
  json.name("slots").number(member.load.slots).name("busy").number(member.load.busy);
  json.name("blocks").number(member.load.blocks).name("block_bytes").number(member.load.block_bytes);
  const bool stores = !member.exchange.empty();
  const bool measures = member.load.resident_bytes != 0;  // brokers and observers tell nothing of themselves
  json.name("disk_free_bytes");
  stores ? json.number(member.load.disk_free_bytes) : json.null();
  json.name("resident_bytes");
  measures ? json.number(member.load.resident_bytes) : json.null();
  json.name("config_version").number(member.load.config_version);
  json.name("labels").open_object();
  for (const auto& [key, value] : member.labels) json.name(key).string(value);
  json.close_object();
  json.name("joined_at").string_or_null(to_rfc3339(member.joined_at));
  json.name("last_seen").string_or_null(to_rfc3339(member.last_seen)).close_object();
  return json.text();
}

std::string labels_text(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels)
    text += (text.empty() ? "" : ",") + printable(key) + "=" + printable(value);
  return text.empty() ? "-" : text;
}

void print_members(Output& output, const Snapshot& snapshot) {
  std::vector<std::vector<std::string>> rows{{}};
  for (const char* name :
       {"NAME", "ROLE", "STATE", "BUSY", "BLOCKS", "STORED", "FREE", "LABELS", "LAST SEEN"})
    rows[0].push_back(output.heading(name));
  for (const Member& member : snapshot.members) {
    const NodeLoad& load = member.load;
    const bool stores = !member.exchange.empty();
    rows.push_back(
        {printable(member.name), std::string(to_text(member.role)), std::string(to_text(member.state)),
         load.slots == 0 ? "-" : std::to_string(load.busy) + "/" + std::to_string(load.slots),
         stores ? std::to_string(load.blocks) : "-", stores ? readable_bytes(load.block_bytes) : "-",
         stores ? readable_bytes(load.disk_free_bytes) : "-", labels_text(member.labels),
         to_rfc3339(member.last_seen)});
  }
  output.table(rows);
}

Status show_members(Context& context) {
  const RequestId request = context.next_request();
  return context.ask(SnapshotRequest{request}, [&](const Message& message) {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return false;
    Output& output = context.output();
    output.open_list();
    for (const Member& member : snapshot->members) {
      if (output.is_json()) output.item(member_json(member));
      if (output.format() == Format::Quiet) output.line(printable(member.name));
    }
    output.close_list();
    if (output.format() == Format::Table) print_members(output, *snapshot);
    return true;
  });
}

// ---- what became of them

std::string change_json(const MemberChange& change) {
  JsonWriter json;
  json.open_object().name("number").number(change.number).name("at").string(to_rfc3339(change.at));
  json.name("name").string(change.name).name("role").string(to_text(change.role));
  json.name("incarnation").string(to_text(change.incarnation)).name("from").string(to_text(change.from));
  return json.name("to").string(to_text(change.to)).close_object().text();
}

// How far the history was read, and of which office: the next one counts from its own beginning.
struct Read {
  bool patiently = false;
  Epoch epoch = {};
  std::uint64_t after = 0;
};

// Asks for what is newer.
Status read_on(Context& context, Read& read, const std::function<void(const MemberChange&)>& take) {
  for (bool more = true; more;) {
    const RequestId request = context.next_request();
    const auto take_answer = [&](const Message& message) {
      const auto* answer = std::get_if<MemberHistory>(&message);
      if (answer == nullptr || answer->request != request) return false;
      const bool another_office = answer->epoch != read.epoch && read.after != 0;
      read.epoch = answer->epoch;
      more = another_office || answer->more;
      if (another_office) return read.after = 0, true;
      for (const MemberChange& change : answer->changes) {
        take(change);
        read.after = change.number;
      }
      return true;
    };
    const MemberHistoryRequest question{request, read.after};
    const Status asked =
        read.patiently ? context.ask_patiently(question, take_answer) : context.ask(question, take_answer);
    if (!asked) return asked;
  }
  return {};
}

void print_change(Output& output, const MemberChange& change) {
  if (output.is_json()) return output.item(change_json(change));
  if (output.format() == Format::Quiet) return output.line(printable(change.name));
  output.line(to_rfc3339(change.at) + "  " + std::string(to_text(change.role)) + " " +
              printable(change.name) + " is " + std::string(to_text(change.to)) + ", was " +
              std::string(to_text(change.from)));
}

Status show_member_history(Context& context) {
  Read read;
  context.output().open_list();
  const Status asked =
      read_on(context, read, [&](const MemberChange& change) { print_change(context.output(), change); });
  context.output().close_list();
  return asked;
}

// Until --timeout or a signal. Each change is a line as soon as it is known, in json too.
Result<int> watch(Context& context) {
  Output& output = context.output();
  Read read;
  // What has happened before is in the list.
  Status asked = read_on(context, read, [](const MemberChange&) {});
  if (asked && output.format() == Format::Table) asked = show_members(context);
  read.patiently = true;
  const Monotonic until = context.deadline();
  while (asked && context.interrupted() == 0 && read_clock().monotonic < until) {
    if (Status flushed = output.flush(); !flushed) return tl::unexpected(flushed.error());
    if (is_reader_gone(STDOUT_FILENO)) return reader_gone_code;
    std::this_thread::sleep_for(std::min<Duration>(until - read_clock().monotonic, watched_every));
    asked = read_on(context, read, [&](const MemberChange& change) {
      if (output.is_json()) return output.line(change_json(change));
      print_change(output, change);
    });
  }
  if (context.interrupted() != 0) return context.interrupted();
  if (asked || read_clock().monotonic >= until) return 0;
  return tl::unexpected(asked.error());
}

Result<int> members(Context& context, bool watched, bool history) {
  if (watched) return watch(context);
  const Status shown = history ? show_member_history(context) : show_members(context);
  if (!shown) return tl::unexpected(shown.error());
  return 0;
}

// A name may be forbidden before anybody comes with it; a misspelt one looks the same.
Status tell_if_unknown(Context& context, const NewProposal& wanted) {
  if (wanted.value != "forbid") return {};
  const RequestId request = context.next_request();
  return context.ask(SnapshotRequest{request}, [&](const Message& message) {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return false;
    const bool is_known = std::any_of(snapshot->members.begin(), snapshot->members.end(),
                                      [&](const Member& member) { return member.name == wanted.subject; });
    if (!is_known)
      context.complain("no member '" + wanted.subject + "' is known now; it is the name that is forbidden");
    return true;
  });
}

void add_change(CommandRegistry& registry, CLI::App& group, const LeafText& text, const std::string& value) {
  const auto wanted = std::make_shared<NewProposal>();
  wanted->kind = ProposalKind::MembershipChange;
  wanted->value = value;
  CLI::App& leaf = registry.leaf(group, text, [wanted](Context& context) -> Result<int> {
    if (const Status told = tell_if_unknown(context, *wanted); !told) return tl::unexpected(told.error());
    return propose(context, *wanted);
  });
  leaf.add_option("NAME", wanted->subject, "Name of the node")->type_name("NAME")->required();
  add_proposal_options(leaf, wanted->deadline, wanted->wait);
}

}  // namespace

void add_member_commands(CommandRegistry& registry, CLI::App& group) {
  const auto watched = std::make_shared<bool>(false);
  const auto history = std::make_shared<bool>(false);
  CLI::App& leaf =
      registry.leaf(group,
                    {"members", "Every node that the leader knows, with its load; or what became of them",
                     "  cidbus cluster members\n  cidbus cluster members --output quiet\n"
                     "  cidbus cluster members --watch              as it happens\n"
                     "  cidbus cluster members --history            since the leader took office\n"},
                    [watched, history](Context& context) { return members(context, *watched, *history); });
  CLI::Option* const watch_flag =
      leaf.add_flag("--watch", *watched, "Then each change of a state, as it happens, until --timeout");
  leaf.add_flag("--history", *history, "Only what became of members since the leader took office")
      ->excludes(watch_flag);
  add_change(registry, group,
             {"forbid",
              "Propose to forbid a node the cluster. Once that is accepted it is cut off, what it ran goes "
              "to others, and nothing of its name is let in; the node itself has no vote on it",
              "  cidbus cluster forbid w3 --wait\n"},
             "forbid");
  add_change(registry, group,
             {"allow", "Propose to let a forbidden name in again", "  cidbus cluster allow w3 --wait\n"},
             "allow");
}

}  // namespace cidbus
