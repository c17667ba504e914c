// The history of every series in memory: points a second apart, rolled up to minutes and hours, each for its
// own time. What is older is in the file (observer/history_file.h), when there is one.
//
// Invariants
//  1. A point counts in its second (the last one of a second stands), its minute and its hour, or, when it is
//     older than the newest of its series, nowhere.
//  2. No more series, points and buckets than limits/observer.h allows; a new series that finds no room is
//     refused and counted, the ones there go on.
//  3. What changed since a second is told whole: the seconds and buckets that a file needs to be equal again.
//
// Thread rule: pure; one owner. Limits: limits/observer.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "observer/core/bucket.h"
#include "observer/core/sample.h"
#include "shared/base/limits/observer.h"

namespace cidbus {

struct SeriesName {
  std::string node;  // empty: of the cluster
  std::string series;
  friend auto operator<=>(const SeriesName&, const SeriesName&) = default;
};

struct Point {
  std::int64_t second = 0;
  double value = 0;
};

// Of one series, what a file lacks; or what it holds.
struct SeriesPart {
  SeriesName name;
  std::vector<Point> seconds;
  std::vector<Bucket> minutes;
  std::vector<Bucket> hours;
};

class History {
 public:
  // Whether it was taken (invariant 1 and 2). Values that are no numbers are not.
  bool add(const Sample& sample);
  // What a file holds, before anything else of this series is added.
  void restore(const SeriesPart& part);

  // The buckets of [from, to), seconds since the epoch, in order; empty for an unknown series.
  [[nodiscard]] std::vector<Bucket> range(const SeriesName& name, Resolution resolution, std::int64_t from,
                                          std::int64_t to) const;
  // The newest point; null for an unknown series.
  [[nodiscard]] const Point* newest(const SeriesName& name) const;
  [[nodiscard]] std::vector<SeriesName> names() const;
  // Everything of a second at or behind `second`, and the buckets that hold such seconds.
  [[nodiscard]] std::vector<SeriesPart> changed_since(std::int64_t second) const;

  // Drops the series that had no point for limits::history_silence.
  void forget_silent(WallTime now);
  [[nodiscard]] std::uint64_t refused() const { return refused_; }  // samples without room

 private:
  struct Track {
    std::deque<Point> seconds;
    std::deque<Bucket> minutes;
    std::deque<Bucket> hours;
  };
  static void roll_up(std::deque<Bucket>& buckets, std::size_t most, std::int64_t start, double value);

  std::map<SeriesName, Track> tracks_;
  std::uint64_t refused_ = 0;
};

}  // namespace cidbus
