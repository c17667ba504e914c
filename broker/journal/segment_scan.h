// What a segment holds, found by reading it: recovery, replay, and any tool that verifies or dumps stand on
// this.
//
// Reading changes nothing. What is amiss comes back as findings, in words that name file and offset; who
// scans decides what to do about them (journal_scan.h, journal.h).
//
// The rule, for each identifier in turn: a batch that is intact where its identifier says it stands is in the
// journal. If the identifier is damaged or missing, an intact batch that continues the chain at that place
// speaks for itself, and the identifier can be made again from it. If the batch is not intact, it is a hole:
// whether it was ever synced, and so is damage, or was torn by a crash, is told by what was written later
// (`synced_through`).
//
// Invariants
//  1. `batches` are in order of index; those not `intact` are named by a finding too.
//  2. An intact batch continues the chain of what stands before it.
//
// Thread rule: functions. Limits: memory for a head, and 64 bytes a batch.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/journal/batch.h"
#include "broker/journal/segment_format.h"
#include "shared/io/file_system.h"

namespace cidbus {

// A batch that the journal holds, and where.
struct BatchPlace {
  std::uint32_t slot = 0;  // its identifier
  ByteCount offset = 0;
  std::uint32_t length = 0;
  LogIndex first;
  ChainEnd end;
  Epoch office;
  bool intact = true;
};

enum class FindingKind {
  Mended,  // damaged in one of its two places, and known from the other: nothing is lost
  Torn,    // a write that a crash cut short; it was never acknowledged
  Hole,    // records that were written and are not there
};

struct Finding {
  FindingKind kind = FindingKind::Hole;
  std::string file;
  ByteCount offset = 0;
  // The records it is about; both 0 when it is about none.
  LogIndex first;
  LogIndex last;
  std::string what;
};
// One line: "segment-0000000002 at 2097664: records 17 to 20: checksum does not fit".
std::string to_text(const Finding& finding);

struct SegmentScan {
  std::string name;
  bool readable = false;  // the header is whole and is this file's; nothing below means anything otherwise
  SegmentHeader header;
  ByteCount file_bytes = 0;
  std::vector<BatchPlace> batches;
  bool start_known = false;  // false in the first segment after others were freed, until its first batch
  ChainEnd start;            // what the first batch follows
  ChainEnd end;              // of the last batch, or `start`
  std::uint32_t slots = 0;   // identifiers written, cuts and damaged ones among them
  ByteCount data_end = 0;    // where the next batch goes
  bool sealed = false;
  bool ends_with_cut = false;
  LogIndex synced_through;  // records up to here were certainly synced
  Epoch highest_office;
  std::vector<Finding> findings;
  std::vector<std::pair<ByteCount, Bytes>> mends;  // what to write where, so that both places are whole again

  [[nodiscard]] bool empty() const { return slots == 0 && batches.empty(); }
};

enum class ScanDepth {
  Identifiers,  // believe the identifiers: for a segment that was verified before
  Everything,   // read and verify every batch
};

// `start` is what the segment before ended with, or nothing when no segment before is left.
SegmentScan scan_segment(File& file, const std::string& name, ScanDepth depth,
                         const std::optional<ChainEnd>& start);

}  // namespace cidbus
