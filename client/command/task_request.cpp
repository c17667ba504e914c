#include "client/command/task_request.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "client/library/task_check.h"
#include "shared/base/limits/words.h"
#include "shared/content/quote.h"
#include "shared/core/trace_context.h"

namespace cidbus {
namespace {

namespace json = boost::json;

Status set_number(std::uint8_t& into, const char* name, std::optional<std::int64_t> number, std::int64_t most,
                  std::int64_t offset) {
  if (!number) return {};
  if (*number < 0 || *number > most) {
    return fault(FaultKind::BadUsage, std::string(name) + " is " + std::to_string(*number) +
                                          "; give a number from 0 to " + std::to_string(most));
  }
  into = static_cast<std::uint8_t>(*number + offset);
  return {};
}

Status set_duration(std::chrono::milliseconds& into, const char* name, const std::string& text) {
  if (text.empty()) return {};
  const auto duration = parse_duration(text);
  if (!duration) return fault(duration.error().kind, std::string(name) + ": " + duration.error().message);
  into = *duration;
  return {};
}

Status set_options(TaskOptions& options, const RawTaskRequest& raw) {
  constexpr std::int64_t retries_most = limits::tries_max - 1;
  Status status = set_number(options.priority, "priority", raw.priority, 9, 0);
  if (status) status = set_number(options.tries, "retries", raw.retries, retries_most, 1);
  if (status) status = set_duration(options.delay, "delay", raw.delay);
  if (status) status = set_duration(options.deadline, "deadline", raw.deadline);
  if (status) status = set_duration(options.time_limit, "time limit", raw.time_limit);
  return status;
}

Fault wrong_type(std::string_view name, std::string_view wanted) {
  return {FaultKind::BadData, in_quotes(name) + " should be " + std::string(wanted)};
}

// A parameter's value as text: a string as it is, a whole number or a boolean as JSON writes it.
std::optional<std::string> parameter_text(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  if (const auto* number = value.if_int64()) return std::to_string(*number);
  if (const auto* number = value.if_uint64()) return std::to_string(*number);
  if (const auto* truth = value.if_bool()) return *truth ? "true" : "false";
  return std::nullopt;
}

Status read_parameters(RawTaskRequest& raw, const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return tl::unexpected(wrong_type("params", "an object"));
  for (const auto& parameter : *object) {
    auto text = parameter_text(parameter.value());
    if (!text) {
      return tl::unexpected(wrong_type(
          parameter.key(), "a string, a whole number or a boolean; write other values as strings"));
    }
    raw.parameters.emplace_back(parameter.key(), std::move(*text));
  }
  return {};
}

Status read_inputs(RawTaskRequest& raw, const json::value& value) {
  const auto* array = value.if_array();
  if (array == nullptr) return tl::unexpected(wrong_type("inputs", "an array of strings"));
  for (const json::value& input : *array) {
    const auto* text = input.if_string();
    if (text == nullptr) return tl::unexpected(wrong_type("inputs", "an array of strings"));
    raw.inputs.emplace_back(*text);
  }
  return {};
}

Status read_field(RawTaskRequest& raw, std::string_view name, const json::value& value) {
  if (name == "params") return read_parameters(raw, value);
  if (name == "inputs") return read_inputs(raw, value);
  if (name == "priority" || name == "retries") {
    const auto* number = value.if_int64();
    if (number == nullptr) return tl::unexpected(wrong_type(name, "a whole number"));
    (name == "priority" ? raw.priority : raw.retries) = *number;
    return {};
  }
  std::string* const text = name == "type"          ? &raw.type
                            : name == "key"         ? &raw.key
                            : name == "delay"       ? &raw.delay
                            : name == "deadline"    ? &raw.deadline
                            : name == "time_limit"  ? &raw.time_limit
                            : name == "traceparent" ? &raw.traceparent
                                                    : nullptr;
  if (text == nullptr) {
    return fault(FaultKind::BadData,
                 in_quotes(name) + " is not known; a task has type, inputs, params, " +
                     "priority, delay, deadline, time_limit, retries, key and traceparent");
  }
  const auto* string = value.if_string();
  if (string == nullptr) return tl::unexpected(wrong_type(name, "a string"));
  *text = std::string(*string);
  if (name != "key") return {};
  const std::string problem = key_problem(*text);
  return problem.empty() ? Status{} : fault(FaultKind::BadData, problem);
}

}  // namespace

TaskOptions TaskRequest::options_with_key() const {
  TaskOptions with_key = options;
  with_key.key = key;
  return with_key;
}

std::string key_problem(const std::string& key) {
  return key.empty()
             ? "the key is empty; give 1 to " + std::to_string(limits::key_length) + " bytes, or leave it out"
             : "";
}

Result<TaskRequest> make_task_request(const RawTaskRequest& raw) {
  TaskRequest request;
  request.type = raw.type;
  request.key = raw.key;
  Status status = check_task(raw.type, raw.inputs.size(), raw.parameters, raw.key);
  if (status) status = set_options(request.options, raw);
  if (!status) return tl::unexpected(status.error());
  if (!raw.traceparent.empty()) {
    auto trace = read_traceparent(raw.traceparent);
    if (!trace) return tl::unexpected(traceparent_fault(raw.traceparent));
    request.traceparent = *std::move(trace);
  }
  request.parameters = raw.parameters;
  for (const std::string& text : raw.inputs) {
    auto input = parse_input(text);
    if (!input) return tl::unexpected(input.error());
    request.inputs.push_back(std::move(*input));
  }
  return request;
}

Result<TaskRequest> parse_batch_line(std::string_view line, std::string_view traceparent) {
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);  // what some editors begin a file with
  json::error_code error;
  const json::value value = json::parse(line, error);
  if (error) return fault(FaultKind::BadData, "no JSON: " + error.message());
  const auto* object = value.if_object();
  if (object == nullptr) return fault(FaultKind::BadData, "no JSON object");
  RawTaskRequest raw;
  raw.traceparent = traceparent;
  for (const auto& field : *object) {
    const Status read = read_field(raw, field.key(), field.value());
    if (!read) return tl::unexpected(read.error());
  }
  if (raw.type.empty()) return fault(FaultKind::BadData, "there is no type");
  return make_task_request(raw);
}

Result<EncodedWork> make_work(const TaskRequest& request, const AddPath& add_path) {
  std::vector<Cid> cids;
  for (const Input& input : request.inputs) {
    if (const auto* cid = std::get_if<Cid>(&input)) {
      cids.push_back(*cid);
      continue;
    }
    auto added = add_path(std::get<std::string>(input));
    if (!added) return tl::unexpected(added.error());
    cids.push_back(std::move(*added));
  }
  auto bytes = encode_task(cids, request.parameters, request.traceparent);
  if (!bytes) return tl::unexpected(bytes.error());
  EncodedWork encoded{std::move(*bytes), {{}, request.traceparent}};
  for (const Cid& cid : cids) encoded.asked.inputs.push_back(to_text(cid));
  return encoded;
}

}  // namespace cidbus
