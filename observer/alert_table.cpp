#include "observer/alert_table.h"

namespace cidbus {

Status make_alert_table(SqliteDatabase& database) {
  return database.run(
      "CREATE TABLE IF NOT EXISTS alert(id TEXT, raised INTEGER, rule TEXT NOT NULL, node TEXT NOT NULL, "
      "series "
      "TEXT NOT NULL, level INTEGER NOT NULL, value REAL, text TEXT NOT NULL, resolved INTEGER NOT NULL, "
      "PRIMARY KEY(id, raised)) WITHOUT ROWID");
}

Status put_alert(SqliteDatabase& database, const AlertNotice& notice) {
  const Alert& alert = notice.alert;
  auto statement = database.prepare("INSERT OR REPLACE INTO alert VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!statement) return tl::unexpected(statement.error());
  const bool over = notice.change == AlertChange::Resolved;
  statement->bind(1, std::string_view(alert.id)).bind(2, alert.raised_at.milliseconds);
  statement->bind(3, std::string_view(alert.rule)).bind(4, std::string_view(alert.node));
  statement->bind(5, std::string_view(alert.series)).bind(6, static_cast<std::int64_t>(alert.level));
  statement->bind(7, alert.value).bind(8, std::string_view(alert.text));
  return statement->bind(9, over ? notice.time.milliseconds : std::int64_t{0}).run();
}

Status drop_alerts_before(SqliteDatabase& database, WallTime time) {
  auto statement = database.prepare("DELETE FROM alert WHERE resolved > 0 AND resolved < ?");
  if (!statement) return tl::unexpected(statement.error());
  return statement->bind(1, time.milliseconds).run();
}

Result<std::vector<PastAlert>> read_alerts(SqliteDatabase& database, bool all) {
  auto statement = database.prepare(
      "SELECT id, raised, rule, node, series, level, value, text, resolved FROM alert WHERE resolved = 0 OR "
      "? "
      "ORDER BY raised");
  if (!statement) return tl::unexpected(statement.error());
  statement->bind(1, std::int64_t{all ? 1 : 0});
  std::vector<PastAlert> alerts;
  const Status done = statement->each([&] {
    const auto text = [&](int column) { return std::string(statement->text(column)); };
    const auto level = statement->integer(5) == 0 ? AlertLevel::Warning : AlertLevel::Critical;
    alerts.push_back(
        {{text(0), text(2), text(3), text(4), level, statement->real(6), text(7), {statement->integer(1)}},
         {statement->integer(8)}});
  });
  if (!done) return tl::unexpected(done.error());
  return alerts;
}

}  // namespace cidbus
