// Alerts in the history file: one row each time one was raised.
//
//     alert(id, raised, rule, node, series, level, value, text, resolved)     times in milliseconds; resolved
//     0: not yet
//
// Thread rule: as SqliteDatabase. Limits: as many rows as history_kept_minutes of alerts make.
#pragma once

#include <vector>

#include "observer/core/alert_engine.h"
#include "observer/sqlite.h"

namespace cidbus {

struct PastAlert {
  Alert alert;
  WallTime resolved_at;  // 0: it is raised
};

Status make_alert_table(SqliteDatabase& database);
Status put_alert(SqliteDatabase& database, const AlertNotice& notice);
Status drop_alerts_before(SqliteDatabase& database, WallTime time);
// Those that are raised, or all; the newest last.
Result<std::vector<PastAlert>> read_alerts(SqliteDatabase& database, bool all);

}  // namespace cidbus
