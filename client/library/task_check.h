// What may be asked for as a task, checked before anything is sent, and the bytes that carry it.
//
// Thread rule: functions of their arguments. Limits: limits/tasks.h.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/result.h"
#include "shared/content/cid.h"

namespace cidbus {

using TaskParameters = std::vector<std::pair<std::string, std::string>>;

// BadUsage, naming what is wrong: the type's name, the number of inputs or parameters, a parameter's name,
// one given twice, the length of the key.
Status check_task(std::string_view type, std::size_t inputs, const TaskParameters& parameters,
                  std::string_view key);

// The `work` bytes. BadUsage beyond limits::payload_bytes.
// BadUsage: what a traceparent that was given should have been.
Fault traceparent_fault(std::string_view text);
// `traceparent`: from read_traceparent(), or empty.
Result<Bytes> encode_task(std::span<const Cid> inputs, const TaskParameters& parameters,
                          std::string_view traceparent = {});

}  // namespace cidbus
