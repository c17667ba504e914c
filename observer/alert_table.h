// Alerts in the history file: one row each time one was raised, and what the sinks know of it.
//
//     alert(id, raised, rule, node, series, level, value, text, resolved)     times in milliseconds; resolved
//     0: not yet
//     told(id, raised, what)     what: 1 that it is a warning, 2 critical, 3 that it is over; no row: nothing
//
// Thread rule: as SqliteDatabase. Limits: as many rows as history_kept_minutes of alerts make.
#pragma once

#include <optional>
#include <vector>

#include "observer/core/alert_engine.h"
#include "observer/sqlite.h"

namespace cidbus {

struct PastAlert {
  Alert alert;
  WallTime resolved_at;  // 0: it is raised
};
// What an earlier start had not done with.
struct LeftAlert {
  PastAlert past;
  std::optional<AlertLevel> told;  // how bad it is as far as sinks know
};
// What is written down: that it happened, or that all sinks have it.
struct AlertRecord {
  AlertNotice notice;
  bool told = false;
};

Status make_alert_table(SqliteDatabase& database);
Status put_alert(SqliteDatabase& database, const AlertRecord& record);
Status drop_alerts_before(SqliteDatabase& database, WallTime time);
// Those that are raised, or all; the newest last.
Result<std::vector<PastAlert>> read_alerts(SqliteDatabase& database, bool all);
// Those that are raised, and those that sinks believe to be.
Result<std::vector<LeftAlert>> read_left_alerts(SqliteDatabase& database);

}  // namespace cidbus
