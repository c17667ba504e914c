#include "client/command/load_result.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace cidbus {
namespace {

constexpr std::array<std::pair<const char*, double>, 4> percentiles{
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}}};

std::string decimal(double number, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, number);
  return text.data();
}

double microseconds_of(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}
double seconds_of(const LoadResult& result) { return std::chrono::duration<double>(result.elapsed).count(); }

}  // namespace

std::string to_microseconds(Duration duration) { return decimal(microseconds_of(duration), 1); }

double tasks_a_second(const LoadResult& result) {
  const double seconds = seconds_of(result);
  return seconds > 0 ? static_cast<double>(result.tasks) / seconds : 0;
}

void write_load(JsonWriter& json, const LoadResult& result) {
  json.name("tasks").number(result.tasks);
  json.name("seconds").decimal(seconds_of(result), 6);
  json.name("tasks_per_second").number(static_cast<std::uint64_t>(std::llround(tasks_a_second(result))));
  json.name("latency_us").open_object();
  for (const auto& [name, percent] : percentiles)
    json.name(name).decimal(microseconds_of(result.latencies.percentile(percent)), 1);
  json.name("max").decimal(microseconds_of(result.latencies.longest()), 1).close_object();
}

std::string to_json(const LoadResult& result) {
  JsonWriter json;
  json.open_object();
  write_load(json, result);
  return json.close_object().text();
}

std::string to_line(const LoadResult& result) {
  std::string line = std::to_string(result.tasks) + " tasks in " + decimal(seconds_of(result), 2) +
                     " s: " + decimal(tasks_a_second(result), 0) + " tasks/s; latency us";
  for (const auto& [name, percent] : percentiles)
    line += std::string(" ") + name + ' ' + to_microseconds(result.latencies.percentile(percent)) + ',';
  return line + " max " + to_microseconds(result.latencies.longest());
}

}  // namespace cidbus
