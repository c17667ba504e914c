#include "client/library/task_check.h"

#include <algorithm>

#include "shared/base/ids.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"
#include "shared/content/quote.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

Status check_parameters(const TaskParameters& parameters) {
  for (auto place = parameters.begin(); place != parameters.end(); ++place) {
    const std::string& name = place->first;
    if (!is_valid_name(name)) {
      return fault(FaultKind::BadUsage, in_quotes(name) + " cannot name a parameter; use A-Z a-z 0-9 . _ -");
    }
    const auto same = [&](const auto& other) { return other.first == name; };
    if (std::any_of(parameters.begin(), place, same))
      return fault(FaultKind::BadUsage, "parameter " + in_quotes(name) + " is given twice; give it once");
  }
  return {};
}

}  // namespace

Status check_task(std::string_view type, std::size_t inputs, const TaskParameters& parameters,
                  std::string_view key) {
  if (!is_valid_name(type)) {
    return fault(FaultKind::BadUsage, in_quotes(type) + " cannot be a task type; use 1 to " +
                                          std::to_string(limits::name_length) + " of A-Z a-z 0-9 . _ -");
  }
  if (inputs > limits::inputs)
    return fault(FaultKind::BadUsage, "a task takes at most " + std::to_string(limits::inputs) + " inputs");
  if (parameters.size() > limits::parameters)
    return fault(FaultKind::BadUsage,
                 "a task takes at most " + std::to_string(limits::parameters) + " parameters");
  if (key.size() > limits::key_length)
    return fault(FaultKind::BadUsage,
                 "the key is too long; at most " + std::to_string(limits::key_length) + " bytes");
  return check_parameters(parameters);
}

Fault traceparent_fault(std::string_view text) {
  return {FaultKind::BadUsage, in_quotes(text) +
                                   " is no traceparent; give one of W3C Trace Context, as "
                                   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
}

Result<Bytes> encode_task(std::span<const Cid> inputs, const TaskParameters& parameters,
                          std::string_view traceparent) {
  Work work;
  for (const Cid& input : inputs) work.inputs.push_back(input.bytes());
  for (const auto& [name, value] : parameters) work.parameters.emplace_back(name, value);
  work.traceparent = traceparent;
  Bytes bytes = encode_work(work);
  if (bytes.size() <= limits::payload_bytes) return bytes;
  return fault(FaultKind::BadUsage, "the task's inputs and parameters take " + std::to_string(bytes.size()) +
                                        " bytes, at most " + std::to_string(limits::payload_bytes) +
                                        "; add large values as content and give their CIDs");
}

}  // namespace cidbus
