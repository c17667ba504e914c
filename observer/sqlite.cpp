#include "observer/sqlite.h"

#include <sqlite3.h>

#include "shared/base/ensure.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

constexpr int busy_milliseconds = 5000;

FaultKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return FaultKind::TryAgain;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return FaultKind::BadData;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return FaultKind::NotAllowed;
    case SQLITE_CANTOPEN:
      return FaultKind::NotFound;
    default:
      return FaultKind::Failed;
  }
}

tl::unexpected<Fault> fault_of(sqlite3* database, const std::string& file) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
  const char* const what = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  return fault(kind_of(code), in_quotes(file) + ": " + what);
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void SqliteDatabase::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

SqliteStatement& SqliteStatement::bind(int place, std::int64_t value) {
  const int bound = sqlite3_bind_int64(statement_.get(), place, value);
  ENSURE(bound == SQLITE_OK, "place", place);
  return *this;
}
SqliteStatement& SqliteStatement::bind(int place, double value) {
  const int bound = sqlite3_bind_double(statement_.get(), place, value);
  ENSURE(bound == SQLITE_OK, "place", place);
  return *this;
}
SqliteStatement& SqliteStatement::bind(int place, std::string_view text) {
  const int bound = sqlite3_bind_text64(statement_.get(), place, text.empty() ? "" : text.data(), text.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8);
  ENSURE(bound == SQLITE_OK, "place", place);
  return *this;
}
SqliteStatement& SqliteStatement::bind(int place, ByteView bytes) {
  const int bound =
      sqlite3_bind_blob64(statement_.get(), place, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  ENSURE(bound == SQLITE_OK, "place", place);
  return *this;
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto failed = fault_of(sqlite3_db_handle(statement_.get()), file_);
  reset();
  return failed;
}

Status SqliteStatement::run() {
  return each([] {});
}

Status SqliteStatement::each(const std::function<void()>& act) {
  for (;;) {
    const auto row = step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
    act();
  }
}

void SqliteStatement::reset() { sqlite3_reset(statement_.get()); }  // its answer is the last step's

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double SqliteStatement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
std::string_view SqliteStatement::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
ByteView SqliteStatement::bytes(int column) const {
  const auto* const bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Result<SqliteDatabase> SqliteDatabase::open(const std::string& file, Mode mode) {
  SqliteDatabase database(file);
  sqlite3* opened = nullptr;
  const int flags =
      mode == Mode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database.database_.reset(opened);
  if (code != SQLITE_OK) return fault_of(opened, file);
  sqlite3_busy_timeout(opened, busy_milliseconds);
  sqlite3_extended_result_codes(opened, 1);
  return database;
}

Status SqliteDatabase::run(const char* statements) {
  if (sqlite3_exec(database_.get(), statements, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fault_of(database_.get(), file_);
}

Result<SqliteStatement> SqliteDatabase::prepare(const char* statement) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(database_.get(), statement, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) !=
      SQLITE_OK)
    return fault_of(database_.get(), file_);
  return SqliteStatement(prepared, file_);
}

Result<std::int64_t> SqliteDatabase::number(const char* statement) {
  auto prepared = prepare(statement);
  if (!prepared) return tl::unexpected(prepared.error());
  const auto row = prepared->step();
  if (!row) return tl::unexpected(row.error());
  return *row ? prepared->integer(0) : 0;
}

}  // namespace cidbus
