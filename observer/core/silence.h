// What people said of alerts: which not to tell for a while, and which they have seen.
//
// Thread rule: values. Limits: limits::silences.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "observer/core/alert_engine.h"
#include "shared/base/glob.h"

namespace cidbus {

struct Silence {
  std::string name;
  std::string rule = "*";  // patterns; both must match
  std::string node = "*";
  WallTime until;
  std::string reason;
};
struct Acknowledgement {
  std::string id;  // of the alert
  std::string by;
  WallTime at;  // it counts for an alert that was raised before
};
struct AlertMarks {
  std::vector<Silence> silences;
  std::vector<Acknowledgement> acknowledged;

  [[nodiscard]] const Silence* silence_of(const Alert& alert, WallTime now) const {
    const auto found = std::find_if(silences.begin(), silences.end(), [&](const Silence& silence) {
      return silence.until > now && matches_glob(silence.rule, alert.rule) &&
             matches_glob(silence.node, alert.node);
    });
    return found == silences.end() ? nullptr : &*found;
  }
  [[nodiscard]] const Acknowledgement* acknowledgement_of(const Alert& alert) const {
    const auto found = std::find_if(
        acknowledged.begin(), acknowledged.end(),
        [&](const Acknowledgement& mark) { return mark.id == alert.id && mark.at >= alert.raised_at; });
    return found == acknowledged.end() ? nullptr : &*found;
  }
};

}  // namespace cidbus
