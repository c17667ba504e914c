#include "shared/content/directory_builder.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

std::vector<DagPbLink> links_to(const std::vector<DirectoryEntry>& entries) {
  std::vector<DagPbLink> links;
  links.reserve(entries.size());
  for (const DirectoryEntry& entry : entries) links.push_back({entry.cid, entry.name, entry.tsize});
  return links;
}

// The directory above these entries, its block being put already.
ImportedNode directory_above(const std::vector<DirectoryEntry>& entries, const PutNode& put) {
  ImportedNode directory{put.cid, NodeKind::Directory, 0, put.block_bytes, 0};
  for (const DirectoryEntry& entry : entries) {
    directory.tsize += entry.tsize;
    directory.height = std::max(directory.height, entry.height + 1);
  }
  return directory;
}

UnixFsData basic_directory() {
  UnixFsData data;
  data.type = UnixFsType::Directory;
  return data;
}

HamtShape shape_of(const ImportProfile& profile) {
  const auto shape = HamtShape::of(profile.hamt_fanout);
  ENSURE(shape.has_value(), profile.hamt_fanout);
  return *shape;
}

}  // namespace

Status check_entry_name(std::string_view name) {
  const auto bad = [&](const std::string& why) {
    return fault(FaultKind::BadUsage, "an entry cannot be named " + in_quotes(name) + ": " + why);
  };
  if (name.empty()) return bad("a name has at least one byte");
  if (name == "." || name == "..") return bad("file systems give it another meaning");
  if (name.find('/') != std::string_view::npos) return bad("'/' separates names");
  if (name.find('\0') != std::string_view::npos) return bad("it holds a NUL byte");
  if (name.size() > limits::entry_name_bytes) {
    return bad("it has " + std::to_string(name.size()) + " bytes, where " +
               std::to_string(limits::entry_name_bytes) + " are the most");
  }
  return {};
}

DirectoryBuilder::DirectoryBuilder(const ImportProfile& profile, BlockSink& sink)
    : profile_(profile), sink_(sink), shape_(shape_of(profile)) {}

Status DirectoryBuilder::add(DirectoryEntry entry) {
  if (auto checked = check_entry_name(entry.name); !checked) return checked;
  ENSURE(!entry.cid.is_null());
  if (entries_.size() == limits::directory_entries) {
    return fault(FaultKind::BadUsage, "a folder holds at most " + std::to_string(limits::directory_entries) +
                                          " entries; spread them over several");
  }
  entries_.push_back(std::move(entry));
  return {};
}

Result<ImportedNode> DirectoryBuilder::finish() {
  std::sort(entries_.begin(), entries_.end(),
            [](const DirectoryEntry& left, const DirectoryEntry& right) { return left.name < right.name; });
  const auto twice = std::adjacent_find(
      entries_.begin(), entries_.end(),
      [](const DirectoryEntry& left, const DirectoryEntry& right) { return left.name == right.name; });
  Result<ImportedNode> directory = tl::unexpected(Fault());
  if (twice != entries_.end()) {
    directory = fault(FaultKind::BadUsage, "a folder cannot hold " + in_quotes(twice->name) + " twice");
  } else {
    directory = needs_shards() ? put_sharded() : put_basic();
  }
  entries_.clear();
  return directory;
}

bool DirectoryBuilder::needs_shards() const {
  std::size_t links_bytes = 0;
  std::size_t block_bytes = encoded_data_bytes(encode_unixfs(basic_directory()).size());
  for (const DirectoryEntry& entry : entries_) {
    const std::size_t cid_bytes = entry.cid.bytes().size();
    links_bytes += entry.name.size() + cid_bytes;
    block_bytes += encoded_link_bytes(cid_bytes, entry.name.size(), entry.tsize);
  }
  return (profile_.sharding == ShardingRule::LinksBytes ? links_bytes : block_bytes) >
         profile_.sharding_threshold;
}

Result<ImportedNode> DirectoryBuilder::put_basic() {
  const auto put = put_node(profile_, sink_, links_to(entries_), basic_directory());
  if (!put) return tl::unexpected(put.error());
  return directory_above(entries_, *put);
}

Result<ImportedNode> DirectoryBuilder::put_sharded() {
  std::vector<Hashed> hashed;
  hashed.reserve(entries_.size());
  for (const DirectoryEntry& entry : entries_)
    hashed.push_back({murmur3_x64_64(as_bytes(entry.name)), &entry});
  std::sort(hashed.begin(), hashed.end(),
            [](const Hashed& left, const Hashed& right) { return left.hash < right.hash; });
  return put_shard(hashed, 0);
}

// The entries share their buckets down to this level and are sorted by hash, so each bucket is a stretch of
// them.
Result<ImportedNode> DirectoryBuilder::put_shard(std::span<const Hashed> entries, unsigned level) {
  if (level == shape_.levels()) {
    return fault(FaultKind::BadUsage, "the names " + in_quotes(entries[0].entry->name) + " and " +
                                          in_quotes(entries[1].entry->name) +
                                          " have one hash, so no sharded folder holds both; rename one");
  }
  HamtBitfield bitfield(shape_);
  std::vector<DirectoryEntry> links;
  while (!entries.empty()) {
    const unsigned bucket = shape_.bucket(entries[0].hash, level);
    const auto end = std::find_if(entries.begin(), entries.end(), [&](const Hashed& hashed) {
      return shape_.bucket(hashed.hash, level) != bucket;
    });
    const auto count = static_cast<std::size_t>(end - entries.begin());
    auto link = shard_entry(entries.first(count), bucket, level);
    if (!link) return tl::unexpected(link.error());
    bitfield.set(bucket);
    links.push_back(*std::move(link));
    entries = entries.subspan(count);
  }
  UnixFsData data;
  data.type = UnixFsType::HamtShard;
  data.data = bitfield.trimmed();
  data.hash_type = hamt_murmur3;
  data.fanout = shape_.fanout();
  const auto put = put_node(profile_, sink_, links_to(links), data);
  if (!put) return tl::unexpected(put.error());
  return directory_above(links, *put);
}

Result<DirectoryEntry> DirectoryBuilder::shard_entry(std::span<const Hashed> entries, unsigned bucket,
                                                     unsigned level) {
  if (entries.size() == 1) {
    const DirectoryEntry& entry = *entries[0].entry;
    return DirectoryEntry{shape_.prefix(bucket) + entry.name, entry.cid, entry.tsize, entry.height};
  }
  auto shard = put_shard(entries, level + 1);
  if (!shard) return tl::unexpected(shard.error());
  return DirectoryEntry{shape_.prefix(bucket), shard->cid, shard->tsize, shard->height};
}

}  // namespace cidbus
