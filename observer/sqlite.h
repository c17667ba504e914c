// SQLite as this house uses a library: faults as values, statements that end with their owner.
//
// Faults: TryAgain for a full disk and for a file that another process writes, BadData for what is no
// database or a damaged one, NotAllowed for rights, NotFound for a file that is not there, Failed for the
// rest.
//
// Thread rule: one thread at a time. Limits: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cidbus {

// Values are bound from 1 on and read from 0 on, as in SQLite.
class SqliteStatement {
 public:
  SqliteStatement& bind(int place, std::int64_t value);
  SqliteStatement& bind(int place, double value);
  SqliteStatement& bind(int place, std::string_view text);
  SqliteStatement& bind(int place, ByteView bytes);
  // Whether there is a row; without one the statement is ready to be bound again.
  Result<bool> step();
  // To its end, without rows that matter; or with `act` called at each.
  Status run();
  Status each(const std::function<void()>& act);
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  // Until the next step.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] ByteView bytes(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(sqlite3_stmt* statement, std::string file)
      : statement_(statement), file_(std::move(file)) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string file_;
};

class SqliteDatabase {
 public:
  enum class Mode { ReadOnly, ReadWrite };  // ReadWrite makes the file
  static Result<SqliteDatabase> open(const std::string& file, Mode mode);

  // Statements without values and rows, in one text.
  Status run(const char* statements);
  Result<SqliteStatement> prepare(const char* statement);
  // Of a statement with one row and one whole number.
  Result<std::int64_t> number(const char* statement);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteDatabase(std::string file) : file_(std::move(file)) {}

  std::string file_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace cidbus
