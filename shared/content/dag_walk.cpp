#include "shared/content/dag_walk.h"

#include <unordered_set>
#include <utility>
#include <vector>

#include "shared/content/dag_pb.h"
#include "shared/content/prefetch_window.h"
#include "shared/content/unixfs_node.h"

namespace cidbus {

namespace {

enum class Links : std::uint8_t { None, DagPb, Unknown };

Links links_of(Codec codec) {
  switch (codec) {
    case Codec::Raw:
    case Codec::Cbor:
    case Codec::Json:
      return Links::None;
    case Codec::DagPb:
      return Links::DagPb;
    default:
      return Links::Unknown;
  }
}

class Walk {
 public:
  Walk(BlockSource& source, const CidVisitor& on_cid, const BlockVisitor& on_block)
      : source_(source), on_cid_(on_cid), on_block_(on_block) {}

  Status run(const Cid& root) {
    if (auto visited = visit(root); !visited) return visited;
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.links.size()) {
        levels_.pop_back();
        continue;
      }
      level.window.advance(
          level.next, level.links.size(),
          [&](std::size_t index) { return needs_block(level.links[index]) ? &level.links[index] : nullptr; },
          [](std::size_t) { return 1U; });
      const Cid cid = level.links[level.next++];
      if (auto visited = visit(cid); !visited) return visited;
    }
    return {};
  }

 private:
  struct Level {
    std::vector<Cid> links;
    std::size_t next;
    PrefetchWindow window;
  };

  [[nodiscard]] bool needs_block(const Cid& cid) const {
    return (on_block_ || links_of(cid.codec()) == Links::DagPb) && !seen_.contains(as_v1(cid));
  }

  Status visit(const Cid& cid) {
    const Links links = links_of(cid.codec());
    if (links == Links::Unknown) {
      return fault(FaultKind::BadData, "block " + to_text(cid) + ": the links of " + to_text(cid.codec()) +
                                           " are not followed here; dag-pb and raw are");
    }
    if (!cid.is_identity()) {
      if (!seen_.insert(as_v1(cid)).second) return {};
      if (seen_.size() > limits::dag_blocks) {
        return fault(FaultKind::BadData,
                     "a DAG of more than " + std::to_string(limits::dag_blocks) + " blocks");
      }
      if (on_cid_) {
        if (auto told = on_cid_(cid); !told) return told;
      }
      if (!on_block_ && links == Links::None) return {};
    }
    return fetch(cid, links);
  }

  Status fetch(const Cid& cid, Links links) {
    auto block = load_block(source_, cid);
    if (!block) return tl::unexpected(block.error());
    if (on_block_ && !cid.is_identity()) {
      if (auto told = on_block_(*block); !told) return told;
    }
    return links == Links::DagPb ? descend(cid, block->bytes()) : Status();
  }

  Status descend(const Cid& cid, ByteView bytes) {
    auto node = decode_dag_pb(bytes);
    if (!node) return fault(FaultKind::BadData, "block " + to_text(cid) + ": " + node.error().message);
    if (node->links.empty()) return {};
    if (levels_.size() == limits::dag_depth) {
      return fault(FaultKind::BadData, "block " + to_text(cid) + ": a DAG deeper than " +
                                           std::to_string(limits::dag_depth) + " levels");
    }
    std::vector<Cid> links;
    links.reserve(node->links.size());
    for (DagPbLink& link : node->links) links.push_back(std::move(link.cid));
    levels_.push_back({std::move(links), 0, PrefetchWindow(source_, limits::prefetch_blocks)});
    return {};
  }

  BlockSource& source_;
  const CidVisitor& on_cid_;
  const BlockVisitor& on_block_;
  std::vector<Level> levels_;     // the open nodes, root first
  std::unordered_set<Cid> seen_;  // as version 1
};

}  // namespace

Status walk_cids(BlockSource& source, const Cid& root, const CidVisitor& visit) {
  const BlockVisitor no_blocks;
  return Walk(source, visit, no_blocks).run(root);
}

Status walk_blocks(BlockSource& source, const Cid& root, const BlockVisitor& visit) {
  const CidVisitor no_cids;
  return Walk(source, no_cids, visit).run(root);
}

Result<DagSize> measure_dag(BlockSource& source, const Cid& root) {
  DagSize size;
  const auto walked = walk_blocks(source, root, [&](const Block& block) {
    ++size.blocks;
    size.bytes += block.bytes().size();
    return Status();
  });
  if (!walked) return tl::unexpected(walked.error());
  return size;
}

}  // namespace cidbus
