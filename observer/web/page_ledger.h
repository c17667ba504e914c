// What the pages in browsers show, as rows of JSON, and what of it is news to whom.
//
// Tables have rows with a key, which change and go; logs only grow at their end. Every commit is a version.
// Whoever has seen one is told what changed since: so a browser costs what changes, one that comes late or
// is slow is told more at once, and nothing is kept for each of them.
//
// Invariants
//  1. Who takes in since(v) after having seen v shows what the ledger holds now.
//  2. A row that is put again with the same text is no news.
//  3. Who has seen nothing, or too little, is told everything, and that it is everything.
//
// Thread rule: pure; one owner. Limits: limits/web_page.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace cidbus {

class PageLedger {
 public:
  // Between begin() and end() every row of a table is put; those that were not are gone.
  void begin(std::string_view table);
  void put(std::string_view key, std::string json);
  void end();
  // The next entry of a log, which holds the newest.
  void append(std::string_view log, std::string json);
  // What was put and appended is the next version, if it is any news.
  void commit();

  // 0: nothing was committed.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // {"version": number, "whole": bool, "tables": {table: {key: row or null}},
  //  "logs": {log: {"newest": [entry], "total": ever appended}}}
  [[nodiscard]] std::string since(std::uint64_t seen) const;

 private:
  struct Row {
    std::string json;
    std::uint64_t changed = 0;  // in which version
    bool there = false;         // put since begin()
  };
  struct Table {
    std::map<std::string, Row, std::less<>> rows;
    std::deque<std::pair<std::string, std::uint64_t>> gone;  // and in which version
  };
  struct Log {
    std::deque<std::pair<std::string, std::uint64_t>> entries;  // and in which version
    std::uint64_t total = 0;
  };
  [[nodiscard]] std::uint64_t next() const { return version_ + 1; }

  std::map<std::string, Table, std::less<>> tables_;
  std::map<std::string, Log, std::less<>> logs_;
  Table* open_ = nullptr;
  std::uint64_t version_ = 0;
  std::uint64_t known_from_ = 0;  // who has seen less than this is told everything
  bool news_ = false;
};

}  // namespace cidbus
