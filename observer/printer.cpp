#include "observer/printer.h"

#include "client/command/json_writer.h"
#include "shared/metrics/definitions.h"
#include "shared/node/config_keys.h"

namespace cidbus {
namespace {

// Of each event three things: its kind and fields for a program, a sentence for a person, the name of what
// changed. Only what is asked for is made: tasks come by the thousand.

void put_states(JsonWriter& json, const std::vector<std::uint64_t>& tasks) {
  json.name("tasks").open_object();
  for (std::size_t place = 0; place < tasks.size() && place < task_state_count; ++place)
    json.name(to_text(static_cast<TaskState>(place))).number(tasks[place]);
  json.close_object();
}

std::string states_text(const std::vector<std::uint64_t>& tasks) {
  std::string text;
  for (std::size_t place = 0; place < tasks.size() && place < task_state_count; ++place) {
    if (tasks[place] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(tasks[place]) + " " +
            std::string(to_text(static_cast<TaskState>(place)));
  }
  return text.empty() ? "no tasks" : text;
}

void put_load(JsonWriter& json, const NodeLoad& load) {
  json.name("slots").number(load.slots).name("busy").number(load.busy);
  json.name("blocks").number(load.blocks).name("block_bytes").number(load.block_bytes);
}

void put_member(JsonWriter& json, const Member& member) {
  json.name("name").string(member.name).name("role").string(to_text(member.role));
  json.name("state").string(to_text(member.state)).name("incarnation").string(to_text(member.incarnation));
  json.name("exchange").string(member.exchange);
  put_load(json, member.load);
  json.name("last_seen").string(to_rfc3339(member.last_seen));
}

std::string member_text(const Member& member) {
  std::string text = std::string(to_text(member.role)) + " " + std::string(member.name) + " " +
                     std::string(to_text(member.state));
  if (member.role == Role::Worker) {
    text += ", " + std::to_string(member.load.busy) + " of " + std::to_string(member.load.slots) +
            " slots busy, " + std::to_string(member.load.blocks) + " blocks";
  }
  return text;
}

// ---- for a program

std::string_view kind_of(const HeartbeatEvent&) { return "heartbeat"; }
std::string_view kind_of(const LeaderEvent&) { return "leader"; }
std::string_view kind_of(const MemberEvent&) { return "member"; }
std::string_view kind_of(const TaskEvent&) { return "task"; }
std::string_view kind_of(const SkippedEvent&) { return "skipped"; }
std::string_view kind_of(const CountersEvent&) { return "counters"; }
std::string_view kind_of(const ElectionEvent&) { return "election"; }
std::string_view kind_of(const ProposalEvent&) { return "proposal"; }
std::string_view kind_of(const MetricsEvent&) { return "metrics"; }

void put(JsonWriter& json, const HeartbeatEvent& event) {
  json.name("name").string(event.name).name("role").string(to_text(event.role));
  put_load(json, event.load);
  json.name("disk_free_bytes").number(event.load.disk_free_bytes);
  json.name("resident_bytes").number(event.load.resident_bytes);
}
void put(JsonWriter& json, const LeaderEvent& event) {
  json.name("leader").string(event.leader).name("endpoint").string(event.endpoint);
  json.name("epoch").number(event.epoch.value);
}
void put(JsonWriter& json, const MemberEvent& event) { put_member(json, event.member); }
void put(JsonWriter& json, const TaskEvent& event) {
  json.name("id").string(to_text(event.task)).name("type").string(event.type);
  json.name("state").string(to_text(event.state)).name("worker").string(event.worker);
  json.name("attempts").number(event.attempts);
}
void put(JsonWriter& json, const SkippedEvent& event) { json.name("count").number(event.count); }
void put(JsonWriter& json, const CountersEvent& event) {
  put_states(json, event.tasks_by_state);
  json.name("accepted").number(event.accepted).name("finished").number(event.finished);
  json.name("requeued").number(event.requeued).name("stale_results").number(event.stale_results);
  json.name("refused_messages").number(event.refused_messages);
}
void put(JsonWriter& json, const ElectionEvent& event) {
  json.name("word").string(to_text(event.word)).name("to").string(event.to);
  json.name("epoch").number(event.epoch.value).name("last").number(event.last.value);
  json.name("last_epoch").number(event.last_epoch.value).name("priority").real(event.priority);
}
void put(JsonWriter& json, const ProposalEvent& event) {
  const Proposal& proposal = event.proposal;
  json.name("id").number(proposal.id).name("type").string(to_text(proposal.kind));
  json.name("subject").string(proposal.subject).name("value").string(proposal_value_text(proposal));
  json.name("status").string(to_text(proposal.status)).name("proposed_by").string(proposal.proposer);
  json.name("eligible").number(proposal.eligible).name("positive").number(proposal.yes);
  json.name("negative").number(proposal.no).name("version").number(proposal.version);
}
void put(JsonWriter& json, const MetricSample& sample) {
  const MetricDefinition& definition = definition_of(static_cast<Metric>(sample.metric));
  const bool is_histogram = definition.kind == MetricKind::Histogram;
  json.open_object().name("name").string(definition.name).name("labels").open_object();
  for (std::size_t place = 0; place < sample.labels.size(); ++place)
    if (!definition.labels[place].empty()) json.name(definition.labels[place]).string(sample.labels[place]);
  json.close_object().name(is_histogram ? "sum" : "value").real(sample.value);
  if (is_histogram) {
    json.name("buckets").open_array();
    for (const auto count : sample.buckets) json.number(count);
    json.close_array();
  }
  json.close_object();
}
void put(JsonWriter& json, const MetricsEvent& event) {
  json.name("role").string(to_text(event.role)).name("samples").open_array();
  for (const MetricSample& sample : event.samples)
    if (sample.metric < metric_count) put(json, sample);  // others are of newer nodes
  json.close_array();
}

JsonWriter begin_line(std::string_view kind, WallTime time, std::string_view publisher) {
  JsonWriter json;
  json.open_object().name("event").string(kind).name("time").string(to_rfc3339(time));
  if (!publisher.empty()) json.name("publisher").string(publisher);
  return json;
}

// ---- for a person

std::string text_of(const HeartbeatEvent&) { return {}; }
std::string text_of(const CountersEvent&) { return {}; }
std::string text_of(const MetricsEvent&) { return {}; }
std::string text_of(const LeaderEvent& event) {
  return "leader " + std::string(event.leader) + " at " + std::string(event.endpoint) + ", epoch " +
         std::to_string(event.epoch.value);
}
std::string text_of(const MemberEvent& event) { return member_text(event.member); }
std::string text_of(const TaskEvent& event) {
  std::string text =
      "task " + to_text(event.task) + " " + std::string(event.type) + " " + std::string(to_text(event.state));
  if (!event.worker.empty()) text += " on " + std::string(event.worker);
  if (event.attempts > 1) text += ", attempt " + std::to_string(event.attempts);
  return text;
}
std::string text_of(const SkippedEvent& event) {
  return "skipped " + std::to_string(event.count) + " task events";
}
std::string text_of(const ElectionEvent& event) {
  return "says " + std::string(to_text(event.word)) +
         (event.to.empty() ? " to all" : " to " + std::string(event.to)) + ", epoch " +
         std::to_string(event.epoch.value) + ", journal " + std::to_string(event.last.value) +
         (event.priority < 0 ? ", unfit" : "");
}
std::string text_of(const ProposalEvent& event) {
  const Proposal& proposal = event.proposal;
  return "proposal " + std::to_string(proposal.id) + " of " + std::string(proposal.proposer) + ": " +
         std::string(proposal.subject) + " " + proposal_value_text(proposal) + " is " +
         std::string(to_text(proposal.status)) + ", " + std::to_string(proposal.yes) + " for it and " +
         std::to_string(proposal.no) + " against it, of " + std::to_string(proposal.eligible);
}

// ---- what changed

template <typename Event>
std::string name_of(const Event&) {
  return {};
}
std::string name_of(const LeaderEvent& event) { return std::string(event.leader); }
std::string name_of(const MemberEvent& event) { return std::string(event.member.name); }
std::string name_of(const TaskEvent& event) { return to_text(event.task); }
std::string name_of(const ProposalEvent& event) { return std::to_string(event.proposal.id); }

std::string names_of(const std::vector<Member>& members) {
  std::string text;
  for (const Member& member : members) text += (text.empty() ? "" : "\n") + std::string(member.name);
  return text;
}

}  // namespace

std::optional<PrintStyle> parse_print_style(std::string_view text) {
  if (text == "table") return PrintStyle::Text;
  if (text == "json" || text == "ndjson") return PrintStyle::Ndjson;
  if (text == "quiet") return PrintStyle::Names;
  return std::nullopt;
}

std::string print_event(PrintStyle style, WallTime time, std::string_view publisher, const FeedEvent& event) {
  if (style == PrintStyle::Names) return std::visit([](const auto& value) { return name_of(value); }, event);
  if (style == PrintStyle::Text) {
    const std::string text = std::visit([](const auto& value) { return text_of(value); }, event);
    if (text.empty()) return {};
    const bool is_said = std::holds_alternative<ElectionEvent>(event);
    return to_rfc3339(time) + "  " + (is_said ? std::string(publisher) + " " : "") + text;
  }
  return std::visit(
      [&](const auto& value) {
        JsonWriter json = begin_line(kind_of(value), time, publisher);
        put(json, value);
        return json.close_object().text();
      },
      event);
}

std::string print_snapshot(PrintStyle style, WallTime time, std::string_view teller,
                           const Snapshot& snapshot) {
  const bool by_leader = teller == snapshot.leader;
  if (style == PrintStyle::Names) return names_of(snapshot.members);
  if (style == PrintStyle::Ndjson) {
    JsonWriter json = begin_line("snapshot", time, {});
    json.name("cluster").string(snapshot.cluster).name("leader").string(snapshot.leader);
    json.name("told_by").string(teller).name("durability").string(to_text(snapshot.durability));
    json.name("applied").number(snapshot.applied.value);
    put_states(json, snapshot.tasks_by_state);
    json.name("blocks_indexed");
    by_leader ? json.number(snapshot.blocks_indexed) : json.null();
    json.name("members").open_array();
    for (const Member& member : snapshot.members) {
      json.open_object();
      put_member(json, member);
      json.close_object();
    }
    return json.close_array().close_object().text();
  }
  const std::string stamp = to_rfc3339(time) + "  ";
  std::string text = stamp + "cluster " + std::string(snapshot.cluster) + ", ";
  text += snapshot.leader.empty() ? "no leader" : "leader " + std::string(snapshot.leader);
  if (!by_leader) text += ", says " + std::string(teller);
  text += ": " + states_text(snapshot.tasks_by_state);
  for (const Member& member : snapshot.members) text += "\n" + stamp + member_text(member);
  return text;
}

std::string print_alert(PrintStyle style, const AlertNotice& notice) {
  const Alert& alert = notice.alert;
  if (style == PrintStyle::Names) return alert.id;
  if (style == PrintStyle::Ndjson) {
    JsonWriter json = begin_line("alert", notice.time, {});
    json.name("change").string(to_text(notice.change)).name("id").string(alert.id);
    json.name("rule").string(alert.rule).name("node").string(alert.node).name("series").string(alert.series);
    json.name("level").string(to_text(alert.level)).name("value").real(alert.value);
    json.name("text").string(alert.text).name("raised_at").string(to_rfc3339(alert.raised_at));
    return json.close_object().text();
  }
  return to_rfc3339(notice.time) + "  alert " + std::string(to_text(notice.change)) + ", " +
         std::string(to_text(alert.level)) + ": " + alert.text;
}

std::string print_gap(PrintStyle style, WallTime time, std::string_view publisher, FeedTopic topic,
                      std::uint64_t missed) {
  if (style == PrintStyle::Names) return {};
  if (style == PrintStyle::Ndjson) {
    JsonWriter json = begin_line("gap", time, publisher);
    json.name("topic").string(to_text(topic)).name("missed").number(missed);
    return json.close_object().text();
  }
  return to_rfc3339(time) + "  missed " + std::to_string(missed) + " messages of " + std::string(publisher) +
         " on " + std::string(to_text(topic)) + "; asking for a snapshot";
}

}  // namespace cidbus
