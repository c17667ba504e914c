#include "broker/journal/journal.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr std::string_view damaged_ending = ".damaged";

SegmentHeader new_header(const JournalOwner& owner, const JournalOptions& options, std::uint64_t number) {
  SegmentHeader header;
  header.cluster = owner.cluster;
  header.incarnation = owner.incarnation;
  header.number = number;
  header.segment_bytes = options.segment_bytes;
  header.head_bytes = options.head_bytes;
  return header;
}

Fault damage_fault(const std::string& folder, const std::vector<Finding>& damage) {
  std::string message = "the journal is damaged: " + folder + "/" + to_text(damage.front());
  if (damage.size() > 1) message += " (and " + std::to_string(damage.size() - 1) + " more)";
  return {FaultKind::BadData,
          message + "; put this folder back from a copy, or see 'cidbus-broker journal repair --help'"};
}

}  // namespace

Journal::Journal(FileSystem& files, std::string folder, const JournalOwner& owner,
                 const JournalOptions& options, Segment active)
    : files_(&files),
      folder_(std::move(folder)),
      owner_(owner),
      options_(options),
      active_(std::move(active)) {
  ENSURE(options.head_bytes > identifiers_offset && options.head_bytes < options.segment_bytes &&
             options.head_bytes % structure_bytes == 0,
         options.head_bytes, options.segment_bytes);
}

SegmentHeader Journal::header_for(std::uint64_t number) const { return new_header(owner_, options_, number); }

Status Journal::create(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                       const JournalOptions& options) {
  auto segment = Segment::create(files, folder, new_header(owner, options, 1), {});
  if (!segment) return tl::unexpected(segment.error());
  return {};
}

// Renamed first: were the new segment there before, what it makes left over would be removed at the next
// start.
Status Journal::set_aside(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                          const JournalOptions& options, const ChainEnd& base) {
  const auto names = files.list(folder);
  if (!names) return tl::unexpected(names.error());
  std::uint64_t newest = 1;  // a segment that begins a journal anew is never the first
  for (const std::string& name : *names) {
    const bool aside = name.ends_with(damaged_ending);
    const auto number =
        parse_segment_name(aside ? name.substr(0, name.size() - damaged_ending.size()) : name);
    if (!number) continue;
    newest = std::max(newest, *number);
    if (aside) continue;
    if (Status status = files.rename(folder + "/" + name, folder + "/" + name + std::string(damaged_ending));
        !status)
      return status;
  }
  if (Status status = files.sync_directory(folder); !status) return status;
  SegmentHeader header = new_header(owner, options, newest + 1);
  header.begins_anew = true;
  header.base = base;
  auto segment = Segment::create(files, folder, header, base);
  if (!segment) return tl::unexpected(segment.error());
  return {};
}

Result<Journal> Journal::open(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                              const JournalOptions& options, JournalRecovery& recovery, OnDamage on_damage) {
  auto scan = scan_journal(files, folder, owner);
  if (!scan) return tl::unexpected(scan.error());
  recovery = {scan->damage, scan->mended, scan->torn, scan->claim, scan->highest_office};
  const bool can_be_refilled = on_damage == OnDamage::Keep && !scan->beyond_refilling;
  if (!scan->damage.empty() && !can_be_refilled) return tl::unexpected(damage_fault(folder, scan->damage));
  if (Status status = mend(files, folder, *scan); !status) return tl::unexpected(status.error());
  auto journal = adopt(files, folder, owner, options, *scan);
  if (!journal) return journal;
  journal->holes_ = std::move(scan->holes);
  if (scan->cut_from)
    if (Status status = journal->active_.cut(*scan->cut_from); !status) return tl::unexpected(status.error());
  if (Status status = journal->active_.mark_synced(); !status) return tl::unexpected(status.error());
  return journal;
}

// A process that was killed leaves what it wrote unsynced in the machine's memory, where the scan has found
// it whole. None of it, a cut or a seal least of all, may be relied on before it is on disk: so all is synced
// first, and only then removed what a cut has left over.
Status Journal::mend(FileSystem& files, const std::string& folder, const JournalScan& scan) {
  for (const SegmentScan& segment : scan.segments) {
    auto file = files.open(folder + "/" + segment.name);
    if (!file) return tl::unexpected(file.error());
    for (const auto& [offset, bytes] : segment.mends)
      if (Status status = (*file)->write(offset, bytes); !status) return status;
    if (Status status = (*file)->sync(); !status) return status;
  }
  for (const std::string& name : scan.leftovers) {
    if (Status status = files.remove(folder + "/" + name); !status) return status;
    if (Status status = files.sync_directory(folder); !status) return status;
  }
  return files.sync_directory(folder);
}

Result<Journal> Journal::adopt(FileSystem& files, const std::string& folder, const JournalOwner& owner,
                               const JournalOptions& options, const JournalScan& scan) {
  std::size_t active = 0;  // the first that is not full
  while (active + 1 < scan.segments.size() && scan.segments[active].sealed) ++active;
  auto segment = Segment::adopt(files, folder, scan.segments[active]);
  if (!segment) return tl::unexpected(segment.error());
  Journal journal(files, folder, owner, options, std::move(*segment));
  for (std::size_t k = 0; k < active; ++k) {
    const SegmentScan& full = scan.segments[k];
    journal.sealed_.push_back({full.header.number, next(full.start.last), full.start, full.end,
                               full.data_end - full.header.head_bytes});
  }
  if (active != 0 && journal.active_.batches().empty()) journal.active_.start_at(journal.sealed_.back().end);
  if (active + 1 < scan.segments.size()) {
    auto spare = Segment::adopt(files, folder, scan.segments[active + 1]);
    if (!spare) return tl::unexpected(spare.error());
    journal.spare_ = std::move(*spare);
  }
  return journal;
}

Status Journal::append(std::span<const NewBatch> batches) {
  while (!batches.empty()) {
    const std::size_t count = active_.fitting(batches);
    if (count == 0) {
      if (Status status = roll(); !status) return status;
      continue;
    }
    if (Status status = active_.write(batches.first(count)); !status) return status;
    if (Status status = active_.sync(); !status) return status;
    marked_ = false;
    batches = batches.subspan(count);
  }
  return {};
}

Status Journal::mark_synced() {
  marked_ = true;
  return active_.mark_synced();
}

Status Journal::make_spare() {
  if (spare_) return {};
  auto made = Segment::create(*files_, folder_, header_for(active_.header().number + 1), {});
  if (!made) return tl::unexpected(made.error());
  spare_ = std::move(*made);
  return {};
}

Status Journal::roll() {
  ENSURE(!active_.empty(), "a batch larger than a segment", active_.name());
  if (Status status = make_spare(); !status) return status;
  if (Status status = active_.seal(); !status) return status;
  sealed_.push_back({active_.header().number, next(active_.start().last), active_.start(), active_.end(),
                     active_.data_bytes()});
  spare_->start_at(active_.end());
  active_ = std::move(*spare_);
  spare_.reset();
  return {};
}

Status Journal::remove_segment(std::uint64_t number) {
  if (Status status = files_->remove(folder_ + "/" + segment_name(number)); !status) return status;
  return files_->sync_directory(folder_);
}

Status Journal::cut_from(LogIndex from) {
  ENSURE(from >= first(), from.value, first().value);
  if (from > end().last) return {};
  std::erase_if(holes_, [from](const JournalHole& hole) { return hole.place.first >= from; });
  if (from > active_.start().last) return active_.cut(from);
  // The cut is marked first: a crash on the way leaves the later segments as left over (journal_scan.cpp).
  const auto holder = std::find_if(sealed_.begin(), sealed_.end(),
                                   [from](const Sealed& full) { return full.end.last >= from; });
  auto scan = places_around(from);
  if (!scan) return tl::unexpected(scan.error());
  auto reopened = Segment::adopt(*files_, folder_, *scan);
  if (!reopened) return tl::unexpected(reopened.error());
  if (Status status = reopened->cut(from); !status) return status;
  if (spare_)
    if (Status status = remove_segment(spare_->header().number); !status) return status;
  spare_.reset();
  for (std::uint64_t number = active_.header().number; number > holder->number; --number)
    if (Status status = remove_segment(number); !status) return status;
  sealed_.erase(holder, sealed_.end());
  active_ = std::move(*reopened);
  return {};
}

Result<bool> Journal::drop_one_before(LogIndex index) {
  if (sealed_.empty() || sealed_.front().end.last >= index) return false;
  const bool successor_holds_some =
      sealed_.size() > 1 ? sealed_[1].end.last > sealed_[0].end.last : !active_.batches().empty();
  if (!successor_holds_some) return false;
  if (Status status = remove_segment(sealed_.front().number); !status) return tl::unexpected(status.error());
  sealed_.erase(sealed_.begin());
  std::erase_if(holes_, [this](const JournalHole& hole) { return hole.place.first < first(); });
  return !sealed_.empty() && sealed_.front().end.last < index;
}

Status Journal::begin_anew(const ChainEnd& base) {
  const std::uint64_t newest = spare_ ? spare_->header().number : active_.header().number;
  SegmentHeader header = header_for(newest + 1);
  header.begins_anew = true;
  header.base = base;
  auto made = Segment::create(*files_, folder_, header, base);
  if (!made) return tl::unexpected(made.error());
  const std::uint64_t oldest = sealed_.empty() ? active_.header().number : sealed_.front().number;
  sealed_.clear();
  holes_.clear();
  spare_.reset();
  active_ = std::move(*made);
  for (std::uint64_t number = oldest; number <= newest; ++number)
    if (Status status = remove_segment(number); !status) return status;
  return {};
}

const JournalHole* Journal::hole_at(LogIndex index) const {
  const auto hole = std::find_if(holes_.begin(), holes_.end(), [index](const JournalHole& one) {
    return one.place.first <= index && index <= one.place.end.last;
  });
  return hole == holes_.end() ? nullptr : &*hole;
}

Status Journal::refill(const BatchBytes& batch) {
  const auto view = BatchView::parse(*batch);
  ENSURE(view, "a hole is refilled with whole batches only");
  const JournalHole* hole = hole_at(view->header().first);
  if (hole == nullptr || hole->place.end != view->header().end()) return {};
  auto file = files_->open(folder_ + "/" + segment_name(hole->segment));
  if (!file) return tl::unexpected(file.error());
  const Bytes trailer = encode(Trailer{hole->place.office, view->header().crc});
  const std::array<ByteView, 2> parts{view->bytes(), trailer};
  if (Status status = (*file)->write(hole->place.offset, parts); !status) return status;
  if (Status status = (*file)->sync(); !status) return status;
  holes_.erase(holes_.begin() + (hole - holes_.data()));
  return {};
}

Result<std::optional<ChainEnd>> Journal::end_at(LogIndex last) const {
  if (last == end().last) return end();
  if (last == active_.start().last) return active_.start();
  if (last.value + 1 < first().value || last > end().last) return std::nullopt;
  if (last.value + 1 == first().value) return sealed_.empty() ? active_.start() : sealed_.front().start;
  const auto scan = places_around(last);
  if (!scan) return tl::unexpected(scan.error());
  for (const BatchPlace& place : scan->batches)
    if (place.end.last == last) return place.end;
  return std::nullopt;
}

Status Journal::close() {
  if (Status status = mark_synced(); !status) return status;
  return active_.sync();
}

LogIndex Journal::first() const {
  return sealed_.empty() ? next(active_.start().last) : sealed_.front().first;
}

ByteCount Journal::data_bytes() const {
  ByteCount total = active_.data_bytes();
  for (const Sealed& full : sealed_) total += full.data_bytes;
  return total;
}

Result<SegmentScan> Journal::places_around(LogIndex index) const {
  SegmentScan scan;
  if (index > active_.start().last) {
    scan.name = active_.name();
    scan.batches = active_.batches();
    return scan;
  }
  const auto holder = std::find_if(sealed_.begin(), sealed_.end(),
                                   [index](const Sealed& full) { return full.end.last >= index; });
  ENSURE(holder != sealed_.end() && holder->first <= index, index.value);
  const std::string name = segment_name(holder->number);
  auto file = files_->open(folder_ + "/" + name);
  if (!file) return tl::unexpected(file.error());
  scan = scan_segment(**file, name, ScanDepth::Identifiers, holder->start);
  if (scan.readable && scan.end == holder->end) return scan;
  return fault(FaultKind::BadData, "the journal was damaged while in use: " + folder_ + "/" + name +
                                       ": its identifiers are no longer those that were verified");
}

}  // namespace cidbus
