// What people type, made into values: durations, parameters, inputs, numbers of a task.
//
// Faults are BadUsage, or BadData for what claims to be a CID and is none; their text quotes what was typed.
//
// Thread rule: functions of their arguments. Limits: limits/tasks.h.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/content/cid.h"

namespace cidbus {

// A whole number and a unit: 500ms, 30s, 5m, 2h, 7d. More than nothing, at most 1000 days.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// K=V; V may be anything, and empty.
Result<std::pair<std::string, std::string>> parse_parameter(std::string_view text);

// REQUIRES: nothing; the fault says how task ids look.
Result<TaskId> parse_task(std::string_view text);

// An input is a CID, or the path of a file or folder to add. What reads as a CID is one, unless it has a
// slash in it; a file of that name is written ./NAME.
using Input = std::variant<Cid, std::string>;
Result<Input> parse_input(std::string_view text);

// Control characters become \xNN, so that nothing from outside moves the cursor.
std::string printable(std::string_view text);

// "1.5 MiB", "912 B".
std::string readable_bytes(std::uint64_t bytes);

}  // namespace cidbus
