#include "broker/tool/segment_walk.h"

namespace cidbus {

Result<QuietFolder> open_quietly(FileSystem& files, const std::string& folder) {
  const auto scan = scan_vote_file(files, folder);
  if (!scan && scan.error().kind == FaultKind::NotFound)
    return fault(FaultKind::BadUsage, folder + " is no broker's data folder: it has no file '" +
                                          vote_file_name + "'; give the folder that --data named");
  if (!scan) return tl::unexpected(scan.error());
  if (!scan->slots[0] && !scan->slots[1])
    return fault(FaultKind::BadData, "both copies in the vote file " + folder + "/" + vote_file_name +
                                         " are damaged, so whose journal this is cannot be told");
  auto lock = files.lock(folder);
  if (!lock) return tl::unexpected(lock.error());
  return QuietFolder{std::move(*lock), *scan->slots[scan->newest()], scan->damage};
}

Status walk_segments(FileSystem& files, const std::string& journal_folder, const OnSegment& on_segment) {
  const auto names = files.list(journal_folder);
  if (!names) return tl::unexpected(names.error());
  std::optional<ChainEnd> before = ChainEnd{};  // what the first batch of all follows
  std::uint64_t expected = 1;
  for (const std::string& name : *names) {
    const auto number = parse_segment_name(name);
    if (!number) continue;
    auto file = files.open(journal_folder + "/" + name);
    if (!file) return tl::unexpected(file.error());
    if (*number != expected) before.reset();
    const SegmentScan scan = scan_segment(**file, name, ScanDepth::Everything, before);
    if (!on_segment(scan, **file)) return {};
    before = scan.readable ? std::optional(scan.end) : std::nullopt;
    expected = *number + 1;
  }
  return {};
}

std::optional<Bytes> read_batch(File& file, const BatchPlace& place) {
  if (!place.intact) return std::nullopt;
  Bytes bytes(place.length);
  const auto count = file.read(place.offset, bytes);
  if (!count || *count != bytes.size()) return std::nullopt;
  const auto batch = BatchView::parse(bytes);
  if (!batch || batch->header().end() != place.end) return std::nullopt;
  return bytes;
}

}  // namespace cidbus
