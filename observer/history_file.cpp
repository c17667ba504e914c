#include "observer/history_file.h"

#include <bit>
#include <optional>

#include "shared/content/quote.h"

namespace cidbus {
namespace {

constexpr const char* file_name = "/history.sqlite";
constexpr std::int64_t layout_version = 1;
constexpr const char* layout = R"(
  CREATE TABLE series(id INTEGER PRIMARY KEY, node TEXT NOT NULL, name TEXT NOT NULL, newest INTEGER NOT NULL,
                      UNIQUE(node, name));
  CREATE TABLE second(minute INTEGER, series INTEGER, points BLOB NOT NULL,
                      PRIMARY KEY(minute, series)) WITHOUT ROWID;
  CREATE TABLE minute(start INTEGER, series INTEGER, minimum REAL, maximum REAL, sum REAL, last REAL,
                      count INTEGER, PRIMARY KEY(start, series)) WITHOUT ROWID;
  CREATE TABLE hour(start INTEGER, series INTEGER, minimum REAL, maximum REAL, sum REAL, last REAL,
                    count INTEGER, PRIMARY KEY(start, series)) WITHOUT ROWID;
  PRAGMA user_version = 1;)";

Bytes packed(std::int64_t minute, const Point* first, const Point* last) {
  Bytes bytes;
  ByteWriter writer(bytes);
  for (; first != last; ++first) {
    writer.number(static_cast<std::uint8_t>(first->second - minute));
    writer.number(std::bit_cast<std::uint64_t>(first->value));
  }
  return bytes;
}

void unpack(std::int64_t minute, ByteView bytes, const std::function<void(const Point&)>& take) {
  for (ByteReader reader(bytes); !reader.at_end();) {
    const std::int64_t second = minute + reader.number<std::uint8_t>();
    const double value = std::bit_cast<double>(reader.number<std::uint64_t>());
    if (reader.failed()) return;  // not a whole point: what else wrote here?
    take({second, value});
  }
}

Bucket bucket_in(const SqliteStatement& row, int column) {
  return {row.integer(column),  row.real(column + 1), row.real(column + 2),
          row.real(column + 3), row.real(column + 4), static_cast<std::uint32_t>(row.integer(column + 5))};
}

Fault with_advice(Fault fault, const std::string& folder) {
  if (fault.kind == FaultKind::BadData)
    fault.message += "; move it out of " + in_quotes(folder) + ", and a new one is begun";
  return fault;
}

}  // namespace

struct HistoryFile::State {
  explicit State(SqliteDatabase opened) : database(std::move(opened)) {}

  static Result<std::unique_ptr<State>> open(const std::string& file, ByteCount most) {
    auto database = SqliteDatabase::open(file, SqliteDatabase::Mode::ReadWrite);
    if (!database) return tl::unexpected(database.error());
    auto state = std::make_unique<State>(std::move(*database));
    state->most = most;
    // A killed process costs nothing with NORMAL, a machine without power the last seconds.
    Status done = state->database.run(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608;");
    if (!done) return tl::unexpected(done.error());
    const auto version = state->database.number("PRAGMA user_version");
    if (!version) return tl::unexpected(version.error());
    if (*version > layout_version)
      return fault(FaultKind::BadData, in_quotes(file) + " was written by a later version");
    if (*version == 0) done = state->whole([&] { return state->database.run(layout); });
    if (done) done = make_alert_table(state->database);
    if (done) done = state->prepare();
    if (!done) return tl::unexpected(done.error());
    return state;
  }

  Status prepare() {
    const auto into = [&](std::optional<SqliteStatement>& statement, const char* text) -> Status {
      auto prepared = database.prepare(text);
      if (!prepared) return tl::unexpected(prepared.error());
      statement = std::move(*prepared);
      return {};
    };
    Status done = into(find_series, "SELECT id, newest FROM series WHERE node = ? AND name = ?");
    if (done) done = into(add_series, "INSERT INTO series(node, name, newest) VALUES(?, ?, ?) RETURNING id");
    if (done) done = into(touch_series, "UPDATE series SET newest = ? WHERE id = ?");
    if (done)
      done = into(put_second,
                  "INSERT INTO second VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET points = excluded.points "
                  "WHERE length(excluded.points) >= length(points)");
    for (auto& [statement, table] : {std::pair(&put_minute, "minute"), std::pair(&put_hour, "hour")}) {
      const std::string text = std::string("INSERT INTO ") + table +
                               " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET minimum = "
                               "excluded.minimum, maximum = excluded.maximum, sum = excluded.sum, last = "
                               "excluded.last, count = excluded.count WHERE excluded.count >= count";
      if (done) done = into(*statement, text.c_str());
    }
    return done;
  }

  struct Known {
    std::int64_t id = 0;
    std::int64_t newest = 0;
  };
  // Of the series in the file, made when it is not there.
  Result<Known*> known_series(const SeriesName& name, std::int64_t hour) {
    const auto place = known.find(name);
    if (place != known.end()) return &place->second;
    find_series->bind(1, std::string_view(name.node)).bind(2, std::string_view(name.series));
    auto row = find_series->step();
    if (!row) return tl::unexpected(row.error());
    Known found;
    if (*row) {
      found = {find_series->integer(0), find_series->integer(1)};
      find_series->reset();
    } else {
      add_series->bind(1, std::string_view(name.node)).bind(2, std::string_view(name.series)).bind(3, hour);
      row = add_series->step();
      if (!row) return tl::unexpected(row.error());
      found = {add_series->integer(0), hour};
      if (const Status ended = add_series->run(); !ended) return tl::unexpected(ended.error());
    }
    return &(known[name] = found);
  }

  Status put_seconds(std::int64_t series, const std::vector<Point>& points) {
    for (std::size_t from = 0; from < points.size();) {
      const std::int64_t minute = span_start(points[from].second, Resolution::Minute);
      std::size_t to = from;
      while (to < points.size() && span_start(points[to].second, Resolution::Minute) == minute) ++to;
      const Bytes bytes = packed(minute, points.data() + from, points.data() + to);
      put_second->bind(1, minute).bind(2, series).bind(3, ByteView(bytes));
      if (Status put = put_second->run(); !put) return put;
      from = to;
    }
    return {};
  }
  static Status put_buckets(SqliteStatement& statement, std::int64_t series,
                            const std::vector<Bucket>& buckets) {
    for (const Bucket& bucket : buckets) {
      statement.bind(1, bucket.start).bind(2, series).bind(3, bucket.minimum).bind(4, bucket.maximum);
      statement.bind(5, bucket.sum).bind(6, bucket.last).bind(7, std::int64_t{bucket.count});
      if (Status put = statement.run(); !put) return put;
    }
    return {};
  }
  Status put(const SeriesPart& part) {
    const std::int64_t hour = part.hours.empty() ? 0 : part.hours.back().start;
    const auto series = known_series(part.name, hour);
    if (!series) return tl::unexpected(series.error());
    Status done = put_seconds((*series)->id, part.seconds);
    if (done) done = put_buckets(*put_minute, (*series)->id, part.minutes);
    if (done) done = put_buckets(*put_hour, (*series)->id, part.hours);
    if (!done || hour <= (*series)->newest) return done;
    done = touch_series->bind(1, hour).bind(2, (*series)->id).run();
    if (done) (*series)->newest = hour;
    return done;
  }

  // Runs `act` in one transaction. What is known of series is asked again when it came to nothing.
  Status whole(const std::function<Status()>& act) {
    Status done = database.run("BEGIN IMMEDIATE");
    if (!done) return done;
    done = act();
    if (done) done = database.run("COMMIT");
    if (!done) {
      static_cast<void>(database.run("ROLLBACK"));  // SQLite may have done so by itself
      known.clear();
    }
    return done;
  }

  Result<ByteCount> used() {
    const auto size = database.number("PRAGMA page_size");
    const auto pages = database.number("PRAGMA page_count");
    const auto unused = database.number("PRAGMA freelist_count");
    if (!size || !pages || !unused) return tl::unexpected((!size ? size : !pages ? pages : unused).error());
    return static_cast<ByteCount>((*pages - *unused) * *size);
  }
  // Drops an eighth of the finest there is, until there is room again.
  Status make_room() {
    for (int round = 0; round < 64; ++round) {
      const auto bytes = used();
      if (!bytes) return tl::unexpected(bytes.error());
      if (*bytes <= most) return {};
      for (const auto& [count, statement] :
           {std::pair(
                "SELECT EXISTS(SELECT 1 FROM second)",
                "DELETE FROM second WHERE minute <= (SELECT min(minute) + (max(minute) - min(minute)) / 8 "
                "FROM second)"),
            std::pair("SELECT EXISTS(SELECT 1 FROM minute)",
                      "DELETE FROM minute WHERE start <= (SELECT min(start) + (max(start) - min(start)) / 8 "
                      "FROM minute)"),
            std::pair(
                "SELECT 1",
                "DELETE FROM hour WHERE start <= (SELECT min(start) + (max(start) - min(start)) / 8 FROM "
                "hour)")}) {
        const auto some = database.number(count);
        if (!some) return tl::unexpected(some.error());
        if (*some == 0) continue;
        if (Status dropped = database.run(statement); !dropped) return dropped;
        break;
      }
    }
    return {};
  }

  SqliteDatabase database;
  ByteCount most = 0;
  std::optional<SqliteStatement> find_series, add_series, touch_series, put_second, put_minute, put_hour;
  std::map<SeriesName, Known> known;
};

HistoryFile::HistoryFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
HistoryFile::HistoryFile(HistoryFile&&) noexcept = default;
HistoryFile& HistoryFile::operator=(HistoryFile&&) noexcept = default;
HistoryFile::~HistoryFile() = default;

Result<HistoryFile> HistoryFile::open(const std::string& folder, ByteCount most) {
  auto state = State::open(folder + file_name, most);
  if (!state) return tl::unexpected(with_advice(state.error(), folder));
  return HistoryFile(std::move(*state));
}

Result<HistoryFile> HistoryFile::open_read_only(const std::string& folder) {
  auto database = SqliteDatabase::open(folder + file_name, SqliteDatabase::Mode::ReadOnly);
  if (!database && database.error().kind == FaultKind::NotFound)
    return fault(FaultKind::NotFound, "no history in " + in_quotes(folder) +
                                          "; give the folder that cidbus-observer --data was given");
  if (!database) return tl::unexpected(database.error());
  auto state = std::make_unique<State>(std::move(*database));
  const auto version = state->database.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version != layout_version)
    return fault(FaultKind::BadData, in_quotes(folder + file_name) + " is no history, or of another version");
  return HistoryFile(std::move(state));
}

Status HistoryFile::write(const std::vector<SeriesPart>& parts, const std::vector<AlertRecord>& alerts) {
  return state_->whole([&]() -> Status {
    if (Status room = state_->make_room(); !room) return room;
    for (const SeriesPart& part : parts)
      if (Status put = state_->put(part); !put) return put;
    for (const AlertRecord& alert : alerts)
      if (Status put = put_alert(state_->database, alert); !put) return put;
    return {};
  });
}

Status HistoryFile::drop_old(WallTime now) {
  const auto before = [&](std::chrono::seconds kept) { return now.milliseconds / 1000 - kept.count(); };
  return state_->whole([&]() -> Status {
    state_->known.clear();
    for (const auto& [statement, oldest] :
         {std::pair("DELETE FROM second WHERE minute < ?", before(limits::history_kept_seconds)),
          std::pair("DELETE FROM minute WHERE start < ?", before(limits::history_kept_minutes)),
          std::pair("DELETE FROM hour WHERE start < ?", before(limits::history_kept_hours)),
          std::pair("DELETE FROM series WHERE newest < ?", before(limits::history_kept_hours))}) {
      auto prepared = state_->database.prepare(statement);
      if (!prepared) return tl::unexpected(prepared.error());
      if (Status dropped = prepared->bind(1, oldest).run(); !dropped) return dropped;
    }
    return drop_alerts_before(state_->database, {before(limits::history_kept_minutes) * 1000});
  });
}

Result<std::vector<SeriesPart>> HistoryFile::newest(WallTime now) {
  const std::int64_t second = now.milliseconds / 1000;
  std::map<std::int64_t, SeriesPart> parts;
  auto series = state_->database.prepare("SELECT id, node, name FROM series");
  auto seconds =
      state_->database.prepare("SELECT series, minute, points FROM second WHERE minute >= ? ORDER BY minute");
  auto minutes = state_->database.prepare(
      "SELECT series, start, minimum, maximum, sum, last, count FROM minute WHERE start >= ? ORDER BY start");
  auto hours = state_->database.prepare(
      "SELECT series, start, minimum, maximum, sum, last, count FROM hour WHERE start >= ? ORDER BY start");
  for (const auto* prepared : {&series, &seconds, &minutes, &hours})
    if (!*prepared) return tl::unexpected(prepared->error());
  Status done = series->each([&] {
    parts[series->integer(0)].name = {std::string(series->text(1)), std::string(series->text(2))};
  });
  seconds->bind(1, second - static_cast<std::int64_t>(limits::history_seconds));
  minutes->bind(1, second - static_cast<std::int64_t>(limits::history_minutes) * 60);
  hours->bind(1, second - static_cast<std::int64_t>(limits::history_hours) * 3600);
  if (done) {
    done = seconds->each([&] {
      auto& part = parts[seconds->integer(0)];
      unpack(seconds->integer(1), seconds->bytes(2),
             [&](const Point& point) { part.seconds.push_back(point); });
    });
  }
  if (done)
    done = minutes->each([&] { parts[minutes->integer(0)].minutes.push_back(bucket_in(*minutes, 1)); });
  if (done) done = hours->each([&] { parts[hours->integer(0)].hours.push_back(bucket_in(*hours, 1)); });
  if (!done) return tl::unexpected(done.error());
  std::vector<SeriesPart> found;
  for (auto& [id, part] : parts)
    if (!part.name.series.empty() && !part.minutes.empty()) found.push_back(std::move(part));
  return found;
}

Result<std::vector<SeriesSpan>> HistoryFile::list() {
  auto statement = state_->database.prepare("SELECT node, name, newest FROM series ORDER BY node, name");
  if (!statement) return tl::unexpected(statement.error());
  std::vector<SeriesSpan> spans;
  const Status done = statement->each([&] {
    spans.push_back(
        {{std::string(statement->text(0)), std::string(statement->text(1))}, statement->integer(2)});
  });
  if (!done) return tl::unexpected(done.error());
  return spans;
}

Result<KeptSince> HistoryFile::kept_since() {
  KeptSince kept{};
  std::size_t place = 0;
  for (const char* oldest : {"min(minute) FROM second", "min(start) FROM minute", "min(start) FROM hour"}) {
    const std::string text =
        "SELECT ifnull((SELECT " + std::string(oldest) + "), " + std::to_string(nothing_kept) + ")";
    const auto found = state_->database.number(text.c_str());
    if (!found) return tl::unexpected(found.error());
    kept.at(place++) = *found;
  }
  return kept;
}

Result<std::vector<PastAlert>> HistoryFile::alerts(bool all) { return read_alerts(state_->database, all); }

Result<std::vector<LeftAlert>> HistoryFile::left_alerts() { return read_left_alerts(state_->database); }

Status HistoryFile::read(const SeriesName& name, Resolution resolution, std::int64_t from, std::int64_t to,
                         const std::function<void(const Bucket&)>& take) {
  const bool seconds = resolution == Resolution::Second;
  const std::string columns = seconds ? "minute, points FROM second WHERE minute = ?"
                                      : "start, minimum, maximum, sum, last, count FROM " +
                                            std::string(to_text(resolution)) + " WHERE start = ?";
  const std::string text =
      "SELECT " + columns + " AND series = (SELECT id FROM series WHERE node = ? AND name = ?)";
  auto statement = state_->database.prepare(text.c_str());
  if (!statement) return tl::unexpected(statement.error());
  const Resolution rows = resolution == Resolution::Hour ? Resolution::Hour : Resolution::Minute;
  for (std::int64_t start = span_start(from, rows); start < to; start += seconds_of(rows)) {
    statement->bind(1, start).bind(2, std::string_view(name.node)).bind(3, std::string_view(name.series));
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) continue;
    if (seconds) {
      unpack(start, statement->bytes(1), [&](const Point& point) {
        if (point.second >= from && point.second < to) take(bucket_of(point.second, point.value));
      });
    } else if (start >= from) {
      take(bucket_in(*statement, 0));
    }
    statement->reset();
  }
  return {};
}

}  // namespace cidbus
