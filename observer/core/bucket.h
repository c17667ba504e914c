// A span of one series, and what it comes to: the roll-ups of history, and the figures drawn from them.
//
// Why minimum, maximum, sum, count and last: from them the figures of any longer span follow without the
// points (percentiles alone are then those of averages), and the increase of a counter, which may start again
// from nothing, follows from the last values.
//
// Invariants
//  1. minimum <= sum / count <= maximum, but for rounding, and count >= 1, in every bucket that is in use.
//  2. A bucket starts at a multiple of its span.
//
// Thread rule: values and functions of them. Limits: none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace cidbus {

enum class Resolution : std::uint8_t { Second, Minute, Hour };
std::string_view to_text(Resolution resolution);
std::optional<Resolution> parse_resolution(std::string_view text);
constexpr std::int64_t seconds_of(Resolution resolution) {
  return resolution == Resolution::Second ? 1 : resolution == Resolution::Minute ? 60 : 3600;
}
// The start of the span that holds `second`; both since the Unix epoch.
constexpr std::int64_t span_start(std::int64_t second, Resolution resolution) {
  return second - second % seconds_of(resolution);
}

// By resolution, since when there is something; nothing_kept: there is nothing.
using KeptSince = std::array<std::int64_t, 3>;
inline constexpr std::int64_t nothing_kept = std::int64_t{1} << 60;
// The finest of which [from, to) has at most `most` spans and that lacks nothing of the window that a coarser
// one has; hours when none does.
Resolution finest_resolution(std::int64_t from, std::int64_t to, const KeptSince& kept, std::int64_t most);

struct Bucket {
  std::int64_t start = 0;  // seconds since the Unix epoch
  double minimum = 0;
  double maximum = 0;
  double sum = 0;
  double last = 0;
  std::uint32_t count = 0;

  [[nodiscard]] double average() const { return count == 0 ? 0 : sum / count; }
  void add(double value);
};
Bucket bucket_of(std::int64_t start, double value);

// Of a window. Percentiles are by nearest rank.
struct Figures {
  std::uint64_t count = 0;  // points
  double average = 0;
  double minimum = 0;
  double maximum = 0;
  double last = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  double rate = 0;   // a second: of a counter, whose every fall is a new start from 0
  double trend = 0;  // a second: slope of the line of least squares
};
// Of buckets of one span in the order of time; nothing when there is none.
std::optional<Figures> figures_of(std::span<const Bucket> buckets);

}  // namespace cidbus
