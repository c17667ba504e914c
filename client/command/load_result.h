// What a load measured, and how it is told: one shape for `cidbus bench` and for the yardstick it is compared
// with (bench/limit), so that a script reads both alike.
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstdint>
#include <string>

#include "client/command/json_writer.h"
#include "client/command/latencies.h"

namespace cidbus {

struct LoadResult {
  std::uint64_t tasks = 0;
  Duration elapsed{};   // from the first submission to the last result
  Latencies latencies;  // of each task, from its submission to its result
};

[[nodiscard]] double tasks_a_second(const LoadResult& result);

// "tasks", "seconds", "tasks_per_second" and "latency_us", into an object that is open.
void write_load(JsonWriter& json, const LoadResult& result);
std::string to_json(const LoadResult& result);
// "100000 tasks in 0.21 s: 476190 tasks/s; latency us p50 …, p90 …, p99 …, p99.9 …, max …"
std::string to_line(const LoadResult& result);

// "12.3": with one digit behind the point.
std::string to_microseconds(Duration duration);

}  // namespace cidbus
