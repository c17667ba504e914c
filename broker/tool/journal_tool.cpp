#include "broker/tool/journal_tool.h"

#include <algorithm>

#include "broker/tool/record_text.h"
#include "broker/tool/segment_walk.h"

namespace cidbus {
namespace {

std::string journal_of(const std::string& folder) { return folder + "/journal"; }
std::string range(LogIndex first, LogIndex last) {
  return "records " + std::to_string(first.value) + " to " + std::to_string(last.value);
}

void print_all(const std::vector<Finding>& findings, const char* verdict, const PrintLine& print) {
  for (const Finding& finding : findings) print(to_text(finding) + " (" + verdict + ")");
}

// Prints a line a snapshot; the number of damaged ones, and the newest whole one.
struct SnapshotsFound {
  std::size_t damaged = 0;
  std::optional<SnapshotInfo> newest;
};
Result<SnapshotsFound> look_at_snapshots(FileSystem& files, const std::string& folder,
                                         const PrintLine& print) {
  SnapshotsFound found;
  const auto names = files.list(folder + "/snapshots");
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!parse_snapshot_name(name)) continue;
    const std::string path = folder + "/snapshots/" + name;
    const auto bytes = verify_snapshot(files, path);
    if (!bytes) {
      print(bytes.error().message + " (damaged)");
      ++found.damaged;
      continue;
    }
    found.newest = SnapshotReader::open(files, path)->info();
    print(name + ": whole, " + std::to_string(*bytes) + " bytes");
  }
  return found;
}

}  // namespace

Status verify_journal(FileSystem& files, const std::string& folder, const PrintLine& print) {
  const auto quiet = open_quietly(files, folder);
  if (!quiet) return tl::unexpected(quiet.error());
  for (const std::string& line : quiet->findings) print(line + " (made again at the next start)");
  print("broker " + quiet->votes.node + " of cluster " + quiet->votes.cluster + ", epoch " +
        std::to_string(quiet->votes.epoch.value) + (quiet->votes.repairing ? ", repairing" : "") +
        (quiet->votes.is_new ? " a new folder" : ""));
  const auto scan = scan_journal(files, journal_of(folder), quiet->owner());
  if (!scan) return tl::unexpected(scan.error());
  print_all(scan->mended, "mended at the next start", print);
  print_all(scan->torn, "never acknowledged, cut at the next start", print);
  print_all(scan->damage, "damaged", print);
  const auto snapshots = look_at_snapshots(files, folder, print);
  if (!snapshots) return tl::unexpected(snapshots.error());
  if (!scan->segments.empty() && scan->damage.empty())
    print("journal: whole, " +
          range(next(scan->segments.front().start.last), scan->segments.back().end.last));
  const std::size_t damaged = scan->damage.size() + snapshots->damaged;
  if (damaged == 0) return {};
  return fault(FaultKind::BadData, folder + ": " + std::to_string(damaged) +
                                       " places are damaged; see "
                                       "'cidbus-broker journal repair --help'");
}

Status dump_journal(FileSystem& files, const std::string& folder, LogIndex from, LogIndex to,
                    const PrintLine& print) {
  const auto quiet = open_quietly(files, folder);
  if (!quiet) return tl::unexpected(quiet.error());
  std::size_t damaged = 0;
  const auto on_batch = [&](const SegmentScan& scan, File& file, const BatchPlace& place) {
    if (place.end.last < from || place.first > to) return;
    const auto bytes = read_batch(file, place);
    if (!bytes) {
      ++damaged;
      return print(scan.name + " at " + std::to_string(place.offset) + ": " +
                   range(place.first, place.end.last) + ": damaged");
    }
    const auto batch = BatchView::parse(*bytes);
    for (const RecordView& record : *batch)
      if (record.index >= from && record.index <= to) print(to_text(record, place.end.epoch));
  };
  const Status walked = walk_segments(files, journal_of(folder), [&](const SegmentScan& scan, File& file) {
    if (!scan.readable) {
      ++damaged;
      print(to_text(scan.findings.front()));
    }
    for (const BatchPlace& place : scan.batches) on_batch(scan, file, place);
    return scan.end.last < to;
  });
  if (!walked || damaged == 0) return walked;
  return fault(FaultKind::BadData,
               folder + ": " + std::to_string(damaged) + " places were damaged and left out");
}

Status repair_journal(FileSystem& files, const std::string& folder, const std::string& copy,
                      const PrintLine& print) {
  const auto quiet = open_quietly(files, folder);
  if (!quiet) return tl::unexpected(quiet.error());
  const auto other = open_quietly(files, copy);
  if (!other) return tl::unexpected(other.error());
  if (other->votes.cluster != quiet->votes.cluster)
    return fault(FaultKind::BadUsage, copy + " is of cluster " + other->votes.cluster + ", not of " +
                                          quiet->votes.cluster + "; name a broker of the same group");
  JournalRecovery recovery;
  auto journal = Journal::open(files, journal_of(folder), quiet->owner(), {}, recovery, OnDamage::Keep);
  if (!journal)
    return fault(FaultKind::BadData,
                 journal.error().message +
                     "; no copy can mend that in place: put the folder back from a backup, or use "
                     "--cut");
  const std::size_t holes = journal->holes().size();
  Status refilled;
  const Status walked = walk_segments(files, journal_of(copy), [&](const SegmentScan& scan, File& file) {
    for (const BatchPlace& place : scan.batches) {
      const JournalHole* hole = journal->hole_at(place.first);
      if (hole == nullptr || hole->place.first != place.first || hole->place.end != place.end) continue;
      const auto bytes = read_batch(file, place);
      if (!bytes) continue;
      refilled = journal->refill(std::make_shared<const Bytes>(*bytes));
      if (!refilled) return false;
      print(range(place.first, place.end.last) + ": put back from " + scan.name + " of " + other->votes.node);
    }
    return !journal->holes().empty();
  });
  if (!refilled) return refilled;
  if (!walked) return walked;
  print(std::to_string(holes - journal->holes().size()) + " of " + std::to_string(holes) +
        " damaged batches put back");
  if (journal->holes().empty()) return journal->close();
  const BatchPlace& left = journal->holes().front().place;
  return fault(FaultKind::BadData, range(left.first, left.end.last) + " are damaged and not whole in " +
                                       copy + " either; try the folder of another broker");
}

}  // namespace cidbus
