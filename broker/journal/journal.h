// Journal: the broker's log on disk, batch behind batch in segment files (segment_format.h, FORMAT.md).
//
// Ours, and not a library's, because repairing a damaged copy from its peers without forgetting what was
// promised needs to know the format.
//
// Invariants
//  1. When append() returns, every batch given is on disk; until then none may be acknowledged.
//  2. Batches form one chain: each follows the checksum of the one before.
//  3. A batch that was acknowledged and is not there any more is found at open, and named; it is a hole
//     until a copy of it, told by its identity, is put back.
//  4. Segments are freed oldest first, are cut newest first, and one whose successor holds nothing is kept.
//
// Faults: TryAgain means there was no room: what end() says is on disk, the rest is not in the journal, and
// the same batches may be given again. Any other means that the disk failed: the process must end (CONSENSUS
// R6).
//
// Thread rule: one owner; calls block. Limits: a batch has limits::batch_bytes, a segment the size of its
// options.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/journal/journal_scan.h"
#include "broker/journal/segment.h"
#include "shared/base/limits/messages.h"
#include "shared/io/file_system.h"

namespace cidbus {

struct JournalOptions {
  ByteCount segment_bytes = 64 << 20;
  ByteCount head_bytes = 2 << 20;  // of which header and identifiers
};

// What open() does about records that were on disk and are not whole any more.
enum class OnDamage {
  Refuse,  // BadData: a broker alone has nowhere to get them from
  Keep,    // opens with holes, as long as every one's identity is known (CONSENSUS D1)
};

// What recovery found and did.
struct JournalRecovery {
  std::vector<Finding> damage;
  std::vector<Finding> mended;
  std::vector<Finding> torn;
  ChainEnd claim;        // of the newest identifier, before anything torn was cut
  Epoch highest_office;  // no office this broker took part in, as far as the journal tells, was later
};

class Journal {
 public:
  // Makes the first segment of a new journal. REQUIRES: the folder is empty of segments.
  static Status create(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                       const JournalOptions& options);
  // For a journal that no copy can mend: renames what there is of it to *.damaged, never removing it, and
  // makes one that is empty and goes on after `base`.
  static Status set_aside(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                          const JournalOptions& options, const ChainEnd& base);
  // Verifies everything, mends what is known from its second place, cuts what a crash tore. BadData names the
  // place where a record is missing that was on disk.
  static Result<Journal> open(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                              const JournalOptions& options, JournalRecovery& recovery,
                              OnDamage on_damage = OnDamage::Refuse);

  // REQUIRES: each batch follows the one before it, the first follows end().
  [[nodiscard]] Status append(std::span<const NewBatch> batches);
  // Whether the newest batches do not say in the file yet that they are synced. What is appended next says it
  // of all before it; until then a loss of them after a crash would be taken for a torn write.
  [[nodiscard]] bool wants_mark() const { return !marked_; }
  [[nodiscard]] Status mark_synced();
  // Takes every batch from the one that begins with `from` on out of the journal, durably.
  // REQUIRES: first() <= from, and a batch begins with it.
  [[nodiscard]] Status cut_from(LogIndex from);
  // Frees the oldest segment if all in it is before `index`; gives whether another might be freed.
  [[nodiscard]] Result<bool> drop_one_before(LogIndex index);
  // Forgets everything and goes on after `base`: for a broker that was given a snapshot of others.
  [[nodiscard]] Status begin_anew(const ChainEnd& base);

  // Batches whose identity is known and whose bytes are not, in order; append() goes on behind them.
  [[nodiscard]] const std::vector<JournalHole>& holes() const { return holes_; }
  // The hole that holds this record, or none.
  [[nodiscard]] const JournalHole* hole_at(LogIndex index) const;
  // Puts a batch into the hole of exactly its identity, durably. Where there is none any more, since what it
  // was in was freed, nothing is to be done.
  [[nodiscard]] Status refill(const BatchBytes& batch);

  // Whether the segment in use is half full and its successor is not there yet.
  [[nodiscard]] bool wants_spare() const { return !spare_ && active_.half_full(); }
  // Makes the successor ready, so that the change to it costs nothing when it comes.
  [[nodiscard]] Status make_spare();
  // Says in the file that everything is synced, so that a later loss of it is known as one.
  [[nodiscard]] Status close();

  [[nodiscard]] ChainEnd end() const { return active_.end(); }
  // Where the batch with this record as its last ends, or nothing when no batch does. Holes count as held.
  [[nodiscard]] Result<std::optional<ChainEnd>> end_at(LogIndex last) const;
  // The oldest record held, or the one after end() when none is.
  [[nodiscard]] LogIndex first() const;
  [[nodiscard]] ByteCount data_bytes() const;  // of batches, in all segments
  [[nodiscard]] const JournalOptions& options() const { return options_; }

 private:
  friend class JournalReader;
  // A segment that is full.
  struct Sealed {
    std::uint64_t number = 0;
    LogIndex first;  // of what it holds; end.last + 1 when it holds nothing
    ChainEnd start;
    ChainEnd end;
    ByteCount data_bytes = 0;
  };

  Journal(FileSystem& files, std::string folder, const JournalOwner& owner, const JournalOptions& options,
          Segment active);
  [[nodiscard]] static Status mend(FileSystem& files, const std::string& folder, const JournalScan& scan);
  [[nodiscard]] static Result<Journal> adopt(FileSystem& files, const std::string& folder,
                                             const JournalOwner& owner, const JournalOptions& options,
                                             const JournalScan& scan);
  [[nodiscard]] SegmentHeader header_for(std::uint64_t number) const;
  [[nodiscard]] Status roll();
  [[nodiscard]] Status remove_segment(std::uint64_t number);
  // The batches of the segment that holds this record, and the segment's name; none past the end.
  [[nodiscard]] Result<SegmentScan> places_around(LogIndex index) const;

  FileSystem* files_;  // borrowed; a pointer so that a journal can be moved
  std::string folder_;
  JournalOwner owner_;
  JournalOptions options_;
  std::vector<Sealed> sealed_;    // oldest first
  Segment active_;                // being written
  bool marked_ = true;            // what was appended last, as synced
  std::optional<Segment> spare_;  // its successor, made ahead
  std::vector<JournalHole> holes_;
};

}  // namespace cidbus
