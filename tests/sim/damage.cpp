#include "tests/sim/damage.h"

#include <algorithm>
#include <vector>

#include "broker/journal/segment_format.h"
#include "broker/journal/vote_file.h"
#include "shared/base/ensure.h"

namespace cidbus::sim {
namespace {

constexpr const char* folder = "data";

std::vector<std::string> files_in(const SimulatedDisk& files, const std::string& beginning) {
  std::vector<std::string> found;
  for (const std::string& path : files.paths())
    if (path.starts_with(folder + beginning) && !path.ends_with(".damaged")) found.push_back(path);
  return found;
}

// Flips some bits of the sectors between the two offsets that hold anything.
bool rot(SimulatedDisk& files, Prng& prng, const std::string& path, ByteCount from, ByteCount to) {
  const Bytes contents = files.contents(path);
  std::vector<ByteCount> sectors;
  for (ByteCount at = from; at + sector_bytes <= std::min<ByteCount>(to, contents.size());
       at += sector_bytes) {
    const ByteView sector = ByteView(contents).subspan(at, sector_bytes);
    if (std::any_of(sector.begin(), sector.end(), [](auto byte) { return byte != 0; })) sectors.push_back(at);
  }
  if (sectors.empty()) return false;
  const std::uint64_t count = prng.between(1, 4);
  // What was written last hurts most.
  const bool near_the_end = prng.chance(1, 2);
  const std::uint64_t among = near_the_end ? std::min<std::uint64_t>(sectors.size(), 8) : sectors.size();
  for (std::uint64_t done = 0; done < count; ++done) {
    const ByteCount sector = sectors[sectors.size() - 1 - prng.below(among)];
    files.flip_bit(path, sector + prng.below(sector_bytes), static_cast<unsigned>(prng.below(8)));
  }
  return true;
}

std::string damage_segment(SimulatedDisk& files, Prng& prng, bool may_lose) {
  const std::vector<std::string> segments = files_in(files, "/journal/segment-");
  if (segments.empty()) return {};
  const std::string& path = segments[prng.chance(1, 2) ? segments.size() - 1 : prng.below(segments.size())];
  const auto header = decode_segment_header(ByteView(files.contents(path)).first(structure_bytes));
  if (!header.found) return {};
  const ByteCount head = header.found->head_bytes;
  switch (prng.below(may_lose ? 6 : 2)) {
    case 0:
    case 1:
      return rot(files, prng, path, head, ~ByteCount{0}) ? "bits of batches rot" : "";
    case 2:
      return rot(files, prng, path, 0, head) ? "bits of identifiers rot" : "";
    case 3:
      files.truncate(path, prng.below(files.contents(path).size()));
      return "a segment is cut short";
    case 4:
      files.remove_file(path);
      return "a segment is lost";
    default:
      for (const std::string& each : segments) files.remove_file(each);
      return "the journal is lost";
  }
}

std::string damage_snapshot(SimulatedDisk& files, Prng& prng) {
  const std::vector<std::string> snapshots = files_in(files, "/snapshots/");
  if (snapshots.empty()) return {};
  const std::string& path = snapshots[prng.below(snapshots.size())];
  if (prng.chance(1, 2)) return rot(files, prng, path, 0, ~ByteCount{0}) ? "bits of a snapshot rot" : "";
  files.remove_file(path);
  return "a snapshot is lost";
}

std::string damage_votes(SimulatedDisk& files, Prng& prng) {
  const auto scan = scan_vote_file(files, folder);
  if (!scan || !scan->slots[0] || !scan->slots[1] || scan->sequences[0] != scan->sequences[1]) return {};
  const std::string path = std::string(folder) + "/" + vote_file_name;
  const ByteCount half = files.contents(path).size() / 2;
  const ByteCount begin = prng.chance(1, 2) ? half : 0;
  return rot(files, prng, path, begin, begin + half) ? "bits of a vote rot" : "";
}

}  // namespace

std::string damage_some(SimulatedDisk& files, Prng& prng, bool may_lose) {
  const std::uint64_t kind = prng.below(8);
  if (kind == 0) return damage_votes(files, prng);
  if (kind <= 2 && may_lose) return damage_snapshot(files, prng);
  return damage_segment(files, prng, may_lose);
}

}  // namespace cidbus::sim
