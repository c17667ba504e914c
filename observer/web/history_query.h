// A question about history as a browser puts it, and the answer: columns for a chart.
//
//     /history?from=SECOND&to=SECOND&series=NODE%2FSERIES&series=%2FSERIES...
//     {"step": seconds, "from": second, "times": [second], "series": [{"name": "NODE/SERIES", "values":
//     [...]}]}
//
// A value is the average of its span; of a counter (its name ends with _total) the increase a second. What is
// not known is null, and where nothing was measured for long stands one row of nulls, so that no line crosses
// it.
//
// Invariant: the span is the finest of which the window has no more than limits::page_points and that lacks
// nothing of it that a coarser one has.
//
// Thread rule: pure. Limits: limits::page_series, limits::page_points.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "observer/core/history.h"

namespace cidbus {

struct HistoryQuestion {
  std::int64_t from = 0;  // seconds since the epoch; a multiple of the span
  std::int64_t to = 0;    // exclusive
  Resolution resolution = Resolution::Second;
  std::vector<SeriesName> series;
};
// Or why it is none, for a person. `has_file`: more is kept than what is in memory.
std::variant<HistoryQuestion, std::string> parse_history_query(std::string_view query, WallTime now,
                                                               bool has_file);
// Makes its span coarser where it must, for what is really kept.
void take_resolution(HistoryQuestion& question, const KeptSince& kept);
// All of it is in memory.
bool is_in_memory(const HistoryQuestion& question, WallTime now);

// Of each series of the question, in its order; the first bucket may be the one before `from`, for the rate.
using HistoryColumns = std::vector<std::vector<Bucket>>;
HistoryColumns columns_in(const History& history, const HistoryQuestion& question);
// `newer` stands where both have a bucket.
void join_columns(HistoryColumns& older, HistoryColumns newer);
std::string history_answer(const HistoryQuestion& question, const HistoryColumns& columns);

// Every series there is, as [{"node", "series"}].
std::string series_list(const History& history);

}  // namespace cidbus
