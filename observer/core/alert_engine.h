// Decides when an alert is raised, worsens and is over.
//
// It is told every sample, and once a second what time it is. A condition must hold for the rule's time
// before it counts, and be over, beyond the rule's `clear`, for its clear time before that counts: what
// flutters raises one alert, not many. An alert's id is made of cluster, rule, node and series, so that every
// observer, and every start of one, gives the same cause the same id.
//
// Invariants
//  1. Of one id, raised and resolved are told in turn, beginning with raised; worse only in between, once.
//  2. An alert that another one hides is not raised; one that was raised before stays.
//  3. A series that is no longer measured says nothing: what was raised by it is resolved, so, after
//     limits::alert_silence, but not while the observer itself hears nothing.
//
// Thread rule: pure; one owner. Limits: limits::alerts, limits::alert_watches.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "observer/core/alert_rule.h"
#include "observer/core/history.h"
#include "observer/core/sample.h"

namespace cidbus {

struct Alert {
  std::string id;  // 16 hexadecimal digits
  std::string rule;
  std::string node;  // empty: the cluster
  std::string series;
  AlertLevel level = AlertLevel::Warning;
  double value = 0;  // the newest
  std::string text;  // for people; one line
  WallTime raised_at;
};

enum class AlertChange : std::uint8_t { Raised, Worsened, Resolved };
std::string_view to_text(AlertChange change);
struct AlertNotice {
  AlertChange change = AlertChange::Raised;
  Alert alert;
  WallTime time;
};

std::string alert_id(std::string_view cluster, const Alert& alert);

class AlertEngine {
 public:
  explicit AlertEngine(std::vector<AlertRule> rules);

  // What was raised before a restart, so that it is not raised again. Before any sample.
  void restore(const Alert& alert);
  void on_sample(const Sample& sample, const History& history);
  // `blind`: the observer hears nothing, so that silence of a series means nothing.
  std::vector<AlertNotice> on_tick(WallTime now, std::string_view cluster, bool blind);

  // Raised, the oldest first.
  [[nodiscard]] std::vector<Alert> raised() const;
  [[nodiscard]] const std::vector<AlertRule>& rules() const { return rules_; }

 private:
  // Of a rule's look at a series.
  struct Watch {
    std::optional<AlertLevel> now;  // what the newest value would be
    bool over = true;               // it is beyond `clear`
    double value = 0;
    WallTime sampled;
    WallTime since;           // `now` has been something; 0: it is nothing
    WallTime critical_since;  // likewise, critical
    WallTime over_since;
    std::optional<Alert> alert;
  };
  struct Key {
    std::size_t rule = 0;
    SeriesName name;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void judge(const AlertRule& rule, Watch& watch, const Sample& sample, const History& history);
  [[nodiscard]] bool is_hidden(const Key& key) const;
  void tick(const Key& key, Watch& watch, WallTime now, std::string_view cluster,
            std::vector<AlertNotice>& notices);
  [[nodiscard]] const std::vector<std::size_t>& rules_for(const SeriesName& name);

  const std::vector<AlertRule> rules_;
  std::map<Key, Watch> watches_;
  std::map<SeriesName, std::vector<std::size_t>> rules_for_;  // found once a series
  std::vector<Key> hiding_;                                   // rules that hide and whose condition is there
  std::size_t raised_count_ = 0;
};

}  // namespace cidbus
