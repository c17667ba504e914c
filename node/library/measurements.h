// What a collector has measured: rows of named numbers in the order of time, and the file they are kept in.
//
// A row a line, {"timestamp": seconds, "metrics": {name: number}}, in metrics-YYYY-MM-DD.ndjson by UTC. A
// line that was torn by a crash is passed over.
//
// Thread rule: one owner. Limits: limits/cluster_library.h.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/io/posix_file_system.h"

namespace cidbus {

struct Measurement {
  double timestamp = 0;  // seconds since the epoch
  std::map<std::string, double> metrics;
};

// ~ is the home.
std::string expand_home(const std::string& folder);

class Measurements {
 public:
  // `folder` empty: memory only. Made when it is not there; ~ is the home.
  Measurements(std::string folder, int retention_days);

  // Reads what is there. A fault is told again by status().
  void open(double now);
  void add(Measurement measurement);
  // Drops what is older than the retention.
  void drop_old(double now);

  [[nodiscard]] const std::deque<Measurement>& rows() const { return rows_; }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  Status open_folder();
  void read(const std::string& file, double oldest);
  void write(const Measurement& measurement);
  [[nodiscard]] std::vector<std::string> files() const;  // by day, oldest first

  std::string folder_;
  const int retention_days_;
  std::unique_ptr<DirectoryLock> lock_;
  Status status_;
  std::deque<Measurement> rows_;
};

// "30s", "15m", "1h", "7d" in seconds.
std::optional<double> parse_timeframe(std::string_view text);

}  // namespace cidbus
