// What of the cluster goes to the page, as rows of a PageLedger. docs/observer.md has the names.
//
// Everything is told as it is known: what is not known is null, never 0. Times are milliseconds since 1970.
//
// Thread rule: pure. Limits: those of the board, and limits/web_page.h.
#pragma once

#include <span>
#include <string>

#include "observer/core/alert_desk.h"
#include "observer/core/board.h"
#include "observer/core/run_tracker.h"
#include "observer/web/page_ledger.h"

namespace cidbus {

// What the board does not have.
struct PageFacts {
  std::string_view observer;
  std::string_view version;
  WallTime watching_since;
  std::optional<std::uint64_t> blocks_indexed;
  std::uint64_t skipped = 0;  // task events that nobody was told
  std::optional<double> failed_percent;
};

void put_now(PageLedger& ledger, const Board& board, const PageFacts& facts);
void put_cluster(PageLedger& ledger, const Board& board);  // brokers, nodes, machines, task types
void put_running(PageLedger& ledger, const RunTracker& runs);
void put_alerts(PageLedger& ledger, const Board& board, const AlertMarks& marks);
// Rules do not change while an observer runs.
void put_rules(PageLedger& ledger, std::span<const AlertRule> rules);

// Entries of the logs "runs", "elections" and "alerts".
std::string run_entry(const EndedRun& run);
std::string election_entry(WallTime time, std::string_view publisher, const ElectionEvent& event);
std::string alert_entry(const AlertNotice& notice);

}  // namespace cidbus
