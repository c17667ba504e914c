// Where a command's answer goes, in the form asked for: a table for people, JSON for programs.
//
//   table   aligned text; colours on a terminal only
//   json    one JSON value: an object, or an array when the command gives a list
//   ndjson  an object a line
//   quiet   ids or CIDs only, a line each
//
// Invariants
//  1. Nothing is printed in part: a write that fails is kept and told by flush().
//
// Thread rule: one owner. Limits: 64 KiB are held back before they are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/command/environment.h"
#include "shared/base/result.h"
#include "shared/core/task.h"

namespace cidbus {

enum class Format { Table, Json, Ndjson, Quiet };
std::optional<Format> parse_format(std::string_view text);

class Output {
 public:
  Output(Environment& environment, Format format) : environment_(environment), format_(format) {}

  [[nodiscard]] Format format() const { return format_; }
  [[nodiscard]] bool is_json() const { return format_ == Format::Json || format_ == Format::Ndjson; }

  void line(std::string_view text);
  void text(std::string_view lines) { append(lines); }  // that end in newlines
  // A list of JSON values: an array in json, lines in ndjson.
  void open_list();
  void item(std::string_view json);
  void close_list();
  // Columns as wide as their widest cell; the first row is the heading.
  void table(const std::vector<std::vector<std::string>>& rows);

  // In the colour of its kind, where colours are allowed.
  [[nodiscard]] std::string painted(TaskState state) const;
  [[nodiscard]] std::string heading(std::string_view text) const;

  // Everything so far has left, or the fault of the first write that failed.
  Status flush();

 private:
  void append(std::string_view text);
  [[nodiscard]] std::string coloured(const char* code, std::string_view text) const;

  Environment& environment_;
  Format format_;
  std::string held_;
  bool first_item_ = true;
  std::optional<Fault> failure_;
};

// "cidbus: what: why; what to do", on one line; nothing for an empty message.
void report(Environment& environment, std::string_view message);

}  // namespace cidbus
