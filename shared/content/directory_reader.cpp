#include "shared/content/directory_reader.h"

#include "shared/base/ensure.h"
#include "shared/content/prefetch_window.h"

namespace cidbus {

namespace {

tl::unexpected<Fault> bad_shard(const Cid& cid, const std::string& why) {
  return fault(FaultKind::BadData, "block " + to_text(cid) + ": " + why);
}

bool leads_to_shard(const HamtShape& shape, const DagPbLink& link) {
  return link.name.size() == shape.prefix_characters();
}

// The shard below a link, which must be of its parent's shape and hold something.
Result<UnixFsNode> load_shard(BlockSource& source, const HamtShape& shape, const Cid& cid, unsigned level) {
  if (level >= shape.levels()) return bad_shard(cid, "a sharded folder deeper than its hash");
  auto shard = load_node(source, cid);
  if (!shard) return shard;
  if (!shard->shape || shard->shape->fanout() != shape.fanout()) {
    return bad_shard(cid, "a shard of a folder is of another kind than the folder");
  }
  if (shard->links.empty()) return bad_shard(cid, "a shard of a folder is empty");
  return shard;
}

class ShardListing {
 public:
  ShardListing(BlockSource& source, const HamtShape& shape, const EntryVisitor& visit)
      : source_(source), shape_(shape), visit_(visit) {}

  // `path` is the bits of the hash that lead to this shard.
  Result<Visit> list(const UnixFsNode& shard, unsigned level, std::uint64_t path) {
    PrefetchWindow window(source_, limits::prefetch_blocks);
    const auto shard_link = [&](std::size_t index) {
      return leads_to_shard(shape_, shard.links[index]) ? &shard.links[index].cid : nullptr;
    };
    const auto cost = [&](std::size_t index) { return leads_to_shard(shape_, shard.links[index]) ? 1U : 0U; };
    for (std::size_t index = 0; index < shard.links.size(); ++index) {
      const DagPbLink& link = shard.links[index];
      const std::uint64_t below = path * shape_.fanout() + *shape_.parse_prefix(link.name);
      Result<Visit> visited = Visit::Continue;
      if (leads_to_shard(shape_, link)) {
        window.advance(index, shard.links.size(), shard_link, cost);
        const auto child = load_shard(source_, shape_, link.cid, level + 1);
        if (!child) return tl::unexpected(child.error());
        visited = list(*child, level + 1, below);
      } else {
        visited = give(shard, link, level, below);
      }
      if (!visited || *visited == Visit::Stop) return visited;
    }
    return Visit::Continue;
  }

 private:
  Result<Visit> give(const UnixFsNode& shard, const DagPbLink& link, unsigned level, std::uint64_t path) {
    const std::string_view name = link.name.substr(shape_.prefix_characters());
    std::uint64_t expected = 0;
    const std::uint64_t hash = murmur3_x64_64(as_bytes(name));
    for (unsigned above = 0; above <= level; ++above) {
      expected = expected * shape_.fanout() + shape_.bucket(hash, above);
    }
    if (expected != path) return bad_shard(shard.cid, "an entry stands where its name does not belong");
    return visit_({name, link.cid, link.tsize});
  }

  BlockSource& source_;
  HamtShape shape_;
  const EntryVisitor& visit_;
};

Result<std::optional<Cid>> find_in_block(const UnixFsNode& directory, std::string_view name) {
  for (const DagPbLink& link : directory.links) {
    if (link.name == name) return link.cid;
  }
  return std::optional<Cid>();
}

Result<std::optional<Cid>> find_in_shards(BlockSource& source, const UnixFsNode& root,
                                          std::string_view name) {
  const HamtShape shape = *root.shape;
  const std::uint64_t hash = murmur3_x64_64(as_bytes(name));
  UnixFsNode shard = root;
  for (unsigned level = 0;; ++level) {
    const std::string prefix = shape.prefix(shape.bucket(hash, level));
    const DagPbLink* found = nullptr;
    for (const DagPbLink& link : shard.links) {
      if (link.name.starts_with(prefix)) found = &link;
    }
    if (found == nullptr) return std::optional<Cid>();
    if (!leads_to_shard(shape, *found)) {
      if (found->name.substr(prefix.size()) == name) return found->cid;
      return std::optional<Cid>();
    }
    auto next = load_shard(source, shape, found->cid, level + 1);
    if (!next) return tl::unexpected(next.error());
    shard = *std::move(next);
  }
}

}  // namespace

Status list_directory(BlockSource& source, const UnixFsNode& directory, const EntryVisitor& visit) {
  ENSURE(directory.kind == NodeKind::Directory);
  if (directory.shape) {
    const auto visited = ShardListing(source, *directory.shape, visit).list(directory, 0, 0);
    return visited ? Status() : Status(tl::unexpected(visited.error()));
  }
  for (const DagPbLink& link : directory.links) {
    const auto visited = visit({link.name, link.cid, link.tsize});
    if (!visited) return tl::unexpected(visited.error());
    if (*visited == Visit::Stop) break;
  }
  return {};
}

Result<std::optional<Cid>> find_entry(BlockSource& source, const UnixFsNode& directory,
                                      std::string_view name) {
  ENSURE(directory.kind == NodeKind::Directory);
  return directory.shape ? find_in_shards(source, directory, name) : find_in_block(directory, name);
}

}  // namespace cidbus
