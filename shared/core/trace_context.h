// The trace that a task belongs to, as W3C Trace Context writes it: the text of a `traceparent`, version 00
// (https://www.w3.org/TR/trace-context-1/#traceparent-header). It travels in the task's work, from who
// submits to who runs it; what an attempt calls continues it under a span of the attempt's own.
//
// Thread rule: functions of their arguments. Limits: 55 bytes of text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/core/task.h"

namespace cidbus {

inline constexpr std::size_t traceparent_length = 55;  // 00-<32 hex>-<16 hex>-<2 hex>

// As version 00 writes it, also of a later version's, as the recommendation asks; nothing for what is none.
std::optional<std::string> read_traceparent(std::string_view text);

// Its 32 hex digits. REQUIRES: `traceparent` is from read_traceparent().
std::string_view trace_id_of(std::string_view traceparent);

// For what an attempt calls: the same trace and flags, with the attempt as the parent. Each attempt has one
// span id, whoever asks. REQUIRES: as above.
std::string traceparent_within(std::string_view traceparent, const AttemptId& attempt);

}  // namespace cidbus
