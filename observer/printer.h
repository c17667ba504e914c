// What an observer shows: events and snapshots as lines, for a person or as ndjson for a program.
//
// Each ndjson line is one object with "event" (heartbeat, leader, member, task, skipped, counters, election,
// metrics, snapshot, gap, alert), "time" (RFC 3339) and the event's own fields; docs/observer.md lists them,
// and they are kept.
//
// Thread rule: functions of their arguments. Limits: none of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "observer/core/alert_engine.h"
#include "shared/base/time.h"
#include "shared/core/message.h"

namespace cidbus {

enum class PrintStyle { Text, Ndjson, Names };
// table, json, ndjson and quiet, as every --output has them. A stream has no end, so json is ndjson too;
// quiet is the name of the member, task or leader that changed, a line each.
std::optional<PrintStyle> parse_print_style(std::string_view text);

// One line without its end, or nothing: heartbeats are for programs only.
std::string print_event(PrintStyle style, WallTime time, std::string_view publisher, const FeedEvent& event);
// One line for ndjson, several for a person; the members' names. `teller`: the broker that said it, which may
// not be the leader.
std::string print_snapshot(PrintStyle style, WallTime time, std::string_view teller,
                           const Snapshot& snapshot);
// The alert's id for names.
std::string print_alert(PrintStyle style, const AlertNotice& notice);
// Nothing for names.
std::string print_gap(PrintStyle style, WallTime time, std::string_view publisher, FeedTopic topic,
                      std::uint64_t missed);

}  // namespace cidbus
