#include "broker/journal/journal_scan.h"

#include <algorithm>
#include <utility>

namespace cidbus {
namespace {

class JournalScanner {
 public:
  JournalScanner(FileSystem& files, std::string folder, const JournalOwner& owner)
      : files_(files), folder_(std::move(folder)), owner_(owner) {}

  Result<JournalScan> run() {
    const auto names = files_.list(folder_);
    if (!names) return tl::unexpected(names.error());
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : *names) {
      if (const auto number = parse_segment_name(name)) {
        numbers.push_back(*number);
      } else if (name.starts_with("segment-") && name.ends_with(".new")) {
        result_.leftovers.push_back(name);
      }
    }
    std::sort(numbers.begin(), numbers.end());
    for (const std::uint64_t number : numbers) on_segment(number);
    at_the_end();
    std::reverse(result_.leftovers.begin(), result_.leftovers.end());
    return std::move(result_);
  }

 private:
  void damaged(const std::string& name, std::string what) {
    result_.damage.push_back({FindingKind::Hole, name, 0, {}, {}, std::move(what)});
  }

  void on_segment(std::uint64_t number) {
    const std::string name = segment_name(number);
    auto scan = read(name, number);
    if (scan.readable && scan.header.begins_anew) begin_anew(scan.header.base);
    if (cut_off_) return result_.leftovers.push_back(name);
    SegmentScan* before = result_.segments.empty() ? nullptr : &result_.segments.back();
    if (before != nullptr && before->header.number + 1 != number && before->readable)
      damaged(segment_name(before->header.number + 1), "the file is missing");
    // The last segment that holds something is never freed: an empty one is first only in a new journal.
    if (before == nullptr && number != 1 && scan.readable && scan.empty() && !scan.header.begins_anew)
      damaged(segment_name(number - 1), "the file is missing: what is there comes behind it, and is empty");
    if (before != nullptr && before->readable && !before->sealed && !goes_on(*before, scan)) {
      result_.leftovers.push_back(name);
      return;
    }
    if (!scan.empty() && !result_.segments.empty())
      durable_through_ = std::max(durable_through_, scan.start.last);
    take(std::move(scan));
  }

  // Verifies a segment as the one that comes after those read so far.
  SegmentScan read(const std::string& name, std::uint64_t number) {
    SegmentScan scan;
    scan.name = name;
    scan.header.number = number;
    auto file = files_.open(folder_ + "/" + name);
    if (!file) {
      scan.findings.push_back({FindingKind::Hole, name, 0, {}, {}, file.error().message});
      return scan;
    }
    (*file)->forget_cache();  // a failed sync leaves there what is on no disk
    std::optional<ChainEnd> start;
    if (number == 1) start = ChainEnd{};
    if (!result_.segments.empty() && result_.segments.back().readable &&
        result_.segments.back().header.number + 1 == number)
      start = result_.segments.back().end;
    scan = scan_segment(**file, name, ScanDepth::Everything, start);
    scan.header.number = number;
    const bool ours = scan.header.cluster == owner_.cluster && scan.header.incarnation == owner_.incarnation;
    if (scan.readable && !ours) {
      scan.readable = false;
      scan.findings.assign(1, {FindingKind::Hole, name, 0, {}, {}, "it is of another broker's journal"});
    }
    return scan;
  }

  // Whether a segment is used though the one before it was not sealed.
  bool goes_on(SegmentScan& before, const SegmentScan& scan) {
    if (before.ends_with_cut) {
      cut_off_ = true;
      return false;
    }
    if (!scan.readable) {
      // Its predecessor was still in use, so nothing was ever acknowledged from it.
      result_.mended.push_back(
          {FindingKind::Mended, scan.name, 0, {}, {}, "a segment not yet in use is damaged"});
      return false;
    }
    if (scan.empty()) return true;
    result_.mended.push_back({FindingKind::Mended, before.name, seal_offset, {}, {}, "its seal was missing"});
    before.mends.emplace_back(seal_offset, encode(Seal{before.slots, before.end}));
    before.sealed = true;
    return true;
  }

  // A journal begun anew makes all before it left over, findings and all.
  void begin_anew(const ChainEnd& base) {
    for (const SegmentScan& segment : result_.segments) result_.leftovers.push_back(segment.name);
    result_.segments.clear();
    result_.holes.clear();
    result_.damage.clear();
    result_.mended.clear();
    result_.claim = base;
    durable_through_ = base.last;
    cut_off_ = false;
  }

  void take(SegmentScan scan) {
    result_.highest_office = std::max(result_.highest_office, scan.highest_office);
    for (const BatchPlace& place : scan.batches)
      if (!place.intact) result_.holes.push_back({scan.header.number, place});
    if (!scan.empty()) {
      result_.claim = scan.end;
      // One segment's batches are enough to go on writing; those of all would be a matter of memory.
      for (SegmentScan& segment : result_.segments) segment.batches = {};
      durable_through_ = std::max(durable_through_, scan.sealed ? scan.end.last : scan.synced_through);
    }
    result_.segments.push_back(std::move(scan));
  }

  void at_the_end() {
    if (result_.segments.empty()) {
      result_.beyond_refilling = true;
      return damaged(segment_name(1), "the file is missing: the journal is gone");
    }
    const SegmentScan& last = result_.segments.back();
    if (last.readable && last.sealed)
      damaged(segment_name(last.header.number + 1),
              "the file is missing; it held the records after " + std::to_string(last.end.last.value));
    for (const SegmentScan& segment : result_.segments)
      for (const Finding& finding : segment.findings) sort_in(finding);
    if (result_.cut_from)
      std::erase_if(result_.holes,
                    [this](const JournalHole& hole) { return hole.place.first >= *result_.cut_from; });
    const auto has_identity = [this](const Finding& finding) {
      return std::any_of(result_.holes.begin(), result_.holes.end(), [&finding](const JournalHole& hole) {
        return hole.place.first == finding.first && hole.place.end.last == finding.last;
      });
    };
    result_.beyond_refilling = !std::all_of(result_.damage.begin(), result_.damage.end(), has_identity);
  }

  void sort_in(const Finding& finding) {
    if (finding.kind == FindingKind::Mended) return result_.mended.push_back(finding);
    if (finding.kind == FindingKind::Torn) return result_.torn.push_back(finding);
    if (finding.first.value == 0 || finding.first <= durable_through_)
      return result_.damage.push_back(finding);
    result_.torn.push_back(finding);
    result_.cut_from = std::min(result_.cut_from.value_or(finding.first), finding.first);
  }

  FileSystem& files_;
  std::string folder_;
  JournalOwner owner_;
  JournalScan result_;
  LogIndex durable_through_;  // records up to here were certainly synced
  bool cut_off_ = false;      // a cut took every later segment out of the journal
};

}  // namespace

Result<JournalScan> scan_journal(FileSystem& files, const std::string& folder, const JournalOwner& owner) {
  return JournalScanner(files, folder, owner).run();
}

}  // namespace cidbus
