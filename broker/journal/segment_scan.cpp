#include "broker/journal/segment_scan.h"

#include <algorithm>

#include "broker/journal/file_window.h"

namespace cidbus {
namespace {

std::string range_text(LogIndex first, LogIndex last) {
  if (first == last) return "record " + std::to_string(first.value);
  return "records " + std::to_string(first.value) + " to " + std::to_string(last.value);
}

class Scanner {
 public:
  Scanner(File& file, const std::string& name, ScanDepth depth, const std::optional<ChainEnd>& start)
      : file_(file), window_(file), depth_(depth) {
    scan_.name = name;
    scan_.start_known = start.has_value();
    scan_.start = scan_.end = start.value_or(ChainEnd{});
  }

  SegmentScan run() {
    if (!read_head()) return std::move(scan_);
    scan_.readable = true;
    scan_.data_end = scan_.header.head_bytes;
    if (scan_.header.begins_anew) {
      scan_.start_known = true;
      scan_.start = scan_.end = scan_.header.base;
    }
    count_slots();
    for (std::uint32_t slot = 0; slot < scan_.slots; ++slot) on_slot(slot, identifier_at(slot));
    if (depth_ == ScanDepth::Everything) look_behind_the_last_identifier();
    check_seal();
    return std::move(scan_);
  }

 private:
  void found(FindingKind kind, ByteCount offset, std::string what, LogIndex first = {}, LogIndex last = {}) {
    scan_.findings.push_back({kind, scan_.name, offset, first, last, std::move(what)});
  }

  bool read_head() {
    const auto size = file_.size();
    if (!size) return found(FindingKind::Hole, 0, size.error().message), false;
    scan_.file_bytes = *size;
    const auto first = window_.view(0, structure_bytes);
    if (!first) return found(FindingKind::Hole, 0, first.error().message), false;
    const auto header = decode_segment_header(*first);
    if (!header.found) return found(FindingKind::Hole, 0, "its header is damaged"), false;
    scan_.header = *header.found;
    if (segment_name(scan_.header.number) != scan_.name)
      return found(FindingKind::Hole, 0, "its header is that of " + segment_name(scan_.header.number)), false;
    head_.resize(scan_.header.head_bytes);
    const auto count = file_.read(0, head_);
    if (!count) return found(FindingKind::Hole, 0, count.error().message), false;
    if (*count == head_.size()) return true;
    return found(FindingKind::Hole, *count, "the file ends before its identifiers do"), false;
  }

  Stored<Identifier> identifier_at(std::uint32_t slot) const {
    return decode_identifier(ByteView(head_).subspan(identifier_offset(slot), identifier_bytes));
  }

  void count_slots() {
    scan_.slots = scan_.header.identifiers();
    while (scan_.slots != 0 && identifier_at(scan_.slots - 1).empty) --scan_.slots;
  }

  void on_slot(std::uint32_t slot, const Stored<Identifier>& place) {
    scan_.ends_with_cut = false;
    if (!place.found) return on_lost_identifier(slot);
    if (place.found->kind == IdentifierKind::Cut) return on_cut(slot, place.found->first);
    on_batch(slot, *place.found);
  }

  // ---- batches

  [[nodiscard]] bool within_the_file(const Identifier& identifier) const {
    return identifier.offset >= scan_.data_end && identifier.offset % structure_bytes == 0 &&
           identifier.count != 0 && identifier.length >= batch_header_bytes &&
           identifier.offset + batch_extent(identifier.length) <= scan_.header.segment_bytes;
  }

  void on_batch(std::uint32_t slot, const Identifier& identifier) {
    if (!within_the_file(identifier)) return on_lost_identifier(slot);
    const auto header = depth_ == ScanDepth::Everything ? verify(identifier) : believe(identifier);
    if (!scan_.start_known) begin_at(identifier.first, header);
    if (identifier.first <= scan_.end.last && !on_unannounced_cut(identifier, header)) {
      return found(FindingKind::Hole, identifier.offset, "does not follow the batch before it",
                   identifier.first, identifier.last());
    }
    if (identifier.first > next(scan_.end.last)) add_gap(identifier);
    // Behind a gap nothing is known that this batch's `previous` could be compared with.
    if (crc_unknown_ && header) scan_.end.crc = header->previous;
    crc_unknown_ = false;
    bool intact = header.has_value();
    if (!intact) {
      found(FindingKind::Hole, identifier.offset, why_, identifier.first, identifier.last());
    } else if (depth_ == ScanDepth::Everything && !header->follows(scan_.end)) {
      intact = false;
      found(FindingKind::Hole, identifier.offset, "does not follow the batch before it", identifier.first,
            identifier.last());
    }
    add(slot, identifier, intact);
  }

  void add(std::uint32_t slot, const Identifier& identifier, bool intact) {
    scan_.batches.push_back({slot, identifier.offset, identifier.length, identifier.first, identifier.end(),
                             identifier.office, intact});
    scan_.end = identifier.end();
    scan_.data_end = identifier.offset + batch_extent(identifier.length);
    scan_.highest_office = std::max({scan_.highest_office, identifier.office, identifier.epoch});
    if ((identifier.flags & Identifier::starts_a_sync) != 0)
      scan_.synced_through = std::max(scan_.synced_through, LogIndex{identifier.first.value - 1});
    if ((identifier.flags & Identifier::synced) != 0)
      scan_.synced_through = std::max(scan_.synced_through, identifier.last());
  }

  // The first batch of what is left of a journal says what it follows.
  void begin_at(LogIndex first, const std::optional<BatchHeader>& header) {
    scan_.start_known = true;
    scan_.start = {{first.value - 1}, {}, header ? header->previous : 0};
    scan_.end = scan_.start;
    crc_unknown_ = !header;
  }

  void add_gap(const Identifier& identifier) {
    found(FindingKind::Hole, scan_.data_end, "neither batch nor identifier is whole", next(scan_.end.last),
          {identifier.first.value - 1});
    scan_.end = {{identifier.first.value - 1}, scan_.end.epoch, 0};
    crc_unknown_ = true;
  }

  static std::optional<BatchHeader> believe(const Identifier& identifier) {
    return BatchHeader{identifier.crc,   identifier.length, identifier.count,
                       identifier.epoch, identifier.first,  0};
  }

  // The batch's header when it stands where and as the identifier says; otherwise why_ says what is wrong.
  std::optional<BatchHeader> verify(const Identifier& identifier) {
    const auto bytes = window_.view(identifier.offset, identifier.length + trailer_bytes);
    if (!bytes) return why_ = bytes.error().message, std::nullopt;
    if (bytes->size() < identifier.length) return why_ = "the file ends before the batch does", std::nullopt;
    const auto batch = BatchView::parse(bytes->first(identifier.length));
    if (!batch) return why_ = "the batch's checksum does not fit", std::nullopt;
    const BatchHeader& header = batch->header();
    if (header.end() != identifier.end() || header.first != identifier.first)
      return why_ = "another batch stands here", std::nullopt;
    const auto trailer = decode_trailer(bytes->subspan(identifier.length));
    if (!trailer || trailer->office != identifier.office || trailer->batch_crc != header.crc) {
      found(FindingKind::Mended, identifier.offset + identifier.length, "a batch's trailer was damaged",
            identifier.first, identifier.last());
      scan_.mends.emplace_back(identifier.offset + identifier.length,
                               encode(Trailer{identifier.office, header.crc}));
    }
    return header;
  }

  // ---- lost identifiers, cuts, the seal

  // An intact batch at the place where the next one belongs, though no identifier names it.
  std::optional<Identifier> unlisted_batch() {
    if (scan_.data_end + batch_header_bytes > scan_.file_bytes) return std::nullopt;
    const auto head = window_.view(scan_.data_end, batch_header_bytes);
    if (!head) return std::nullopt;
    const auto header = peek_batch_header(*head);
    if (!header || (scan_.start_known && !header->follows(scan_.end))) return std::nullopt;
    const auto bytes = window_.view(scan_.data_end, header->length + trailer_bytes);
    if (!bytes || bytes->size() < header->length + trailer_bytes) return std::nullopt;
    const auto trailer = decode_trailer(bytes->subspan(header->length));
    if (!BatchView::parse(bytes->first(header->length)) || !trailer || trailer->batch_crc != header->crc)
      return std::nullopt;
    Identifier identifier;
    identifier.offset = scan_.data_end;
    identifier.length = header->length;
    identifier.count = header->count;
    identifier.crc = header->crc;
    identifier.first = header->first;
    identifier.epoch = header->epoch;
    identifier.office = trailer->office;
    if (!scan_.start_known) begin_at(header->first, header);
    return identifier;
  }

  void on_lost_identifier(std::uint32_t slot) {
    if (depth_ == ScanDepth::Identifiers) return;
    if (const auto identifier = unlisted_batch()) return list(slot, *identifier);
    lost_slot_ = slot;
    if (slot + 1 == scan_.slots)
      found(FindingKind::Torn, identifier_offset(slot),
            "the last identifier is damaged and no whole batch fits it");
  }

  void list(std::uint32_t slot, const Identifier& identifier) {
    found(FindingKind::Mended, identifier_offset(slot), "a batch's identifier was missing", identifier.first,
          identifier.last());
    scan_.mends.emplace_back(identifier_offset(slot), encode(identifier));
    add(slot, identifier, true);
  }

  void on_cut(std::uint32_t slot, LogIndex from) {
    if (from <= scan_.start.last || from > next(scan_.end.last)) return on_lost_identifier(slot);
    cut(from);
    scan_.ends_with_cut = true;
  }

  void cut(LogIndex from) {
    while (!scan_.batches.empty() && scan_.batches.back().first >= from) scan_.batches.pop_back();
    scan_.end = scan_.batches.empty() ? scan_.start : scan_.batches.back().end;
    crc_unknown_ = scan_.end.last.value != from.value - 1;  // cut in the midst of a gap
    if (crc_unknown_) scan_.end = {{from.value - 1}, scan_.end.epoch, 0};
    std::erase_if(scan_.findings, [from](const Finding& finding) { return finding.first >= from; });
    scan_.synced_through = std::min(scan_.synced_through, scan_.end.last);
  }

  // A batch that replaces earlier ones, though the cut between them cannot be read.
  bool on_unannounced_cut(const Identifier& identifier, const std::optional<BatchHeader>& header) {
    if (!header || !lost_slot_ || identifier.first <= scan_.start.last) return false;
    ChainEnd before = scan_.start;
    for (const BatchPlace& place : scan_.batches)
      if (place.end.last < identifier.first) before = place.end;
    if (!header->follows(before)) return false;
    cut(identifier.first);
    Identifier restored;
    restored.kind = IdentifierKind::Cut;
    restored.first = identifier.first;
    found(FindingKind::Mended, identifier_offset(*lost_slot_), "the mark of a cut was damaged");
    scan_.mends.emplace_back(identifier_offset(*lost_slot_), encode(restored));
    lost_slot_.reset();
    return true;
  }

  void look_behind_the_last_identifier() {
    while (scan_.slots < scan_.header.identifiers()) {
      const auto identifier = unlisted_batch();
      if (!identifier) break;
      scan_.ends_with_cut = false;
      list(scan_.slots++, *identifier);
    }
    const auto rest = window_.view(scan_.data_end, batch_header_bytes);
    const bool written = rest && std::any_of(rest->begin(), rest->end(), [](auto byte) { return byte != 0; });
    if (written) found(FindingKind::Torn, scan_.data_end, "a batch was written in part");
  }

  void check_seal() {
    const auto place = decode_seal(ByteView(head_).subspan(seal_offset, structure_bytes));
    if (place.empty) return;
    if (!place.found) return found(FindingKind::Mended, seal_offset, "its seal is damaged");
    const Seal& seal = *place.found;
    scan_.sealed = seal.identifiers == scan_.slots && seal.end == scan_.end;
    const bool cut_since = seal.identifiers < scan_.slots || scan_.ends_with_cut;
    if (scan_.sealed || cut_since || seal.end.last <= scan_.end.last) return;
    found(FindingKind::Hole, scan_.data_end, "the last batches and their identifiers are missing",
          next(scan_.end.last), seal.end.last);
    scan_.sealed = true;
    scan_.end = seal.end;
    scan_.synced_through = seal.end.last;
  }

  File& file_;
  FileWindow window_;
  ScanDepth depth_;
  SegmentScan scan_;
  Bytes head_;                              // the file up to the batch area
  std::string why_;                         // what verify() found wrong
  std::optional<std::uint32_t> lost_slot_;  // the newest identifier that says nothing
  bool crc_unknown_ = false;                // that of the batch before the next one
};

}  // namespace

std::string to_text(const Finding& finding) {
  std::string text = finding.file + " at " + std::to_string(finding.offset) + ": ";
  if (finding.first.value != 0) text += range_text(finding.first, finding.last) + ": ";
  return text + finding.what;
}

SegmentScan scan_segment(File& file, const std::string& name, ScanDepth depth,
                         const std::optional<ChainEnd>& start) {
  return Scanner(file, name, depth, start).run();
}

}  // namespace cidbus
