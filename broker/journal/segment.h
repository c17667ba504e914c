// Segment: the one file that batches are being written to.
//
// Writing and syncing are apart so that a whole group of batches is made durable by one sync (CONSENSUS R5).
//
// Invariants
//  1. After sync() every batch written before it stands in the file twice: itself and its identifier.
//  2. Batches are written one behind the other and never over one another, cut or not.
//  3. One identifier is always left for a cut.
//  4. A write that found no room leaves the segment as it was.
//
// Thread rule: one owner, calls block. Limits: the file's fixed size, and its number of identifiers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "broker/journal/segment_format.h"
#include "broker/journal/segment_scan.h"
#include "shared/io/file_system.h"

namespace cidbus {

// A batch on its way to the disk.
struct NewBatch {
  BatchBytes bytes;
  Epoch office;  // of the broker that sent it: the leader's own, when it writes
};

class Segment {
 public:
  // A new, empty file with room taken for all of it; durable, under its name, on return. `start` is what its
  // first batch will follow.
  static Result<Segment> create(FileSystem& files, const std::string& folder, const SegmentHeader& header,
                                const ChainEnd& start);
  // One that was scanned, to be written on. REQUIRES: scan.readable, and scan.start_known or scan.empty().
  static Result<Segment> adopt(FileSystem& files, const std::string& folder, const SegmentScan& scan);

  // How many of these, from the first on, fit.
  [[nodiscard]] std::size_t fitting(std::span<const NewBatch> batches) const;
  // REQUIRES: they fit, and follow end() and one another.
  [[nodiscard]] Status write(std::span<const NewBatch> batches);
  [[nodiscard]] Status sync() { return file_->sync(); }
  // Says in the file that everything in it is synced; not itself synced. REQUIRES: it is.
  [[nodiscard]] Status mark_synced();
  // Takes the batches from `from` on out of the journal, durably. REQUIRES: `from` is the first of a batch
  // here.
  [[nodiscard]] Status cut(LogIndex from);
  // Says, durably, that a successor goes on from here, and gives back room not used.
  [[nodiscard]] Status seal();
  // What the first batch of an empty segment follows.
  void start_at(const ChainEnd& start);

  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<BatchPlace>& batches() const { return batches_; }
  [[nodiscard]] const ChainEnd& start() const { return start_; }
  [[nodiscard]] ChainEnd end() const { return batches_.empty() ? start_ : batches_.back().end; }
  [[nodiscard]] bool empty() const { return slots_ == 0; }
  [[nodiscard]] ByteCount data_bytes() const { return data_end_ - header_.head_bytes; }
  // Whether it is so full that its successor should be made ready.
  [[nodiscard]] bool half_full() const {
    return slots_ >= header_.identifiers() / 2 || data_end_ >= header_.segment_bytes / 2;
  }

 private:
  Segment(std::unique_ptr<File> file, std::string name, const SegmentHeader& header);
  [[nodiscard]] Status write_data(std::span<const NewBatch> batches, ByteCount bytes);
  [[nodiscard]] Status write_ahead(ByteCount end, bool is_small);
  [[nodiscard]] Status write_identifiers(std::span<const BatchPlace> places);
  [[nodiscard]] Identifier identifier_of(const BatchPlace& place) const;

  std::unique_ptr<File> file_;
  std::string name_;
  SegmentHeader header_;
  ChainEnd start_;
  std::vector<BatchPlace> batches_;
  std::uint32_t slots_ = 0;     // identifiers written
  ByteCount data_end_ = 0;      // where the next batch goes
  ByteCount zeroed_to_ = 0;     // the file is written, with zeros at least, up to here
  ByteCount zero_ahead_ = 0;    // how much is written ahead next time
  bool ends_with_cut_ = false;  // the newest identifier is a cut
};

}  // namespace cidbus
