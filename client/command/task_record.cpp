#include "client/command/task_record.h"

#include "client/command/json_writer.h"
#include "client/command/values.h"

namespace cidbus {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + printable(part);
  return text;
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

}  // namespace

std::string to_json(const TaskRecord& task) {
  JsonWriter json;
  json.open_object();
  json.name("id").string(to_text(task.id));
  json.name("type").string(task.type);
  json.name("state").string(to_text(task.state));
  json.name("attempts").number(task.attempts);
  json.name("inputs").open_array();
  for (const std::string& input : task.inputs) json.string(input);
  json.close_array();
  json.name("result");
  if (task.state == TaskState::Completed) {
    json.open_object().name("cids").open_array();
    for (const std::string& cid : task.cids) json.string(cid);
    json.close_array().name("values").open_object();
    for (const auto& [name, value] : task.values) json.name(name).string(value);
    json.close_object().close_object();
  } else {
    json.null();
  }
  json.name("error").string_or_null(task.error);
  json.name("submitted_at").string_or_null(to_rfc3339(task.submitted_at));
  json.name("started_at").string_or_null(to_rfc3339(task.started_at));
  json.name("finished_at").string_or_null(to_rfc3339(task.finished_at));
  json.name("worker").string_or_null(task.worker);
  json.name("memo").boolean(false);  // no answer comes from a memo yet
  json.name("key").string_or_null(task.key);
  json.name("fair_key").null();  // there are no fairness keys yet
  json.name("traceparent").string_or_null(task.traceparent);
  json.close_object();
  return json.text();
}

void print_details(Output& output, const TaskRecord& task) {
  std::vector<std::vector<std::string>> rows{{"task", to_text(task.id)},
                                             {"type", printable(task.type)},
                                             {"state", output.painted(task.state)},
                                             {"attempts", std::to_string(task.attempts)}};
  const auto add = [&](std::string name, const std::string& value) {
    if (!value.empty()) rows.push_back({std::move(name), printable(value)});
  };
  add("worker", task.worker);
  for (const std::string& input : task.inputs) add("input", input);
  for (const std::string& cid : task.cids) add("result", cid);
  for (const auto& [name, value] : task.values) add(printable(name), value.empty() ? "\"\"" : value);
  add("error", task.error);
  add("key", task.key);
  add("trace", task.traceparent);
  add("submitted", to_rfc3339(task.submitted_at));
  add("started", to_rfc3339(task.started_at));
  add("finished", to_rfc3339(task.finished_at));
  output.table(rows);
}

std::string summary(const Output& output, const TaskRecord& task) {
  std::string text = to_text(task.id) + "  " + output.painted(task.state);
  if (!task.cids.empty()) text += "  " + joined(task.cids);
  for (const auto& [name, value] : task.values) text += "  " + printable(name) + "=" + printable(value);
  if (task.state != TaskState::Completed && !task.error.empty()) text += "  " + printable(task.error);
  return text;
}

void print_quiet(Output& output, const TaskRecord& task) {
  for (const std::string& cid : task.cids) output.line(printable(cid));
}

void print_table(Output& output, const std::vector<TaskRecord>& tasks, bool heading) {
  std::vector<std::vector<std::string>> rows;
  if (heading) {
    rows.emplace_back();
    for (const char* name : {"TASK", "STATE", "TYPE", "ATTEMPTS", "WORKER", "SUBMITTED"})
      rows[0].push_back(output.heading(name));
  }
  for (const TaskRecord& task : tasks) {
    rows.push_back({to_text(task.id), output.painted(task.state), printable(task.type),
                    std::to_string(task.attempts), or_dash(printable(task.worker)),
                    to_rfc3339(task.submitted_at)});
  }
  output.table(rows);
}

std::string failure_of(const TaskRecord& task) {
  std::string text = "task " + to_text(task.id);
  switch (task.state) {
    case TaskState::Cancelled:
      text += " was cancelled";
      break;
    case TaskState::Timeout:
      text += " passed its deadline";
      break;
    default:
      text += " failed";
  }
  if (!task.error.empty()) text += ": " + task.error;
  return text;
}

}  // namespace cidbus
