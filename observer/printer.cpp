#include "observer/printer.h"

#include <boost/json.hpp>

#include "shared/metrics/definitions.h"
#include "shared/node/config_keys.h"

namespace cidbus {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

json::object states_json(const std::vector<std::uint64_t>& tasks) {
  json::object states;
  for (std::size_t place = 0; place < tasks.size() && place < task_state_count; ++place) {
    states[view(to_text(static_cast<TaskState>(place)))] = tasks[place];
  }
  return states;
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

json::object member_json(const Member& member) {
  return {{"name", view(member.name)},
          {"role", view(to_text(member.role))},
          {"state", view(to_text(member.state))},
          {"incarnation", to_text(member.incarnation)},
          {"exchange", view(member.exchange)},
          {"slots", member.load.slots},
          {"busy", member.load.busy},
          {"blocks", member.load.blocks},
          {"block_bytes", member.load.block_bytes},
          {"last_seen", to_rfc3339(member.last_seen)}};
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

// Each event says its kind, its fields, and how it reads.
struct Described {
  std::string_view kind;
  json::object fields;
  std::string text;
  std::string name = {};  // of what changed
};

Described describe(const HeartbeatEvent& event) {
  return {"heartbeat",
          {{"name", view(event.name)},
           {"role", view(to_text(event.role))},
           {"slots", event.load.slots},
           {"busy", event.load.busy},
           {"blocks", event.load.blocks},
           {"block_bytes", event.load.block_bytes},
           {"disk_free_bytes", event.load.disk_free_bytes},
           {"resident_bytes", event.load.resident_bytes}},
          {}};
}
Described describe(const LeaderEvent& event) {
  return {"leader",
          {{"leader", view(event.leader)}, {"endpoint", view(event.endpoint)}, {"epoch", event.epoch.value}},
          "leader " + std::string(event.leader) + " at " + std::string(event.endpoint) + ", epoch " +
              std::to_string(event.epoch.value),
          std::string(event.leader)};
}
Described describe(const MemberEvent& event) {
  return {"member", member_json(event.member), member_text(event.member), std::string(event.member.name)};
}
Described describe(const TaskEvent& event) {
  std::string text =
      "task " + to_text(event.task) + " " + std::string(event.type) + " " + std::string(to_text(event.state));
  if (!event.worker.empty()) text += " on " + std::string(event.worker);
  if (event.attempts > 1) text += ", attempt " + std::to_string(event.attempts);
  return {"task",
          {{"id", to_text(event.task)},
           {"type", view(event.type)},
           {"state", view(to_text(event.state))},
           {"worker", view(event.worker)},
           {"attempts", event.attempts}},
          text,
          to_text(event.task)};
}
Described describe(const SkippedEvent& event) {
  return {"skipped", {{"count", event.count}}, "skipped " + std::to_string(event.count) + " task events"};
}
Described describe(const CountersEvent& event) {
  return {"counters",
          {{"tasks", states_json(event.tasks_by_state)},
           {"accepted", event.accepted},
           {"finished", event.finished},
           {"requeued", event.requeued},
           {"stale_results", event.stale_results},
           {"refused_messages", event.refused_messages}},
          {}};
}

Described describe(const ElectionEvent& event) {
  const std::string word(to_text(event.word));
  return {"election",
          {{"word", word},
           {"to", view(event.to)},
           {"epoch", event.epoch.value},
           {"last", event.last.value},
           {"last_epoch", event.last_epoch.value},
           {"priority", event.priority}},
          "says " + word + (event.to.empty() ? " to all" : " to " + std::string(event.to)) + ", epoch " +
              std::to_string(event.epoch.value) + ", journal " + std::to_string(event.last.value) +
              (event.priority < 0 ? ", unfit" : "")};
}

Described describe(const ProposalEvent& event) {
  const Proposal& proposal = event.proposal;
  const std::string value = proposal_value_text(proposal);
  const std::string id = std::to_string(proposal.id);
  return {"proposal",
          {{"id", proposal.id},
           {"type", view(to_text(proposal.kind))},
           {"subject", view(proposal.subject)},
           {"value", value},
           {"status", view(to_text(proposal.status))},
           {"proposed_by", view(proposal.proposer)},
           {"eligible", proposal.eligible},
           {"positive", proposal.yes},
           {"negative", proposal.no},
           {"version", proposal.version}},
          "proposal " + id + " of " + std::string(proposal.proposer) + ": " + std::string(proposal.subject) +
              " " + value + " is " + std::string(to_text(proposal.status)) + ", " +
              std::to_string(proposal.yes) + " for it and " + std::to_string(proposal.no) +
              " against it, of " + std::to_string(proposal.eligible),
          id};
}

json::object sample_json(const MetricSample& sample) {
  const MetricDefinition& definition = definition_of(static_cast<Metric>(sample.metric));
  json::object labels;
  for (std::size_t place = 0; place < sample.labels.size(); ++place)
    if (!definition.labels[place].empty())
      labels[view(definition.labels[place])] = view(sample.labels[place]);
  json::object fields{{"name", view(definition.name)}, {"labels", std::move(labels)}};
  fields[definition.kind == MetricKind::Histogram ? "sum" : "value"] = sample.value;
  if (definition.kind == MetricKind::Histogram)
    fields["buckets"] = json::array(sample.buckets.begin(), sample.buckets.end());
  return fields;
}

Described describe(const MetricsEvent& event) {
  json::array samples;
  for (const MetricSample& sample : event.samples)
    if (sample.metric < metric_count) samples.push_back(sample_json(sample));  // others are of newer nodes
  return {"metrics", {{"role", view(to_text(event.role))}, {"samples", std::move(samples)}}, {}};
}

std::string names_of(const std::vector<Member>& members) {
  std::string text;
  for (const Member& member : members) text += (text.empty() ? "" : "\n") + std::string(member.name);
  return text;
}

std::string ndjson_line(std::string_view kind, WallTime time, std::string_view publisher,
                        json::object fields) {
  json::object line{{"event", view(kind)}, {"time", to_rfc3339(time)}};
  if (!publisher.empty()) line["publisher"] = view(publisher);
  for (auto& field : fields) line[field.key()] = std::move(field.value());
  return json::serialize(line);
}

}  // namespace

std::optional<PrintStyle> parse_print_style(std::string_view text) {
  if (text == "table") return PrintStyle::Text;
  if (text == "json" || text == "ndjson") return PrintStyle::Ndjson;
  if (text == "quiet") return PrintStyle::Names;
  return std::nullopt;
}

std::string print_event(PrintStyle style, WallTime time, std::string_view publisher, const FeedEvent& event) {
  Described described = std::visit([](const auto& value) { return describe(value); }, event);
  if (style == PrintStyle::Ndjson)
    return ndjson_line(described.kind, time, publisher, std::move(described.fields));
  if (style == PrintStyle::Names) return described.name;
  if (described.text.empty()) return {};
  const bool is_said = std::holds_alternative<ElectionEvent>(event);
  return to_rfc3339(time) + "  " + (is_said ? std::string(publisher) + " " : "") + described.text;
}

std::string print_snapshot(PrintStyle style, WallTime time, std::string_view teller,
                           const Snapshot& snapshot) {
  const bool by_leader = teller == snapshot.leader;
  if (style == PrintStyle::Ndjson) {
    json::array members;
    for (const Member& member : snapshot.members) members.push_back(member_json(member));
    return ndjson_line("snapshot", time, {},
                       {{"cluster", view(snapshot.cluster)},
                        {"leader", view(snapshot.leader)},
                        {"told_by", view(teller)},
                        {"durability", view(to_text(snapshot.durability))},
                        {"applied", snapshot.applied.value},
                        {"tasks", states_json(snapshot.tasks_by_state)},
                        {"blocks_indexed", by_leader ? json::value(snapshot.blocks_indexed) : json::value()},
                        {"members", std::move(members)}});
  }
  if (style == PrintStyle::Names) return names_of(snapshot.members);
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
  if (style == PrintStyle::Ndjson) {
    return ndjson_line("alert", notice.time, {},
                       {{"change", view(to_text(notice.change))},
                        {"id", alert.id},
                        {"rule", alert.rule},
                        {"node", alert.node},
                        {"series", alert.series},
                        {"level", view(to_text(alert.level))},
                        {"value", alert.value},
                        {"text", alert.text},
                        {"raised_at", to_rfc3339(alert.raised_at)}});
  }
  if (style == PrintStyle::Names) return alert.id;
  return to_rfc3339(notice.time) + "  alert " + std::string(to_text(notice.change)) + ", " +
         std::string(to_text(alert.level)) + ": " + alert.text;
}

std::string print_gap(PrintStyle style, WallTime time, std::string_view publisher, FeedTopic topic,
                      std::uint64_t missed) {
  if (style == PrintStyle::Ndjson) {
    return ndjson_line("gap", time, publisher, {{"topic", view(to_text(topic))}, {"missed", missed}});
  }
  if (style == PrintStyle::Names) return {};
  return to_rfc3339(time) + "  missed " + std::to_string(missed) + " messages of " + std::string(publisher) +
         " on " + std::string(to_text(topic)) + "; asking for a snapshot";
}

}  // namespace cidbus
