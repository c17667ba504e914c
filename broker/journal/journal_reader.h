// JournalReader: batches from a record on, in order; for replay at the start, and for a standby that lags.
//
// Each batch is verified again as it is read: what was whole at the start need not be whole now.
//
// Invariants: batches come in order, each once, up to the journal's end at the time of asking; more appended
// later are given by later calls. Thread rule: the journal's owner's. The journal must outlive the reader,
// and nothing from the reader's place on may be cut or dropped meanwhile. Limits: memory for one segment's
// identifiers and a window of 4 MiB.
#pragma once

#include <memory>
#include <optional>

#include "broker/journal/file_window.h"
#include "broker/journal/journal.h"

namespace cidbus {

class JournalReader {
 public:
  // Begins with the batch that holds `from`. REQUIRES: journal.first() <= from.
  JournalReader(const Journal& journal, LogIndex from);

  // The next batch, or nothing at the journal's end. Valid until the next call. BadData names the damaged
  // place.
  Result<std::optional<BatchView>> next_batch();
  // Goes on behind a hole. REQUIRES: at_hole().
  [[nodiscard]] Status skip_hole();
  // The first record of the next batch.
  [[nodiscard]] LogIndex next() const { return next_; }
  // Whether the next batch is one that the journal has a hole in the place of.
  [[nodiscard]] bool at_hole() const { return journal_.hole_at(next_) != nullptr; }

 private:
  [[nodiscard]] Status load();

  const Journal& journal_;
  LogIndex next_;        // the record wanted next
  SegmentScan segment_;  // that holds it, as far as it was written when looked at
  std::size_t at_ = 0;   // the next of its batches
  std::unique_ptr<File> file_;
  std::optional<FileWindow> window_;
};

}  // namespace cidbus
