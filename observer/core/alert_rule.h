// What is worth an alert: rules on series, and those that every observer has.
//
// All conditions are of one kind, a series of one node (or of the cluster) that is above, below, or unlike
// what it was; what the cluster is like (a leader, a majority, silence) is a series too. So there is one
// engine, one file format and one way to say why.
//
// Thread rule: values and functions of them. Limits: limits/observer.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cidbus {

enum class AlertLevel : std::uint8_t { Warning, Critical };
std::string_view to_text(AlertLevel level);
std::optional<AlertLevel> parse_alert_level(std::string_view text);

// Unusual: farther from the median of the last minutes than so many times the spread (1.4826 times the median
// of the distances from it, and at least a twentieth of the median): the robust z-score of Iglewicz and
// Hoaglin, "How to Detect and Handle Outliers" (1993), section 5.3.
enum class AlertWhen : std::uint8_t { Above, Below, Unusual };
std::string_view to_text(AlertWhen when);
std::optional<AlertWhen> parse_alert_when(std::string_view text);

struct AlertRule {
  std::string name;
  std::string meaning;  // for documents; one line
  std::string series;   // with * and ? it is a pattern
  std::string node = "*";
  AlertWhen when = AlertWhen::Above;
  std::optional<double> warning;  // at or above; below; times the spread
  std::optional<double> critical;
  std::optional<double> clear;                   // over only on this side of it; the threshold itself without
  std::chrono::milliseconds hold{0};             // so for as long before it is raised, or worse
  std::chrono::milliseconds clear_hold{10'000};  // over for as long before it is resolved
  std::vector<std::string> hides = {};  // rules, as patterns, not raised meanwhile: of its node, or of all
                                        // when it is of the cluster
  bool enabled = true;
};

// DESIGN section 9: those that an observer has without a file.
std::vector<AlertRule> default_alert_rules();

// "42 %", "1.5 GiB", "3 s" or "17": by how the series' name ends.
std::string readable_value(std::string_view series, double value);
// The condition for people: "disk_free_bytes below 2 GiB, critical below 512 MiB, for 10 s".
std::string condition_text(const AlertRule& rule);

}  // namespace cidbus
