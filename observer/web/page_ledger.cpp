#include "observer/web/page_ledger.h"

#include <algorithm>
#include <utility>

#include "client/command/json_writer.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/web_page.h"

namespace cidbus {

void PageLedger::begin(std::string_view table) {
  ENSURE(open_ == nullptr);
  open_ = &tables_[std::string(table)];
  for (auto& [key, row] : open_->rows) row.there = false;
}

void PageLedger::put(std::string_view key, std::string json) {
  ENSURE(open_ != nullptr);
  auto place = open_->rows.find(key);
  if (place == open_->rows.end()) place = open_->rows.emplace(std::string(key), Row{}).first;
  Row& row = place->second;
  row.there = true;
  if (row.json == json) return;
  row.json = std::move(json);
  row.changed = next();
  news_ = true;
}

void PageLedger::end() {
  ENSURE(open_ != nullptr);
  Table& table = *std::exchange(open_, nullptr);
  std::erase_if(table.rows, [&](const auto& entry) {
    if (entry.second.there) return false;
    table.gone.emplace_back(entry.first, next());
    news_ = true;
    return true;
  });
  while (table.gone.size() > limits::page_departures) {
    known_from_ = std::max(known_from_, table.gone.front().second);
    table.gone.pop_front();
  }
}

void PageLedger::append(std::string_view log, std::string json) {
  auto place = logs_.find(log);
  if (place == logs_.end()) place = logs_.emplace(std::string(log), Log{}).first;
  Log& entries = place->second;
  ++entries.total;
  entries.entries.emplace_back(std::move(json), next());
  if (entries.entries.size() > limits::page_log_rows) entries.entries.pop_front();
  news_ = true;
}

void PageLedger::commit() {
  ENSURE(open_ == nullptr);
  if (std::exchange(news_, false)) ++version_;
}

std::string PageLedger::since(std::uint64_t seen) const {
  const bool whole = seen == 0 || seen < known_from_ || seen > version_;
  if (whole) seen = 0;
  JsonWriter json;
  json.open_object().name("version").number(version_).name("whole").boolean(whole);
  json.name("tables").open_object();
  for (const auto& [name, table] : tables_) {
    json.name(name).open_object();
    if (!whole) {
      for (const auto& [key, version] : table.gone)
        if (version > seen && !table.rows.contains(key)) json.name(key).null();
    }
    for (const auto& [key, row] : table.rows)
      if (row.changed > seen) json.name(key).raw(row.json);
    json.close_object();
  }
  json.close_object().name("logs").open_object();
  for (const auto& [name, log] : logs_) {
    json.name(name).open_object().name("newest").open_array();
    std::uint64_t total = log.total;
    for (const auto& [entry, version] : log.entries) {
      if (version > version_) --total;  // not committed: told with the next version, and once
      if (version > seen && version <= version_) json.raw(entry);
    }
    json.close_array().name("total").number(total).close_object();
  }
  json.close_object().close_object();
  return json.text();
}

}  // namespace cidbus
