// Whether a node may be given work, with reasons: what /readyz says.
//
// Thread rule: values. Limits: none.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace cidbus {

struct ReadinessCheck {
  std::string name;
  bool passed = false;
  std::string detail;
};

inline bool is_ready(const std::vector<ReadinessCheck>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const ReadinessCheck& check) { return check.passed; });
}

// A line for each that failed (`verbose`: for each), and "ready" or "not ready"; without the last line's end.
inline std::string readiness_report(const std::vector<ReadinessCheck>& checks, bool verbose) {
  std::string report;
  for (const ReadinessCheck& check : checks) {
    if (check.passed && !verbose) continue;
    report += (check.passed ? "[+]" : "[-]") + check.name + (check.passed ? " ok" : " failed");
    report += (check.detail.empty() ? "" : ": ") + check.detail + "\n";
  }
  return report + (is_ready(checks) ? "ready" : "not ready");
}

}  // namespace cidbus
