// History on disk: one SQLite file in the observer's folder, as rows of minutes and hours, and the seconds of
// a minute as one row. (PRAGMA user_version is the version of this layout.)
//
//     series(id, node, name, newest)            newest: its newest hour
//     second(minute, series, points)            points: second of the minute (1 byte), value (8, IEEE 754,
//                                               least byte first), again and again
//     minute(start, series, minimum, maximum, sum, last, count)     hour: the same
//     alert(...), told(...)                      alert_table.h
//
// Keys begin with the time, so that what is written together lies together, and what is too old goes in one
// piece. Reading one series asks for each row by its key.
//
// Invariants
//  1. A write is one transaction: after a crash or a full disk all of it is there, or none.
//  2. A row is replaced only by one that holds at least as many points.
//  3. The file stays below the size it was given, but for one write; the oldest seconds go first, then
//     minutes.
//
// Calls block. Thread rule: one thread at a time; processes may read while one writes.
// Limits: limits/observer.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "observer/alert_table.h"
#include "observer/core/history.h"
#include "observer/sqlite.h"
#include "shared/base/result.h"

namespace cidbus {

struct SeriesSpan {
  SeriesName name;
  std::int64_t newest_hour = 0;  // its start, seconds since the epoch
};

class HistoryFile {
 public:
  // REQUIRES: the folder is there. BadData when what lies there is no history, or one of a later version.
  static Result<HistoryFile> open(const std::string& folder, ByteCount most);
  // NotFound when there is none.
  static Result<HistoryFile> open_read_only(const std::string& folder);
  HistoryFile(HistoryFile&&) noexcept;
  HistoryFile& operator=(HistoryFile&&) noexcept;
  ~HistoryFile();

  Status write(const std::vector<SeriesPart>& parts, const std::vector<AlertRecord>& alerts = {});
  // Drops what is older than limits/observer.h keeps.
  Status drop_old(WallTime now);

  // What a History in memory held if it had gone on until now.
  Result<std::vector<SeriesPart>> newest(WallTime now);
  Result<std::vector<SeriesSpan>> list();
  // Of all series together.
  Result<KeptSince> kept_since();
  // Those that are raised, or all; the newest last.
  Result<std::vector<PastAlert>> alerts(bool all);
  Result<std::vector<LeftAlert>> left_alerts();
  // Calls `take` with the buckets of [from, to) in order. REQUIRES: no more than limits::history_rows rows of
  // the span's table lie between.
  Status read(const SeriesName& name, Resolution resolution, std::int64_t from, std::int64_t to,
              const std::function<void(const Bucket&)>& take);

 private:
  struct State;
  explicit HistoryFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The rows that a window of one series asks for.
constexpr std::int64_t rows_of(Resolution resolution, std::int64_t seconds) {
  return seconds / (resolution == Resolution::Hour ? 3600 : 60);
}

}  // namespace cidbus
