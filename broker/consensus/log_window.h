// LogWindow: what a broker's core knows of its own journal: where every office's records end, and the newest
// batches themselves.
//
// The journal is on disk; here is what deciding needs. Which positions are held is known for all of it, from
// one entry an office. The ends of the newest batches are known one by one, and their bytes are kept, so that
// followers and the state machine are fed without reading. Whatever is older is read back from disk.
//
// A journal may have holes (CONSENSUS D1): batches whose identity is known and whose bytes are not. They
// stand in the log like any other, so last() is what the broker once held, its claim, and whole() is what it
// holds.
//
// Invariants
//  1. Batches form one chain: each follows the position and the checksum of the one before.
//  2. durable() never says more than the disk has told, and only a cut takes it back.
//  3. I2, used everywhere: two logs that hold the same position are equal up to it. So `has` of a batch's end
//     is "holds this very batch".
//  4. What is not on disk yet is never dropped from memory.
//
// Thread rule: pure; one owner. Limits: limits::log_ends ends, limits::log_cached_bytes of batches beyond
// what is not yet on disk.
#pragma once

#include <deque>
#include <vector>

#include "broker/journal/batch.h"
#include "shared/core/group_messages.h"

namespace cidbus::group {

inline LogPosition position_of(const ChainEnd& end) { return {end.epoch, end.last}; }

class LogWindow {
 public:
  // A log that begins after `base`: zeros, or what a snapshot ends with.
  explicit LogWindow(const ChainEnd& base);

  // ---- what is held
  [[nodiscard]] LogPosition last() const { return position_of(end_); }
  [[nodiscard]] const ChainEnd& end() const { return end_; }
  // Everything up to here is on disk, but for the holes.
  [[nodiscard]] LogIndex durable() const { return durable_; }
  // Damaged batches, in order.
  [[nodiscard]] const std::vector<BatchIdentity>& holes() const { return holes_; }
  // Everything up to here is really held, in the journal or in the state; last() when nothing is damaged.
  [[nodiscard]] LogPosition whole() const;
  // Whether nothing behind whole() is intact.
  [[nodiscard]] bool ends_with_damage() const;
  // Whether the batch that ends there is one of the newest, so that its checksum is known.
  [[nodiscard]] bool remembers(const LogPosition& position) const {
    return has(position) && position.index >= entries_after_.last;
  }
  // Everything asked of the disk, writes and cuts, is done.
  [[nodiscard]] bool disk_is_level() const { return durable_ == end_.last && cuts_ == 0; }
  // What the oldest record held follows. Records up to it are in a snapshot, and committed.
  [[nodiscard]] LogPosition base() const { return {offices_.front().epoch, offices_.front().last}; }
  [[nodiscard]] bool has(const LogPosition& position) const;
  // The office in which the record was made. REQUIRES: base().index <= index <= last().index.
  [[nodiscard]] Epoch epoch_at(LogIndex index) const;
  // The highest end of a batch that is neither above `asked` in index nor in epoch; base() when there is
  // none. Where two logs part is found by asking with it, once an office at most.
  [[nodiscard]] LogPosition highest_at_or_below(const LogPosition& asked) const;

  // Batches behind record `after`, in order, until a limit is reached (one at least). False when the first of
  // them is only on disk. REQUIRES: a batch ends with `after`.
  [[nodiscard]] bool collect(LogIndex after, std::size_t batches, std::size_t bytes,
                             std::vector<SharedBatch>& out) const;
  // Whether what comes behind record `after` is in memory, all of it.
  [[nodiscard]] bool caches(LogIndex after) const;
  [[nodiscard]] std::size_t cached_bytes() const { return cached_bytes_; }

  // ---- what changes it
  // A batch that is on disk already, found at recovery.
  void recovered(const ChainEnd& end);
  // The same, of one that is damaged there.
  void recovered_hole(const BatchIdentity& identity);
  // The disk holds this batch intact again.
  void on_refilled(const ChainEnd& end);
  // The state holds everything up to here: what is damaged below lacks nothing.
  void on_in_state(LogIndex last) { in_state_ = std::max(in_state_, last); }
  // REQUIRES: the batch follows end().
  void append(const SharedBatch& batch);
  // Takes out every batch behind `position`. `crc`: of the batch that ends there, for when it is too old to
  // be known. REQUIRES: has(position).
  void cut_after(const LogPosition& position, std::uint32_t crc);
  void on_cut_done();
  // The disk holds everything up to this batch. Words about batches that were cut meanwhile are ignored.
  void on_persisted(const ChainEnd& end);
  // The disk has freed what comes before `first`.
  void on_freed(LogIndex first);
  // Everything is replaced by a snapshot that ends with `base`.
  void begin_anew(const ChainEnd& base);

 private:
  struct Office {
    Epoch epoch;
    LogIndex last;  // of its records
  };
  struct Entry {
    ChainEnd end;
    SharedBatch batch;  // null once only the disk holds it
  };
  [[nodiscard]] std::size_t office_of(LogIndex index) const;
  // The first entry that ends behind `index`.
  [[nodiscard]] std::size_t entry_behind(LogIndex index) const;
  void push(Entry entry);
  void forget_old();

  std::vector<Office> offices_;  // ascending; the first says where the log begins
  ChainEnd end_;
  LogIndex durable_;
  ChainEnd entries_after_;     // what the first entry follows
  std::deque<Entry> entries_;  // the newest batches
  std::size_t uncached_ = 0;   // so many at the front have no bytes
  std::size_t cached_bytes_ = 0;
  std::size_t cuts_ = 0;  // asked of the disk and not yet done
  LogIndex lowest_cut_;   // of them; what the disk says about records above it is about other ones
  std::vector<BatchIdentity> holes_;  // ascending
  LogIndex in_state_;                 // holes below it do not count
};

}  // namespace cidbus::group
