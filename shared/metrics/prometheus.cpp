#include "shared/metrics/prometheus.h"

#include <array>
#include <charconv>
#include <numeric>

#include "shared/metrics/definitions.h"
#include "shared/metrics/instruments.h"

namespace cidbus {
namespace {

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
}

void append_label(std::string& text, std::string_view name, std::string_view value) {
  text += text.empty() ? "" : ",";
  text.append(name).append("=\"");
  append_escaped(text, value);
  text += '"';
}

std::string labels_of(const SampleGroup& group, const MetricDefinition& definition,
                      const MetricSample& sample) {
  std::string text;
  if (!group.node.empty() && definition.metric != Metric::NodeInfo)  // which has the label by itself
    append_label(text, "node", group.node);
  for (std::size_t place = 0; place < definition.labels.size(); ++place)
    if (!definition.labels[place].empty()) append_label(text, definition.labels[place], sample.labels[place]);
  return text;
}

void append_line(std::string& text, std::string_view name, std::string_view suffix, std::string_view labels,
                 std::string_view value) {
  text.append(name).append(suffix);
  if (!labels.empty()) text.append("{").append(labels).append("}");
  text.append(" ").append(value).append("\n");
}

// Buckets are cumulative there; they end with one for all.
void append_histogram(std::string& text, std::string_view name, const std::string& labels,
                      const MetricSample& sample) {
  const std::string before = labels + (labels.empty() ? "" : ",") + "le=\"";
  std::uint64_t so_far = 0;
  for (std::size_t bucket = 0; bucket < Histogram::bounds; ++bucket) {
    so_far += bucket < sample.buckets.size() ? sample.buckets[bucket] : 0;
    const double bound = std::chrono::duration<double>(Histogram::bound(bucket)).count();
    append_line(text, name, "_bucket", before + number_text(bound) + '"', std::to_string(so_far));
  }
  const std::uint64_t all = std::accumulate(sample.buckets.begin(), sample.buckets.end(), std::uint64_t{0});
  append_line(text, name, "_bucket", before + "+Inf\"", std::to_string(all));
  append_line(text, name, "_sum", labels, number_text(sample.value));
  append_line(text, name, "_count", labels, std::to_string(all));
}

void append_head(std::string& text, const MetricDefinition& definition) {
  text.append("# HELP ").append(definition.name).append(" ").append(definition.meaning).append("\n");
  text.append("# TYPE ").append(definition.name).append(" ").append(to_text(definition.kind)).append("\n");
}

}  // namespace

std::string number_text(double value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end};
}

std::string to_prometheus(std::span<const SampleGroup> groups) {
  // By metric, since each has one head, and samples of several nodes stand below it.
  std::array<std::vector<std::pair<const SampleGroup*, const MetricSample*>>, metric_count> by_metric;
  for (const SampleGroup& group : groups)
    for (const MetricSample& sample : group.samples)
      if (sample.metric < metric_count) by_metric[sample.metric].emplace_back(&group, &sample);
  std::string text;
  for (const MetricDefinition& definition : metric_definitions()) {
    const auto& samples = by_metric[static_cast<std::size_t>(definition.metric)];
    if (!samples.empty()) append_head(text, definition);
    for (const auto& [group, sample] : samples) {
      const std::string labels = labels_of(*group, definition, *sample);
      if (definition.kind == MetricKind::Histogram) {
        append_histogram(text, definition.name, labels, *sample);
      } else {
        append_line(text, definition.name, "", labels, number_text(sample->value));
      }
    }
  }
  return text;
}

std::string to_prometheus(std::span<const MetricSample> samples) {
  const SampleGroup group{{}, samples};
  return to_prometheus(std::span(&group, 1));
}

}  // namespace cidbus
