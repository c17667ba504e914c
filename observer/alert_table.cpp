#include "observer/alert_table.h"

#include <string>

namespace cidbus {
namespace {

constexpr std::int64_t told_over = 3;

std::int64_t number_of(AlertLevel level) { return static_cast<std::int64_t>(level); }
AlertLevel level_of(std::int64_t number) { return number == 0 ? AlertLevel::Warning : AlertLevel::Critical; }

constexpr const char* columns = "id, raised, rule, node, series, level, value, text, resolved";
PastAlert alert_in(const SqliteStatement& row) {
  const auto text = [&](int column) { return std::string(row.text(column)); };
  return {
      {text(0), text(2), text(3), text(4), level_of(row.integer(5)), row.real(6), text(7), {row.integer(1)}},
      {row.integer(8)}};
}

Status put_told(SqliteDatabase& database, const AlertNotice& notice) {
  auto statement = database.prepare("INSERT OR REPLACE INTO told VALUES(?, ?, ?)");
  if (!statement) return tl::unexpected(statement.error());
  const Alert& alert = notice.alert;
  statement->bind(1, std::string_view(alert.id)).bind(2, alert.raised_at.milliseconds);
  const bool over = notice.change == AlertChange::Resolved;
  return statement->bind(3, over ? told_over : number_of(alert.level) + 1).run();
}

}  // namespace

// Two tables, so that a file that an earlier version began, and one that it goes on with, serve as they are.
Status make_alert_table(SqliteDatabase& database) {
  return database.run(
      "CREATE TABLE IF NOT EXISTS alert(id TEXT, raised INTEGER, rule TEXT NOT NULL, node TEXT NOT NULL, "
      "series TEXT NOT NULL, level INTEGER NOT NULL, value REAL, text TEXT NOT NULL, resolved INTEGER NOT "
      "NULL, PRIMARY KEY(id, raised)) WITHOUT ROWID; "
      "CREATE TABLE IF NOT EXISTS told(id TEXT, raised INTEGER, what INTEGER NOT NULL, PRIMARY KEY(id, "
      "raised)) WITHOUT ROWID");
}

Status put_alert(SqliteDatabase& database, const AlertRecord& record) {
  if (record.told) return put_told(database, record.notice);
  const AlertNotice& notice = record.notice;
  const Alert& alert = notice.alert;
  auto statement = database.prepare("INSERT OR REPLACE INTO alert VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!statement) return tl::unexpected(statement.error());
  const bool over = notice.change == AlertChange::Resolved;
  statement->bind(1, std::string_view(alert.id)).bind(2, alert.raised_at.milliseconds);
  statement->bind(3, std::string_view(alert.rule)).bind(4, std::string_view(alert.node));
  statement->bind(5, std::string_view(alert.series)).bind(6, number_of(alert.level));
  statement->bind(7, alert.value).bind(8, std::string_view(alert.text));
  return statement->bind(9, over ? notice.time.milliseconds : std::int64_t{0}).run();
}

Status drop_alerts_before(SqliteDatabase& database, WallTime time) {
  auto statement = database.prepare("DELETE FROM alert WHERE resolved > 0 AND resolved < ?");
  if (!statement) return tl::unexpected(statement.error());
  if (Status dropped = statement->bind(1, time.milliseconds).run(); !dropped) return dropped;
  return database.run("DELETE FROM told WHERE (id, raised) NOT IN (SELECT id, raised FROM alert)");
}

Result<std::vector<PastAlert>> read_alerts(SqliteDatabase& database, bool all) {
  const std::string text =
      std::string("SELECT ") + columns + " FROM alert WHERE resolved = 0 OR ? ORDER BY raised";
  auto statement = database.prepare(text.c_str());
  if (!statement) return tl::unexpected(statement.error());
  statement->bind(1, std::int64_t{all ? 1 : 0});
  std::vector<PastAlert> alerts;
  const Status done = statement->each([&] { alerts.push_back(alert_in(*statement)); });
  if (!done) return tl::unexpected(done.error());
  return alerts;
}

Result<std::vector<LeftAlert>> read_left_alerts(SqliteDatabase& database) {
  const std::string text =
      std::string("SELECT ") + columns +
      ", ifnull(what, 0) FROM alert LEFT JOIN told USING(id, raised) WHERE resolved = 0 OR "
      "what IN (1, 2) ORDER BY raised";
  auto statement = database.prepare(text.c_str());
  if (!statement) return tl::unexpected(statement.error());
  std::vector<LeftAlert> alerts;
  const Status done = statement->each([&] {
    const std::int64_t what = statement->integer(9);
    alerts.push_back({alert_in(*statement), what == 0 ? std::nullopt : std::optional(level_of(what - 1))});
  });
  if (!done) return tl::unexpected(done.error());
  return alerts;
}

}  // namespace cidbus
