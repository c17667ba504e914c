#include "node/library/measurements.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "cidbus/cluster/value.h"
#include "shared/base/limits/cluster_library.h"

namespace cidbus {
namespace {

namespace fs = std::filesystem;

constexpr double day = 86'400;
constexpr std::string_view prefix = "metrics-";
constexpr std::string_view suffix = ".ndjson";

std::string file_of(double timestamp) {
  const std::time_t second = static_cast<std::time_t>(timestamp);
  std::tm parts{};
  gmtime_r(&second, &parts);
  char name[32];
  return {name, std::strftime(name, sizeof name, "metrics-%Y-%m-%d.ndjson", &parts)};
}

std::optional<Measurement> parse_row(const std::string& line) {
  const auto parsed = v1::parse_json(line);
  if (!parsed) return std::nullopt;
  const v1::Value& timestamp = (*parsed)["timestamp"];
  const v1::Dict* const metrics = (*parsed)["metrics"].dict();
  if (timestamp.number(-1) < 0 || metrics == nullptr) return std::nullopt;
  Measurement row{timestamp.number(), {}};
  for (const auto& [name, value] : *metrics)
    if (value.whole() != nullptr || value.decimal() != nullptr) row.metrics.emplace(name, value.number());
  return row;
}

}  // namespace

std::string expand_home(const std::string& folder) {
  if (folder != "~" && !folder.starts_with("~/")) return folder;
  const char* const home = std::getenv("HOME");
  return home == nullptr ? folder : home + folder.substr(1);
}

Measurements::Measurements(std::string folder, int retention_days)
    : folder_(std::move(folder)), retention_days_(retention_days) {}

void Measurements::open(double now) {
  if (folder_.empty()) return;
  status_ = open_folder();
  if (!status_) return;
  drop_old(now);
  for (const std::string& file : files()) read(file, now - retention_days_ * day);
}

Status Measurements::open_folder() {
  std::error_code wrong;
  fs::create_directories(folder_, wrong);
  if (wrong) return fault(FaultKind::BadUsage, "metrics_dir '" + folder_ + "': " + wrong.message());
  auto lock = PosixFileSystem().lock(folder_);
  if (!lock) return tl::unexpected(lock.error());
  lock_ = *std::move(lock);
  return {};
}

std::vector<std::string> Measurements::files() const {
  std::vector<std::string> found;
  std::error_code wrong;
  for (const auto& entry : fs::directory_iterator(folder_, wrong)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix)) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void Measurements::read(const std::string& file, double oldest) {
  std::ifstream lines(folder_ + "/" + file);
  for (std::string line; std::getline(lines, line);) {
    auto row = parse_row(line);
    if (!row || row->timestamp < oldest) continue;
    rows_.push_back(*std::move(row));
    if (rows_.size() > limits::measurements) rows_.pop_front();
  }
}

void Measurements::add(Measurement measurement) {
  while (measurement.metrics.size() > limits::measured_metrics)
    measurement.metrics.erase(std::prev(measurement.metrics.end()));
  if (lock_ != nullptr) write(measurement);
  rows_.push_back(std::move(measurement));
  if (rows_.size() > limits::measurements) rows_.pop_front();
}

void Measurements::write(const Measurement& measurement) {
  v1::Dict metrics;
  for (const auto& [name, value] : measurement.metrics) metrics.emplace(name, value);
  const v1::Dict row{{"timestamp", measurement.timestamp}, {"metrics", std::move(metrics)}};
  const std::string file = folder_ + "/" + file_of(measurement.timestamp);
  std::ofstream out(file, std::ios::app);
  out << v1::to_json(row) << '\n' << std::flush;
  status_ = out ? Status() : fault(FaultKind::Failed, file + " cannot be written");
}

void Measurements::drop_old(double now) {
  const double oldest = now - retention_days_ * day;
  while (!rows_.empty() && rows_.front().timestamp < oldest) rows_.pop_front();
  if (lock_ == nullptr) return;
  const std::string first = file_of(std::max(0.0, oldest));
  for (const std::string& file : files()) {
    std::error_code ignored;  // another try comes with the next measurement
    if (file < first) fs::remove(folder_ + "/" + file, ignored);
  }
}

std::optional<double> parse_timeframe(std::string_view text) {
  double number = 0;
  const auto [unit, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || unit + 1 != text.data() + text.size() || !(number > 0)) return std::nullopt;
  switch (*unit) {
    case 's':
      return number;
    case 'm':
      return number * 60;
    case 'h':
      return number * 3600;
    case 'd':
      return number * day;
    default:
      return std::nullopt;
  }
}

}  // namespace cidbus
