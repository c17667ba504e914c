// An observer: where its history, its view of the cluster and its alerts stop. What limits are for:
// README.md, here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t history_series = 8192;  // series kept in memory; 11 KiB each when full
inline constexpr std::size_t history_seconds = 180;  // points a second apart, of a series in memory
inline constexpr std::size_t history_minutes = 120;  // buckets of a minute, likewise
inline constexpr std::size_t history_hours = 48;     // buckets of an hour, likewise
inline constexpr auto history_silence = 1h;          // a series without a point for so long leaves the memory
inline constexpr auto history_kept_seconds = 24h;    // on disk
inline constexpr auto history_kept_minutes = 30 * 24h;
inline constexpr auto history_kept_hours = 731 * 24h;
inline constexpr std::uint64_t history_file_bytes = 1ULL << 30;  // default; the oldest goes first
inline constexpr std::uint64_t history_file_least = 1ULL << 20;
inline constexpr auto history_write_period = 5s;        // what a kill can cost
inline constexpr std::size_t history_rows = 1'000'000;  // that one question may read

inline constexpr std::size_t watched_task_types = 256;  // told apart; the others are counted together
inline constexpr std::size_t watched_tasks = 500;       // of which the last state is kept
inline constexpr std::size_t watched_elections = 200;   // words said in elections, the newest
inline constexpr std::size_t watched_departed = 200;    // nodes that left or died and are still shown
inline constexpr auto watched_departed_time = 24h;      // and for how long

inline constexpr std::size_t alert_rules = 200;
inline constexpr std::size_t alerts = 1000;          // raised at once; further ones wait until one is over
inline constexpr std::size_t alert_watches = 50'000;  // series that rules look at
inline constexpr auto alert_silence = 60s;  // a series without a point for so long is no longer measured
inline constexpr std::size_t alert_sinks = 8;
inline constexpr std::size_t alerts_on_the_way = 256;  // to one sink; the oldest is dropped
inline constexpr unsigned alert_tries = 10;            // of one sink, for one alert
inline constexpr auto alert_back_off = 1s;             // before the second try; doubles with each
inline constexpr auto alert_back_off_most = 60s;
inline constexpr auto alert_sink_time = 10s;  // for one try
inline constexpr std::size_t silences = 1000;

}  // namespace cidbus::limits
