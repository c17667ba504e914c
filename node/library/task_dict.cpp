#include "node/library/task_dict.h"

#include <algorithm>
#include <cmath>

#include "client/library/public_values.h"
#include "client/library/task_check.h"
#include "shared/base/ids.h"
#include "shared/base/limits/tasks.h"
#include "shared/content/quote.h"
#include "shared/wire/work.h"

namespace cidbus::v1 {
namespace {

constexpr const char* whole_task = "_task";      // the note with the dict
constexpr const char* whole_result = "json";     // the value with the dict
constexpr double longest_seconds = 315'360'000;  // ten years

Fault refused(std::string why) { return {FaultKind::BadUsage, std::move(why)}; }

// "cid" or "cids"; nothing when neither is there, or they are something else.
std::vector<std::string> cids_in(const Dict& dict) {
  const Value value(dict);
  if (const auto* one = value["cid"].text()) return {*one};
  std::vector<std::string> cids;
  if (const List* list = value["cids"].list()) {
    for (const Value& item : *list) {
      if (item.text() == nullptr) return {};
      cids.push_back(*item.text());
    }
  }
  return cids;
}

NamedTexts texts_in(const Value& parameters) {
  NamedTexts texts;
  if (const Dict* dict = parameters.dict()) {
    for (const auto& [name, value] : *dict) {
      if (is_valid_name(name) && !name.starts_with('_') && texts.size() + 1 < limits::parameters)
        texts.emplace_back(name, value.shown());
    }
  }
  return texts;
}

Result<std::uint8_t> small_number(const Dict& task, const char* name, int most, int otherwise) {
  const auto found = task.find(name);
  if (found == task.end()) return static_cast<std::uint8_t>(otherwise);
  const auto* number = found->second.whole();
  if (number != nullptr && *number >= 0 && *number <= most) return static_cast<std::uint8_t>(*number);
  return refused(std::string(name) + " is " + found->second.shown() + "; give a whole number from 0 to " +
                 std::to_string(most));
}

Result<std::chrono::milliseconds> time_in(const Dict& task, const char* name) {
  const auto found = task.find(name);
  if (found == task.end() || found->second.is_null()) return std::chrono::milliseconds(0);
  const double seconds = found->second.number(-1);
  if (seconds >= 0 && seconds <= longest_seconds)
    return std::chrono::milliseconds(std::llround(seconds * 1000));
  return refused(std::string(name) + " is " + found->second.shown() + "; give seconds, up to ten years");
}

Result<TaskOptions> options_in(const Dict& task) {
  const auto priority = small_number(task, "priority", 9, default_priority);
  if (!priority) return priority.error();
  const auto retries = small_number(task, "retries", limits::tries_max - 1, default_tries - 1);
  if (!retries) return retries.error();
  TaskOptions options;
  options.priority = *priority;
  options.tries = static_cast<std::uint8_t>(*retries + 1);
  for (const auto& [name, time] :
       {std::pair{"delay", &options.delay}, std::pair{"deadline", &options.deadline},
        std::pair{"time_limit", &options.time_limit}}) {
    const auto given = time_in(task, name);
    if (!given) return given.error();
    *time = *given;
  }
  return options;
}

// An input as it travels: binary, or the text where it is no CID.
Bytes input_bytes(const std::string& text) {
  if (const auto cid = cidbus::Cid::parse(text)) return to_bytes(cid->bytes());
  return to_bytes(as_bytes(text));
}

// The dict that a worker would make of it without the note.
Dict rebuilt(const std::string& type, const std::vector<std::string>& cids, const NamedTexts& parameters) {
  Dict task{{"type", type}};
  if (cids.size() == 1) task.emplace("cid", cids[0]);
  if (cids.size() > 1) task.emplace("cids", List(cids.begin(), cids.end()));
  Dict texts;
  for (const auto& [name, text] : parameters) texts.emplace(name, text);
  if (!texts.empty()) task.emplace("parameters", std::move(texts));
  return task;
}

std::string canonical(const std::string& cid) {
  const auto parsed = cidbus::Cid::parse(cid);
  return parsed ? to_text(*parsed) : cid;
}

}  // namespace

Result<SubmissionOrder> order_of(const Dict& task) {
  const Value whole(task);
  if (whole["type"].text() == nullptr)
    return refused("a task is a dict with a text under 'type', such as {\"type\": \"echo\"}");
  SubmissionOrder order;
  order.type = *whole["type"].text();
  order.key = whole["key"].shown();
  const std::vector<std::string> inputs = cids_in(task);
  auto options = options_in(task);
  if (!options) return options.error();
  order.options = *options;
  NamedTexts parameters = texts_in(whole["parameters"]);
  std::vector<std::string> cids;
  for (const std::string& input : inputs) cids.push_back(canonical(input));
  if (rebuilt(order.type, cids, parameters) != task) parameters.emplace_back(whole_task, to_json(task));
  const auto checked = check_task(order.type, inputs.size(), parameters, order.key);
  if (!checked) return to_public(checked.error());

  std::vector<Bytes> encoded;
  for (const std::string& input : inputs) encoded.push_back(input_bytes(input));
  Work work;
  for (const Bytes& input : encoded) work.inputs.emplace_back(input);
  for (const auto& [name, text] : parameters) work.parameters.emplace_back(name, text);
  order.work = encode_work(work);
  if (order.work.size() > limits::payload_bytes)
    return refused("the task takes " + std::to_string(order.work.size()) + " bytes on its way, at most " +
                   std::to_string(limits::payload_bytes) + "; add what is large as content and give its CID");
  return order;
}

Dict task_of(const std::string& type, const std::vector<Cid>& inputs, const NamedTexts& parameters) {
  for (const auto& [name, text] : parameters) {
    if (name != whole_task) continue;
    const auto task = parse_json(text);
    if (task && task->dict() != nullptr) return *task->dict();
  }
  std::vector<std::string> cids;
  for (const Cid& input : inputs) cids.push_back(input.text());
  return rebuilt(type, cids, parameters);
}

TaskResult result_of(const Dict& given) {
  TaskResult result;
  for (const std::string& text : cids_in(given)) {
    if (auto cid = Cid::parse(text)) result.cids.push_back(*std::move(cid));
  }
  result.values.emplace_back(whole_result, to_json(given));
  return result;
}

Dict result_dict(const std::vector<std::string>& cids, const NamedTexts& values) {
  if (values.size() == 1 && values[0].first == whole_result) {
    const auto dict = parse_json(values[0].second);
    if (dict && dict->dict() != nullptr) return *dict->dict();
  }
  Dict result{{"cids", List(cids.begin(), cids.end())}};
  if (cids.size() == 1) result.emplace("cid", cids[0]);
  Dict texts;
  for (const auto& [name, text] : values) texts.emplace(name, text);
  result.emplace("values", std::move(texts));
  return result;
}

Value seconds_of(cidbus::WallTime time) {
  if (time.milliseconds == 0) return {};
  return static_cast<double>(time.milliseconds) / 1000;
}

Dict status_of(const TaskRecord& task) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Value() : Value(text); };
  Dict status{{"id", cidbus::to_text(task.id)}, {"type", task.type}, {"status", cidbus::to_text(task.state)}};
  status.emplace("submitted_at", seconds_of(task.submitted_at));
  status.emplace("assigned_to", text_or_null(task.worker));
  status.emplace("assigned_at", seconds_of(task.started_at));
  status.emplace("completed_at", seconds_of(task.finished_at));
  status.emplace("attempts", task.attempts);
  const bool completed = task.state == cidbus::TaskState::Completed;
  status.emplace("result", completed ? Value(result_dict(task.cids, task.values)) : Value());
  status.emplace("error", completed ? Value() : text_or_null(task.error));
  return status;
}

}  // namespace cidbus::v1
