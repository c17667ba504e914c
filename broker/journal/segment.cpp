#include "broker/journal/segment.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

// Writing into blocks that were written before spares the file system a change of its own journal with every
// sync: measured on ext4, a synced 4 KiB batch and its identifier take 160 us in place of 270. So small
// batches find zeros already there, the more the longer only small ones have come; large ones would only be
// written twice, and so would zeros in front of them.
constexpr ByteCount zero_ahead_least = 16 << 10;
constexpr ByteCount zero_ahead_most = 1 << 20;
constexpr ByteCount zero_ahead_below = 64 << 10;
// What is written at once the page cache may keep as one folio, and every later write to it and every sync
// then walks all of its blocks: measured, 25 us a sync with a mebibyte. So zeros go in page by page.
constexpr ByteCount page_bytes = 4096;

Status write_zeros(File& file, ByteCount offset, ByteCount bytes) {
  static const Bytes page(page_bytes);
  while (bytes > 0) {
    const ByteCount piece = std::min(bytes, page_bytes - offset % page_bytes);
    if (Status status = file.write(offset, ByteView(page).first(piece)); !status) return status;
    offset += piece;
    bytes -= piece;
  }
  return {};
}

}  // namespace

Segment::Segment(std::unique_ptr<File> file, std::string name, const SegmentHeader& header)
    : file_(std::move(file)),
      name_(std::move(name)),
      header_(header),
      data_end_(header.head_bytes),
      zeroed_to_(header.head_bytes),
      zero_ahead_(zero_ahead_least) {}

Result<Segment> Segment::create(FileSystem& files, const std::string& folder, const SegmentHeader& header,
                                const ChainEnd& start) {
  const std::string name = segment_name(header.number);
  const std::string path = folder + "/" + name;
  const std::string unfinished = path + ".new";
  auto file = files.create(unfinished);
  if (!file) return tl::unexpected(file.error());
  const auto fill = [&]() -> Status {
    if (Status status = (*file)->preallocate(header.segment_bytes); !status) return status;
    if (Status status = write_zeros(**file, 0, header.head_bytes); !status) return status;
    if (Status status = (*file)->write(0, encode(header)); !status) return status;
    if (Status status = (*file)->sync(); !status) return status;
    if (Status status = files.rename(unfinished, path); !status) return status;
    return files.sync_directory(folder);
  };
  if (Status status = fill(); !status) {
    if (status.error().kind == FaultKind::TryAgain)
      (void)files.remove(unfinished);  // found again at the start
    return tl::unexpected(status.error());
  }
  Segment segment(std::move(*file), name, header);
  segment.start_ = header.begins_anew ? header.base : start;
  return segment;
}

Result<Segment> Segment::adopt(FileSystem& files, const std::string& folder, const SegmentScan& scan) {
  ENSURE(scan.readable && (scan.start_known || scan.empty()), scan.name);
  auto file = files.open(folder + "/" + scan.name);
  if (!file) return tl::unexpected(file.error());
  // A sealed segment gave back its room; one that is written on again needs it.
  if (scan.file_bytes < scan.header.segment_bytes)
    if (Status status = (*file)->preallocate(scan.header.segment_bytes); !status)
      return tl::unexpected(status.error());
  Segment segment(std::move(*file), scan.name, scan.header);
  segment.start_ = scan.start;
  segment.batches_ = scan.batches;
  segment.slots_ = scan.slots;
  segment.data_end_ = segment.zeroed_to_ = scan.data_end;
  segment.ends_with_cut_ = scan.ends_with_cut;
  return segment;
}

void Segment::start_at(const ChainEnd& start) {
  ENSURE(batches_.empty(), name_);
  start_ = start;
}

std::size_t Segment::fitting(std::span<const NewBatch> batches) const {
  ByteCount end = data_end_;
  std::size_t count = 0;
  while (count < batches.size() && slots_ + count + 2 <= header_.identifiers()) {
    end += batch_extent(batches[count].bytes->size());
    if (end > header_.segment_bytes) break;
    ++count;
  }
  return count;
}

Status Segment::write(std::span<const NewBatch> batches) {
  ENSURE(!batches.empty() && fitting(batches) == batches.size(), name_, batches.size());
  std::vector<BatchPlace> places;
  ByteCount offset = data_end_;
  ChainEnd before = end();
  for (const NewBatch& batch : batches) {
    const auto header = peek_batch_header(*batch.bytes);
    ENSURE(header && header->length == batch.bytes->size() && header->follows(before), before.last.value);
    const auto slot = static_cast<std::uint32_t>(slots_ + places.size());
    places.push_back({slot, offset, header->length, header->first, header->end(), batch.office, true});
    offset += batch_extent(header->length);
    before = header->end();
  }
  if (Status status = write_data(batches, offset - data_end_); !status) return status;
  if (Status status = write_identifiers(places); !status) return status;
  batches_.insert(batches_.end(), places.begin(), places.end());
  slots_ += static_cast<std::uint32_t>(places.size());
  data_end_ = offset;
  ends_with_cut_ = false;
  return {};
}

Status Segment::write_data(std::span<const NewBatch> batches, ByteCount bytes) {
  std::vector<Bytes> tails;  // trailer, and zeros up to the next batch
  std::vector<ByteView> parts;
  tails.reserve(batches.size());
  parts.reserve(2 * batches.size());
  for (const NewBatch& batch : batches) {
    tails.push_back(encode(Trailer{batch.office, peek_batch_header(*batch.bytes)->crc}));
    tails.back().resize(batch_extent(batch.bytes->size()) - batch.bytes->size());
    parts.emplace_back(*batch.bytes);
    parts.emplace_back(tails.back());
  }
  if (Status status = file_->write(data_end_, parts); !status) return status;
  return write_ahead(data_end_ + bytes, bytes <= zero_ahead_below);
}

Status Segment::write_ahead(ByteCount end, bool is_small) {
  if (!is_small) zero_ahead_ = zero_ahead_least;
  if (end <= zeroed_to_) return {};
  zeroed_to_ = end;
  if (!is_small) return {};
  const ByteCount zeros = std::min(zero_ahead_, header_.segment_bytes - end);
  if (Status status = write_zeros(*file_, end, zeros); !status) return status;
  zeroed_to_ += zeros;
  zero_ahead_ = std::min(2 * zero_ahead_, zero_ahead_most);
  return {};
}

Status Segment::write_identifiers(std::span<const BatchPlace> places) {
  Bytes bytes;
  for (const BatchPlace& place : places) {
    Identifier identifier = identifier_of(place);
    if (&place == &places.front()) identifier.flags = Identifier::starts_a_sync;
    const Bytes one = encode(identifier);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  Status status = file_->write(identifier_offset(slots_), bytes);
  if (status) return status;
  // Some of them may stand in the file now, and what they name is not in the journal.
  if (Status cleared = file_->write(identifier_offset(slots_), Bytes(bytes.size())); !cleared) return cleared;
  return status;
}

Identifier Segment::identifier_of(const BatchPlace& place) const {
  Identifier identifier;
  identifier.offset = place.offset;
  identifier.length = place.length;
  identifier.count = static_cast<std::uint32_t>(place.end.last.value - place.first.value + 1);
  identifier.crc = place.end.crc;
  identifier.first = place.first;
  identifier.epoch = place.end.epoch;
  identifier.office = place.office;
  return identifier;
}

Status Segment::mark_synced() {
  if (batches_.empty() || ends_with_cut_) return {};
  Identifier identifier = identifier_of(batches_.back());
  identifier.flags = Identifier::synced;
  return file_->write(identifier_offset(batches_.back().slot), encode(identifier));
}

Status Segment::cut(LogIndex from) {
  while (!batches_.empty() && batches_.back().first >= from) batches_.pop_back();
  ENSURE(end().last.value + 1 == from.value, "a cut within a batch, at", from.value, "after",
         end().last.value);
  Identifier identifier;
  identifier.kind = IdentifierKind::Cut;
  identifier.first = from;
  const std::uint32_t slot = ends_with_cut_ ? slots_ - 1 : slots_;
  ENSURE(slot < header_.identifiers(), name_);
  if (Status status = file_->write(identifier_offset(slot), encode(identifier)); !status) return status;
  slots_ = slot + 1;
  ends_with_cut_ = true;
  return file_->sync();
}

Status Segment::seal() {
  if (Status status = file_->write(seal_offset, encode(Seal{slots_, end()})); !status) return status;
  if (Status status = file_->sync(); !status) return status;
  if (Status status = file_->resize(data_end_); !status) return status;
  // The newest batches are held in memory, the others are read again at a restart: so the next segment has
  // the memory that caches this one. Memory new to the process, or to a virtual machine, costs more than the
  // copy.
  file_->forget_cache();
  return {};
}

}  // namespace cidbus
