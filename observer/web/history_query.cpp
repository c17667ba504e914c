#include "observer/web/history_query.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "client/command/json_writer.h"
#include "shared/base/limits/web_page.h"

namespace cidbus {
namespace {

using std::chrono::seconds;

// In memory or on disk; in memory a little less, since the oldest is just going.
KeptSince kept_since(WallTime now, bool on_disk) {
  const std::int64_t second = now.milliseconds / 1000;
  if (on_disk)
    return {second - seconds(limits::history_kept_seconds).count(),
            second - seconds(limits::history_kept_minutes).count(),
            second - seconds(limits::history_kept_hours).count()};
  const auto in_memory = [&](std::size_t spans, Resolution resolution) {
    return second - (static_cast<std::int64_t>(spans) - 2) * seconds_of(resolution);
  };
  return {in_memory(limits::history_seconds, Resolution::Second),
          in_memory(limits::history_minutes, Resolution::Minute),
          in_memory(limits::history_hours, Resolution::Hour)};
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// As a browser writes a form's value (URL standard, application/x-www-form-urlencoded).
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high = text[at] == '%' && at + 2 < text.size() ? digit_value(text[at + 1]) : -1;
    const int low = high >= 0 ? digit_value(text[at + 2]) : -1;
    if (low >= 0) {
      result += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      result += text[at] == '+' ? ' ' : text[at];
    }
  }
  return result;
}

std::optional<std::int64_t> parse_second(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::int64_t far = 1'000'000'000'000;
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > far) return {};
  return value;
}

bool is_counter(std::string_view series) { return series.ends_with("_total"); }

// By the start of their spans.
std::map<std::int64_t, double> values_of(const std::vector<Bucket>& buckets, bool counter,
                                         std::int64_t from) {
  std::map<std::int64_t, double> values;
  const Bucket* before = nullptr;
  for (const Bucket& bucket : buckets) {
    if (!counter) {
      if (bucket.start >= from) values[bucket.start] = bucket.average();
    } else if (before != nullptr && bucket.start >= from) {
      const double grown = bucket.last >= before->last ? bucket.last - before->last : bucket.last;
      values[bucket.start] = grown / static_cast<double>(bucket.start - before->start);
    }
    before = &bucket;
  }
  return values;
}

}  // namespace

std::variant<HistoryQuestion, std::string> parse_history_query(std::string_view query, WallTime now,
                                                               bool has_file) {
  HistoryQuestion question;
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    const std::string_view name = part.substr(0, part.find('='));
    const std::string value = decoded(part.substr(std::min(part.size(), name.size() + 1)));
    if (name == "from") from = parse_second(value);
    if (name == "to") to = parse_second(value);
    if (name != "series") continue;
    const auto stroke = value.rfind('/');
    if (stroke == std::string::npos || stroke + 1 == value.size())
      return "a series is given as NODE/SERIES, one of the cluster as /SERIES";
    question.series.push_back({value.substr(0, stroke), value.substr(stroke + 1)});
  }
  if (!from || !to || *from >= *to) return "give from and to, in whole seconds since 1970, from before to";
  if (question.series.empty() || question.series.size() > limits::page_series)
    return "give from 1 to " + std::to_string(limits::page_series) + " series";
  question.from = *from;
  question.to = *to;
  take_resolution(question, kept_since(now, has_file));
  if ((question.to - question.from) / seconds_of(question.resolution) > limits::page_points)
    return "the window is longer than " + std::to_string(limits::page_points) + " hours; take a shorter one";
  return question;
}

void take_resolution(HistoryQuestion& question, const KeptSince& kept) {
  question.resolution =
      std::max(question.resolution, finest_resolution(question.from, question.to, kept, limits::page_points));
  question.from = span_start(question.from, question.resolution);
}

bool is_in_memory(const HistoryQuestion& question, WallTime now) {
  return kept_since(now, false).at(static_cast<std::size_t>(question.resolution)) <= question.from;
}

HistoryColumns columns_in(const History& history, const HistoryQuestion& question) {
  HistoryColumns columns;
  for (const SeriesName& name : question.series)
    columns.push_back(history.range(name, question.resolution,
                                    question.from - seconds_of(question.resolution), question.to));
  return columns;
}

void join_columns(HistoryColumns& older, HistoryColumns newer) {
  for (std::size_t at = 0; at < older.size() && at < newer.size(); ++at) {
    if (newer[at].empty()) continue;
    std::erase_if(older[at], [&](const Bucket& bucket) { return bucket.start >= newer[at].front().start; });
    older[at].insert(older[at].end(), newer[at].begin(), newer[at].end());
  }
}

std::string history_answer(const HistoryQuestion& question, const HistoryColumns& columns) {
  const std::int64_t step = seconds_of(question.resolution);
  std::vector<std::map<std::int64_t, double>> values;
  std::vector<std::int64_t> times;
  for (std::size_t at = 0; at < columns.size(); ++at) {
    values.push_back(values_of(columns[at], is_counter(question.series[at].series), question.from));
    for (const auto& [start, value] : values.back()) times.push_back(start);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  for (std::size_t at = times.size(); at > 1; --at)
    if (times[at - 1] - times[at - 2] > 3 * step)
      times.insert(times.begin() + static_cast<std::ptrdiff_t>(at) - 1, times[at - 2] + step);
  JsonWriter json;
  json.open_object().name("step").number(static_cast<std::uint64_t>(step));
  json.name("from").number(static_cast<std::uint64_t>(question.from)).name("times").open_array();
  for (const std::int64_t time : times) json.number(static_cast<std::uint64_t>(time));
  json.close_array().name("series").open_array();
  for (std::size_t at = 0; at < columns.size(); ++at) {
    json.open_object().name("name").string(question.series[at].node + "/" + question.series[at].series);
    json.name("values").open_array();
    for (const std::int64_t time : times) {
      const auto value = values[at].find(time);
      value == values[at].end() ? json.null() : json.real(value->second);
    }
    json.close_array().close_object();
  }
  return json.close_array().close_object().text();
}

std::string series_list(const History& history) {
  JsonWriter json;
  json.open_array();
  for (const SeriesName& name : history.names())
    json.open_object().name("node").string(name.node).name("series").string(name.series).close_object();
  return json.close_array().text();
}

}  // namespace cidbus
