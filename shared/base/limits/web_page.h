// The web page of an observer: where it stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::size_t page_browsers = 200;    // live at once; further ones are told 503 and try again
inline constexpr std::size_t page_connections = 300;  // of HTTP in all, scrapers among them
inline constexpr std::size_t page_departures = 2000;  // rows that are gone and still told to who lags behind
inline constexpr std::size_t page_log_rows = 500;     // of each log: runs, elections, alerts
inline constexpr std::size_t page_names = 200;        // of content
inline constexpr std::size_t page_proposals = 100;    // the newest
inline constexpr std::size_t page_series = 12;        // of one question about history
inline constexpr std::int64_t page_points = 4000;     // of one series, of one question
inline constexpr std::size_t page_questions = 32;     // about history that wait for the disk; then 503

inline constexpr std::size_t watched_runs = 2000;       // tasks under way of which the beginning is known

}  // namespace cidbus::limits
