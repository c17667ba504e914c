// A journal made of what can be read without a gap; everything that was there is kept under other names.
#include <optional>

#include "broker/tool/journal_tool.h"
#include "broker/tool/segment_walk.h"

namespace cidbus {
namespace {

struct Chain {
  ChainEnd base;  // what its first batch follows
  ChainEnd end;
  LogIndex last_seen;  // of any identifier
  struct Part {
    std::string segment;
    BatchPlace place;
  };
  std::vector<Part> parts;
};

// The newest snapshot that is whole.
Result<ChainEnd> newest_snapshot(FileSystem& files, const std::string& folder) {
  ChainEnd newest;
  const auto names = files.list(folder + "/snapshots");
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    const std::string path = folder + "/snapshots/" + name;
    if (parse_snapshot_name(name) && verify_snapshot(files, path))
      newest = SnapshotReader::open(files, path)->info().last;
  }
  return newest;
}

Result<Chain> readable_chain(FileSystem& files, const std::string& folder, const ChainEnd& base) {
  Chain chain{base, base, {}, {}};
  const Status walked = walk_segments(files, folder, [&chain](const SegmentScan& scan, File& file) {
    chain.last_seen = std::max(chain.last_seen, scan.end.last);
    for (const BatchPlace& place : scan.batches) {
      if (place.first != next(chain.end.last)) continue;
      const auto bytes = read_batch(file, place);
      if (!bytes || !BatchView::parse(*bytes)->header().follows(chain.end)) continue;
      chain.parts.push_back({scan.name, place});
      chain.end = place.end;
    }
    return true;
  });
  if (!walked) return tl::unexpected(walked.error());
  return chain;
}

Status copy_chain(FileSystem& files, const std::string& folder, const Chain& chain, Journal& journal) {
  std::unique_ptr<File> file;
  std::string open_segment;
  for (const Chain::Part& part : chain.parts) {
    if (part.segment != open_segment) {
      auto opened = files.open(folder + "/" + part.segment + ".damaged");
      if (!opened) return tl::unexpected(opened.error());
      file = std::move(*opened);
      open_segment = part.segment;
    }
    auto bytes = read_batch(*file, part.place);
    if (!bytes) return fault(FaultKind::Failed, part.segment + " reads differently now; check this disk");
    const NewBatch batch{std::make_shared<const Bytes>(std::move(*bytes)), part.place.office};
    if (Status status = journal.append({&batch, 1}); !status) return status;
  }
  return journal.close();
}

}  // namespace

Status cut_journal(FileSystem& files, const std::string& folder, const PrintLine& print) {
  const auto quiet = open_quietly(files, folder);
  if (!quiet) return tl::unexpected(quiet.error());
  const std::string journal_folder = folder + "/journal";
  const auto scan = scan_journal(files, journal_folder, quiet->owner());
  if (!scan) return tl::unexpected(scan.error());
  if (scan->damage.empty()) return print("the journal is whole: nothing is cut"), Status{};
  const auto base = newest_snapshot(files, folder);
  if (!base) return tl::unexpected(base.error());
  const auto chain = readable_chain(files, journal_folder, *base);
  if (!chain) return tl::unexpected(chain.error());
  // The votes stay: whatever office the lost records belonged to, the next one is later.
  if (Status status = Journal::set_aside(files, journal_folder, quiet->owner(), {}, *base); !status)
    return status;
  JournalRecovery recovery;
  auto journal = Journal::open(files, journal_folder, quiet->owner(), {}, recovery);
  if (!journal) return tl::unexpected(journal.error());
  if (Status status = copy_chain(files, journal_folder, *chain, *journal); !status) return status;
  print("kept up to record " + std::to_string(chain->end.last.value) + "; records from " +
        std::to_string(next(chain->end.last).value) + " on, at least to " +
        std::to_string(chain->last_seen.value) + ", are lost; the old files are in " + journal_folder +
        ", with names that end in .damaged");
  return {};
}

}  // namespace cidbus
