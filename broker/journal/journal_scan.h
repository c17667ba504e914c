// What a journal's folder holds, found by reading all of it (CONSENSUS D1).
//
// Reading changes nothing; recovery (journal.h) acts on what is found here, and a tool that verifies prints
// it.
//
// A hole is told from a torn write by what was written later: every group of batches says that all before it
// was on disk, every group is marked once its sync is done, and a segment's successor is used only after a
// sync. A hole before the newest such word is damage. One behind it was under way when the power went:
// nothing of it was ever acknowledged, by this broker.
//
// Thread rule: functions. Limits: memory for one segment's batches at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/journal/segment_scan.h"

namespace cidbus {

// Whose journal it must be.
struct JournalOwner {
  ClusterId cluster;
  DiskIncarnation incarnation;
};

// A batch that was on disk and is not whole any more, though its identity is known: any intact copy of
// exactly that identity, from whichever broker, makes it whole again.
struct JournalHole {
  std::uint64_t segment = 0;  // number of the file
  BatchPlace place;
};

struct JournalScan {
  std::vector<SegmentScan> segments;  // in order; `batches` are kept of the last that has any
  std::vector<std::string>
      leftovers;                // files that are no longer, or never were, part of the journal; newest first
  std::vector<Finding> damage;  // records that were synced and are not there, or may be
  std::vector<JournalHole> holes;  // of the damage, what copies can mend, in order
  bool beyond_refilling = false;   // some of the damage has no identity: records, or files, are unknown
  std::vector<Finding> torn;       // writes that a crash cut short
  std::vector<Finding> mended;     // known from their second place
  // The first record of a torn write that later ones stand behind: the journal ends before it.
  std::optional<LogIndex> cut_from;
  ChainEnd claim;        // of the newest identifier, intact or not: what a broker with holes votes by (D2)
  Epoch highest_office;  // of any batch ever written here
};

// A fault only when the folder cannot be read.
Result<JournalScan> scan_journal(FileSystem& files, const std::string& folder, const JournalOwner& owner);

}  // namespace cidbus
