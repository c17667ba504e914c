// A task that somebody asks for, from the words of a command line or of a line of a batch, checked before
// anything is sent.
//
// Thread rule: values. Limits: limits/tasks.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/command/values.h"
#include "client/library/task_record.h"
#include "shared/base/limits/tasks.h"
#include "shared/core/task.h"

namespace cidbus {

// As typed.
struct RawTaskRequest {
  std::string type;
  std::vector<std::string> inputs;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<std::int64_t> priority;
  std::optional<std::int64_t> retries;
  std::string delay, deadline, time_limit;  // durations; empty for none
  std::string key;                          // empty for none
  std::string traceparent;                  // likewise
};

struct TaskRequest {
  std::string type;
  std::string key;
  std::string traceparent;
  TaskOptions options;  // without the key
  std::vector<Input> inputs;
  std::vector<std::pair<std::string, std::string>> parameters;

  // With the key; its view ends with this value.
  [[nodiscard]] TaskOptions options_with_key() const;
};

// What is wrong with a key that was given; empty when nothing is. An empty one is none, and would let through
// twice what was to be done once: a variable of a script that was never set.
std::string key_problem(const std::string& key);

// BadUsage or BadData, naming what is wrong.
Result<TaskRequest> make_task_request(const RawTaskRequest& raw);

// One line of a batch: a JSON object with type, and any of inputs, params, priority, delay, deadline,
// time_limit, retries, key, traceparent. BadData for what is none, and for a name that is not one of these.
// `traceparent`: of a line that gives none.
Result<TaskRequest> parse_batch_line(std::string_view line, std::string_view traceparent = {});

// Adds a path's content and gives its CID.
using AddPath = std::function<Result<Cid>(const std::string& path)>;

struct EncodedWork {
  Bytes bytes;
  Asked asked;
};

// The `work` bytes, after every input that is a path was added. BadUsage beyond limits::payload_bytes.
Result<EncodedWork> make_work(const TaskRequest& request, const AddPath& add_path);

}  // namespace cidbus
