#include "observer/core/history.h"

#include <algorithm>
#include <cmath>

namespace cidbus {
namespace {

template <typename Items, typename Start>
auto first_at(const Items& items, std::int64_t start, Start start_of) {
  return std::partition_point(items.begin(), items.end(),
                              [&](const auto& item) { return start_of(item) < start; });
}
std::int64_t second_of(const Point& point) { return point.second; }
std::int64_t start_of(const Bucket& bucket) { return bucket.start; }

template <typename Items>
void bound(Items& items, std::size_t most) {
  while (items.size() > most) items.pop_front();
}

}  // namespace

bool History::add(const Sample& sample) {
  if (!std::isfinite(sample.value)) return false;
  SeriesName name{std::string(sample.node), std::string(sample.series)};
  auto place = tracks_.find(name);
  if (place == tracks_.end()) {
    if (tracks_.size() >= limits::history_series) {
      ++refused_;
      return false;
    }
    place = tracks_.emplace(std::move(name), Track{}).first;
  }
  Track& track = place->second;
  const std::int64_t second = sample.time.milliseconds / 1000;
  if (!track.seconds.empty() && second < track.seconds.back().second) return false;
  if (!track.seconds.empty() && second == track.seconds.back().second) {
    track.seconds.back().value = sample.value;
  } else {
    track.seconds.push_back({second, sample.value});
  }
  bound(track.seconds, limits::history_seconds);
  roll_up(track.minutes, limits::history_minutes, span_start(second, Resolution::Minute), sample.value);
  roll_up(track.hours, limits::history_hours, span_start(second, Resolution::Hour), sample.value);
  return true;
}

void History::roll_up(std::deque<Bucket>& buckets, std::size_t most, std::int64_t start, double value) {
  if (!buckets.empty() && buckets.back().start == start) {
    buckets.back().add(value);
  } else {
    buckets.push_back(bucket_of(start, value));
    bound(buckets, most);
  }
}

void History::restore(const SeriesPart& part) {
  if (tracks_.size() >= limits::history_series && !tracks_.contains(part.name)) return;
  Track& track = tracks_[part.name];
  track.seconds.assign(part.seconds.begin(), part.seconds.end());
  track.minutes.assign(part.minutes.begin(), part.minutes.end());
  track.hours.assign(part.hours.begin(), part.hours.end());
  bound(track.seconds, limits::history_seconds);
  bound(track.minutes, limits::history_minutes);
  bound(track.hours, limits::history_hours);
}

std::vector<Bucket> History::range(const SeriesName& name, Resolution resolution, std::int64_t from,
                                   std::int64_t to) const {
  std::vector<Bucket> found;
  const auto place = tracks_.find(name);
  if (place == tracks_.end()) return found;
  const Track& track = place->second;
  if (resolution == Resolution::Second) {
    for (auto at = first_at(track.seconds, from, second_of); at != track.seconds.end() && at->second < to;
         ++at)
      found.push_back(bucket_of(at->second, at->value));
    return found;
  }
  const auto& buckets = resolution == Resolution::Minute ? track.minutes : track.hours;
  for (auto at = first_at(buckets, from, start_of); at != buckets.end() && at->start < to; ++at)
    found.push_back(*at);
  return found;
}

const Point* History::newest(const SeriesName& name) const {
  const auto place = tracks_.find(name);
  if (place == tracks_.end() || place->second.seconds.empty()) return nullptr;
  return &place->second.seconds.back();
}

std::vector<SeriesName> History::names() const {
  std::vector<SeriesName> names;
  names.reserve(tracks_.size());
  for (const auto& [name, track] : tracks_) names.push_back(name);
  return names;
}

std::vector<SeriesPart> History::changed_since(std::int64_t second) const {
  std::vector<SeriesPart> parts;
  for (const auto& [name, track] : tracks_) {
    if (track.seconds.empty() || track.seconds.back().second < second) continue;
    SeriesPart part{name, {}, {}, {}};
    const auto seconds = first_at(track.seconds, second, second_of);
    part.seconds.assign(seconds, track.seconds.end());
    const auto minutes = first_at(track.minutes, span_start(second, Resolution::Minute), start_of);
    part.minutes.assign(minutes, track.minutes.end());
    const auto hours = first_at(track.hours, span_start(second, Resolution::Hour), start_of);
    part.hours.assign(hours, track.hours.end());
    parts.push_back(std::move(part));
  }
  return parts;
}

void History::forget_silent(WallTime now) {
  const std::int64_t oldest =
      (now.milliseconds - std::chrono::milliseconds(limits::history_silence).count()) / 1000;
  std::erase_if(tracks_, [&](const auto& entry) {
    const auto& minutes = entry.second.minutes;
    return minutes.empty() || minutes.back().start + seconds_of(Resolution::Minute) < oldest;
  });
}

}  // namespace cidbus
