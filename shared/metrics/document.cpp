// docs/metrics.md, out of the table.
#include "shared/metrics/definitions.h"
#include "shared/metrics/instruments.h"
#include "shared/metrics/prometheus.h"

namespace cidbus {
namespace {

constexpr std::string_view opening =
    "# Metrics\n\n"
    "Written from the table in [shared/metrics/definitions.cpp](../shared/metrics/definitions.cpp), and not "
    "to "
    "be edited: [HACKING.md](../HACKING.md) says how.\n\n"
    "Every node serves its own at `/metrics`, in Prometheus' text format, and says them on the feed once a "
    "second, where observers read them. Where: [watching.md](watching.md).\n\n"
    "Counters only grow while the process lives, and begin at 0 with it. A histogram has a bucket for every "
    "doubling from 16 µs to ";

std::string labels_text(const MetricDefinition& definition) {
  std::string text;
  for (const std::string_view name : definition.labels) {
    if (name.empty()) continue;
    text += text.empty() ? " By " : " and ";
    text.append("`").append(name).append("`");
  }
  return text.empty() ? text : text + ": " + std::string(definition.label_values) + ".";
}

std::string_view unit_text(MetricUnit unit) {
  switch (unit) {
    case MetricUnit::Number:
      return "";
    case MetricUnit::Seconds:
      return "seconds";
    case MetricUnit::ByteCounts:
      return "bytes";
  }
  return "";
}

}  // namespace

std::string metrics_document() {
  const auto longest =
      std::chrono::duration_cast<std::chrono::seconds>(Histogram::bound(Histogram::bounds - 1)).count();
  std::string text = std::string(opening) + std::to_string(longest) +
                     " s. What brokers know as the leader ends with their office.\n";
  const MetricDefinition* before = nullptr;
  for (const MetricDefinition& definition : metric_definitions()) {
    if (before == nullptr || before->owner != definition.owner) {
      text.append("\n## ").append(to_text(definition.owner)).append("\n\n");
      text += "| metric | kind | unit | meaning |\n|---|---|---|---|\n";
    }
    before = &definition;
    text.append("| `").append(definition.name).append("` | ").append(to_text(definition.kind)).append(" | ");
    text.append(unit_text(definition.unit)).append(" | ").append(definition.meaning);
    text += labels_text(definition) + " |\n";
  }
  return text;
}

}  // namespace cidbus
