// Samples as Prometheus reads them: its text format, version 0.0.4.
//
// Thread rule: functions of their arguments. Limits: none of their own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/core/metric_sample.h"

namespace cidbus {

inline constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

// Samples of one node, which they are labelled with when there is a name.
struct SampleGroup {
  std::string_view node;
  std::span<const MetricSample> samples;
};

// Metric by metric in the order of the table, each with its help and type once. A metric that this program
// does not know is left out.
std::string to_prometheus(std::span<const SampleGroup> groups);
std::string to_prometheus(std::span<const MetricSample> samples);

// A value as Prometheus and JSON have it: the shortest that is read back as the same.
std::string number_text(double value);

// docs/metrics.md.
std::string metrics_document();

}  // namespace cidbus
