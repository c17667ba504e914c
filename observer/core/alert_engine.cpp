#include "observer/core/alert_engine.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "shared/base/glob.h"
#include "shared/base/ids.h"

namespace cidbus {
namespace {

constexpr std::size_t usual_points = 60;     // fewer tell nothing of what is usual
constexpr double spread_of_median = 1.4826;  // of a normal distribution
constexpr double least_spread = 0.05;        // of the median: a series that stood still may move a little

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// How many times the spread the value is from what is usual; nothing while too little is known.
std::optional<double> distance_from_usual(const Sample& sample, const History& history) {
  const std::int64_t second = sample.time.milliseconds / 1000;
  std::vector<double> values;
  const SeriesName name{std::string(sample.node), std::string(sample.series)};
  for (const Bucket& bucket : history.range(name, Resolution::Second, 0, second))
    values.push_back(bucket.last);
  if (values.size() < usual_points) return std::nullopt;
  const double median = median_of(values);
  for (double& value : values) value = std::abs(value - median);
  const double spread = std::max(spread_of_median * median_of(values), least_spread * std::abs(median));
  const double distance = std::abs(sample.value - median);
  if (distance == 0) return 0;
  return spread > 0 ? distance / spread : 1e9;
}

std::string text_of(const AlertRule& rule, const Sample& sample, AlertLevel level, bool over = false) {
  const auto threshold = level == AlertLevel::Critical && rule.critical ? rule.critical : rule.warning;
  const std::string value = readable_value(sample.series, sample.value);
  std::string text(sample.series);
  if (rule.when == AlertWhen::Unusual) {
    text += (over ? " is usual again: " : " is unusual: ") + value;
  } else {
    text += " is " + value + (over ? ", no longer " : ", ") +
            (rule.when == AlertWhen::Below ? "below " : "at or above ") +
            readable_value(sample.series, threshold.value_or(0));
  }
  return (sample.node.empty() ? "" : std::string(sample.node) + ": ") + text;
}

}  // namespace

std::string_view to_text(AlertChange change) {
  static constexpr std::array<std::string_view, 3> names{"raised", "worsened", "resolved"};
  return names[static_cast<std::size_t>(change)];
}

std::string alert_id(std::string_view cluster, const Alert& alert) {
  std::string cause(cluster);
  for (const std::string* part : {&alert.rule, &alert.node, &alert.series}) cause += '\n' + *part;
  return to_text(Incarnation{cluster_id(cause).value});  // the same hash, and the same digits
}

AlertEngine::AlertEngine(std::vector<AlertRule> rules) : rules_(std::move(rules)) {}

void AlertEngine::restore(const Alert& alert) {
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    if (rules_[rule].name != alert.rule || !rules_[rule].enabled) continue;
    Watch& watch = watches_[{rule, {alert.node, alert.series}}];
    watch.alert = alert;
    watch.value = alert.value;
    watch.over = false;
    watch.now = alert.level;
    watch.since = alert.raised_at;
    ++raised_count_;
  }
}

const std::vector<std::size_t>& AlertEngine::rules_for(const SeriesName& name) {
  const auto [place, fresh] = rules_for_.try_emplace(name);
  if (!fresh) return place->second;
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    const AlertRule& known = rules_[rule];
    if (known.enabled && matches_glob(known.series, name.series) && matches_glob(known.node, name.node))
      place->second.push_back(rule);
  }
  return place->second;
}

void AlertEngine::on_sample(const Sample& sample, const History& history) {
  const SeriesName name{std::string(sample.node), std::string(sample.series)};
  if (rules_for_.size() >= limits::alert_watches && !rules_for_.contains(name)) return;
  for (const std::size_t rule : rules_for(name)) judge(rules_[rule], watches_[{rule, name}], sample, history);
}

void AlertEngine::judge(const AlertRule& rule, Watch& watch, const Sample& sample, const History& history) {
  double value = sample.value;
  if (rule.when == AlertWhen::Unusual) {
    const auto distance = distance_from_usual(sample, history);
    if (!distance) return;
    value = *distance;
  }
  const auto reached = [&](const std::optional<double>& threshold) {
    if (!threshold) return false;
    return rule.when == AlertWhen::Below ? value < *threshold : value >= *threshold;
  };
  watch.sampled = sample.time;
  watch.value = sample.value;
  watch.now = reached(rule.critical)  ? std::optional(AlertLevel::Critical)
              : reached(rule.warning) ? std::optional(AlertLevel::Warning)
                                      : std::nullopt;
  watch.over = !watch.now && !reached(rule.clear);
  const auto begin = [&](WallTime& since, bool is_so) {
    if (!is_so) since = {};
    if (is_so && since.milliseconds == 0) since = sample.time;
  };
  begin(watch.since, watch.now.has_value());
  begin(watch.critical_since, watch.now == AlertLevel::Critical);
  begin(watch.over_since, watch.over);
  if (watch.alert && watch.now) watch.alert->value = sample.value;
}

bool AlertEngine::is_hidden(const Key& key) const {
  return std::any_of(hiding_.begin(), hiding_.end(), [&](const Key& hider) {
    if (hider.rule == key.rule) return false;
    if (!hider.name.node.empty() && hider.name.node != key.name.node) return false;
    const auto& hides = rules_[hider.rule].hides;
    return std::any_of(hides.begin(), hides.end(), [&](const std::string& pattern) {
      return matches_glob(pattern, rules_[key.rule].name);
    });
  });
}

std::vector<AlertNotice> AlertEngine::on_tick(WallTime now, std::string_view cluster, bool blind) {
  std::vector<AlertNotice> notices;
  hiding_.clear();
  for (const auto& [key, watch] : watches_)
    if ((watch.now || watch.alert) && !rules_[key.rule].hides.empty()) hiding_.push_back(key);
  const std::chrono::milliseconds silence = limits::alert_silence;
  for (auto place = watches_.begin(); place != watches_.end();) {
    auto& [key, watch] = *place;
    if (watch.sampled.milliseconds == 0) watch.sampled = now;  // restored, and not measured yet
    const bool measured = now - watch.sampled < silence;
    if (measured) tick(key, watch, now, cluster, notices);
    if (measured || blind) {
      ++place;
      continue;
    }
    if (watch.alert) {
      watch.alert->text += "; it is no longer measured";
      notices.push_back({AlertChange::Resolved, std::move(*watch.alert), now});
      --raised_count_;
    }
    rules_for_.erase(key.name);
    place = watches_.erase(place);
  }
  return notices;
}

void AlertEngine::tick(const Key& key, Watch& watch, WallTime now, std::string_view cluster,
                       std::vector<AlertNotice>& notices) {
  const AlertRule& rule = rules_[key.rule];
  const auto held = [&](WallTime since, std::chrono::milliseconds time) {
    return since.milliseconds != 0 && now - since >= time;
  };
  const AlertLevel level = held(watch.critical_since, rule.hold) ? AlertLevel::Critical : AlertLevel::Warning;
  const Sample sample{key.name.node, key.name.series, now, watch.value};
  if (!watch.alert) {
    const bool counts = watch.now && held(watch.since, rule.hold) &&
                        (level == AlertLevel::Critical || rule.warning.has_value());
    if (!counts || raised_count_ >= limits::alerts || is_hidden(key)) return;
    Alert alert{
        "", rule.name, key.name.node, key.name.series, level, watch.value, text_of(rule, sample, level), now};
    alert.id = alert_id(cluster, alert);
    watch.alert = alert;
    ++raised_count_;
    notices.push_back({AlertChange::Raised, std::move(alert), now});
  } else if (held(watch.over_since, rule.clear_hold)) {
    watch.alert->value = watch.value;
    watch.alert->text = text_of(rule, sample, watch.alert->level, true);
    notices.push_back({AlertChange::Resolved, std::move(*watch.alert), now});
    watch.alert.reset();
    --raised_count_;
  } else if (level == AlertLevel::Critical && watch.alert->level == AlertLevel::Warning) {
    watch.alert->level = level;
    watch.alert->text = text_of(rule, sample, level);
    notices.push_back({AlertChange::Worsened, *watch.alert, now});
  }
}

std::vector<Alert> AlertEngine::raised() const {
  std::vector<Alert> alerts;
  for (const auto& [key, watch] : watches_)
    if (watch.alert) alerts.push_back(*watch.alert);
  std::stable_sort(alerts.begin(), alerts.end(),
                   [](const Alert& left, const Alert& right) { return left.raised_at < right.raised_at; });
  return alerts;
}

}  // namespace cidbus
