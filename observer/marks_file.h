// What people said of alerts, in the file silences.toml of the observer's folder: written by
// `cidbus-observer alerts`, or by hand, and read by the observer when it changes.
//
//     [silence.s1]
//     rule = "node_silent"       # patterns; without one: any
//     node = "w*"
//     until = "2026-11-26T12:00:00Z"
//     reason = "the rack is moved"
//     [seen.3f2a90c1d4e5b607]    # an alert's id
//     by = "anna"
//     at = "2026-11-26T11:00:00Z"
//
// Faults: BadData beginning with FILE:LINE.
//
// Thread rule: functions. Limits: limits::silences of each kind; what is past is left out when it is written.
#pragma once

#include <string>

#include "observer/core/silence.h"
#include "shared/base/result.h"

namespace cidbus {

std::string marks_path(const std::string& folder);
// Nothing marked when there is no file.
Result<AlertMarks> read_marks(const std::string& folder);
Status write_marks(const std::string& folder, AlertMarks marks, WallTime now);

// RFC 3339 in UTC, without or with a fraction, which is left out: 2026-11-26T12:00:00Z.
std::optional<WallTime> parse_utc(const std::string& text);

}  // namespace cidbus
