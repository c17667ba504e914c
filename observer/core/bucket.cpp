#include "observer/core/bucket.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace cidbus {
namespace {

constexpr std::array<std::string_view, 3> resolution_names{"second", "minute", "hour"};

// Averages in order, each as often as its bucket has points.
class Ranks {
 public:
  explicit Ranks(std::span<const Bucket> buckets) {
    for (const Bucket& bucket : buckets) {
      values_.emplace_back(bucket.average(), bucket.count);
      total_ += bucket.count;
    }
    std::sort(values_.begin(), values_.end());
  }
  [[nodiscard]] double at(double part) const {
    const auto rank = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (const auto& [value, count] : values_) {
      seen += count;
      if (seen >= rank) return value;
    }
    return values_.back().first;
  }

 private:
  std::vector<std::pair<double, std::uint32_t>> values_;
  std::uint64_t total_ = 0;
};

double rate_of(std::span<const Bucket> buckets) {
  const auto seconds = static_cast<double>(buckets.back().start - buckets.front().start);
  if (seconds <= 0) return 0;
  double increase = 0;
  for (std::size_t at = 1; at < buckets.size(); ++at) {
    const double before = buckets[at - 1].last;
    const double after = buckets[at].last;
    increase += after >= before ? after - before : std::max(after, 0.0);
  }
  return increase / seconds;
}

double trend_of(std::span<const Bucket> buckets) {
  const auto zero = buckets.front().start;
  const auto size = static_cast<double>(buckets.size());
  double times = 0;
  double values = 0;
  for (const Bucket& bucket : buckets) {
    times += static_cast<double>(bucket.start - zero);
    values += bucket.average();
  }
  double spread = 0;
  double together = 0;
  for (const Bucket& bucket : buckets) {
    const double time = static_cast<double>(bucket.start - zero) - times / size;
    spread += time * time;
    together += time * (bucket.average() - values / size);
  }
  return spread > 0 ? together / spread : 0;
}

}  // namespace

std::string_view to_text(Resolution resolution) {
  return resolution_names[static_cast<std::size_t>(resolution)];
}

std::optional<Resolution> parse_resolution(std::string_view text) {
  const auto found = std::find(resolution_names.begin(), resolution_names.end(), text);
  if (found == resolution_names.end()) return std::nullopt;
  return static_cast<Resolution>(found - resolution_names.begin());
}

void Bucket::add(double value) {
  minimum = std::min(minimum, value);
  maximum = std::max(maximum, value);
  sum += value;
  last = value;
  ++count;
}

Resolution finest_resolution(std::int64_t from, std::int64_t to, const KeptSince& kept, std::int64_t most) {
  for (const Resolution resolution : {Resolution::Second, Resolution::Minute}) {
    const auto place = static_cast<std::size_t>(resolution);
    // A coarser span may begin before the first thing that was measured, by less than its length.
    const std::int64_t measured =
        std::min(kept[1] + seconds_of(Resolution::Minute) - 1, kept[2] + seconds_of(Resolution::Hour) - 1);
    const bool few = (to - from) / seconds_of(resolution) <= most;
    if (few && kept.at(place) <= std::max(from, measured)) return resolution;
  }
  return Resolution::Hour;
}

Bucket bucket_of(std::int64_t start, double value) { return {start, value, value, value, value, 1}; }

std::optional<Figures> figures_of(std::span<const Bucket> buckets) {
  if (buckets.empty()) return std::nullopt;
  Figures figures;
  figures.minimum = buckets.front().minimum;
  figures.maximum = buckets.front().maximum;
  figures.last = buckets.back().last;
  double sum = 0;
  for (const Bucket& bucket : buckets) {
    figures.count += bucket.count;
    figures.minimum = std::min(figures.minimum, bucket.minimum);
    figures.maximum = std::max(figures.maximum, bucket.maximum);
    sum += bucket.sum;
  }
  figures.average = sum / static_cast<double>(figures.count);
  const Ranks ranks(buckets);
  figures.p50 = ranks.at(0.50);
  figures.p95 = ranks.at(0.95);
  figures.p99 = ranks.at(0.99);
  figures.rate = rate_of(buckets);
  figures.trend = trend_of(buckets);
  return figures;
}

}  // namespace cidbus
