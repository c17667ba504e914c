#include "shared/content/unixfs_node.h"

#include <limits>
#include <utility>

namespace cidbus {

namespace {

constexpr ByteCount most_bytes = std::numeric_limits<ByteCount>::max();

tl::unexpected<Fault> bad_node(const Cid& cid, const std::string& why) {
  return fault(FaultKind::BadData, "block " + to_text(cid) + ": " + why);
}

Status check_file(UnixFsNode& node, const UnixFsData& data) {
  if (node.links.size() != node.child_sizes.size())
    return bad_node(node.cid, "its links and sizes do not match");
  node.size = node.data.size();
  for (std::size_t at = 0; at < node.links.size(); ++at) {
    if (!node.links[at].name.empty()) return bad_node(node.cid, "a part of a file has a name");
    if (node.child_sizes[at] > most_bytes - node.size)
      return bad_node(node.cid, "its sizes add up to too much");
    node.size += node.child_sizes[at];
  }
  if (data.file_size && *data.file_size != node.size) {
    return bad_node(node.cid, "it says " + std::to_string(*data.file_size) + " bytes and holds " +
                                  std::to_string(node.size));
  }
  return {};
}

Status check_symlink(UnixFsNode& node) {
  if (node.data.empty()) return bad_node(node.cid, "a symlink without a target");
  if (as_text(node.data).find('\0') != std::string_view::npos) {
    return bad_node(node.cid, "a symlink's target holds a NUL byte");
  }
  node.size = node.data.size();
  return {};
}

Status check_shard(UnixFsNode& node, const UnixFsData& data) {
  node.shape = HamtShape::of(data.fanout.value_or(0));
  if (!node.shape) return bad_node(node.cid, "a sharded folder with a fanout that is not allowed");
  if (data.hash_type != hamt_murmur3) return bad_node(node.cid, "a sharded folder with an unknown hash");
  const ByteView bitfield = node.data;
  if (bitfield.size() > node.shape->fanout() / 8 || bitfield_count(bitfield) != node.links.size()) {
    return bad_node(node.cid, "a sharded folder whose bitfield does not match its links");
  }
  std::optional<unsigned> last;
  for (const DagPbLink& link : node.links) {
    const auto bucket = node.shape->parse_prefix(link.name);
    if (!bucket || (last && *bucket <= *last) || !bitfield_has(bitfield, *bucket)) {
      return bad_node(node.cid, "a sharded folder with a link out of place");
    }
    last = bucket;
  }
  return {};
}

// Kind and invariants by the type that the Data message names.
Status settle_kind(UnixFsNode& node, const UnixFsData& data) {
  switch (data.type) {
    case UnixFsType::Raw:
    case UnixFsType::File:
      node.kind = NodeKind::File;
      return check_file(node, data);
    case UnixFsType::Directory:
      node.kind = NodeKind::Directory;
      return {};
    case UnixFsType::HamtShard:
      node.kind = NodeKind::Directory;
      return check_shard(node, data);
    case UnixFsType::Symlink:
      node.kind = NodeKind::Symlink;
      return check_symlink(node);
    case UnixFsType::Metadata:
      break;
  }
  return bad_node(node.cid, "UnixFS metadata nodes are not read here");
}

}  // namespace

Result<Block> load_block(BlockSource& source, const Cid& cid) {
  if (cid.is_identity()) return Block(cid, to_bytes(cid.identity_content()));
  return source.get(cid);
}

Result<UnixFsNode> load_node(BlockSource& source, const Cid& cid) {
  auto block = load_block(source, cid);
  if (!block) return tl::unexpected(block.error());
  return decode_node(cid, *std::move(block));
}

Result<UnixFsNode> decode_node(const Cid& cid, Block block) {
  UnixFsNode node;
  node.cid = cid;
  node.block = std::move(block);
  if (cid.codec() == Codec::Raw) {
    node.data = node.block.bytes();
    node.size = node.data.size();
    return node;
  }
  if (cid.codec() != Codec::DagPb) {
    return bad_node(cid, to_text(cid.codec()) + " is neither a file nor a folder; dag-pb and raw are");
  }
  auto dag_pb = decode_dag_pb(node.block.bytes());
  if (!dag_pb) return bad_node(cid, dag_pb.error().message);
  if (!dag_pb->data) return bad_node(cid, "dag-pb without UnixFS data is neither a file nor a folder");
  auto data = decode_unixfs(*dag_pb->data);
  if (!data) return bad_node(cid, data.error().message);
  node.links = std::move(dag_pb->links);
  node.child_sizes = std::move(data->block_sizes);
  node.data = data->data.value_or(ByteView());
  if (auto settled = settle_kind(node, *data); !settled) return tl::unexpected(settled.error());
  return node;
}

ByteCount cumulative_bytes(const UnixFsNode& node) {
  ByteCount total = node.block.bytes().size();
  for (const DagPbLink& link : node.links) {
    if (link.tsize > most_bytes - total) return most_bytes;
    total += link.tsize;
  }
  return total;
}

}  // namespace cidbus
