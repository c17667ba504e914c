#include "shared/content/file_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/base/limits/content.h"
#include "shared/content/protobuf.h"

namespace cidbus {

namespace {

// A dag-pb leaf is `0a L 08 02 12 n <chunk> 18 n`: framing it where it lies spares a copy of every chunk.
constexpr std::size_t head_room = 16;
constexpr std::size_t tail_room = 16;

struct LeafFrame {
  Bytes head;
  Bytes tail;
};

LeafFrame leaf_frame(std::size_t content_bytes) {
  LeafFrame frame;
  UnixFsData data;
  Bytes message_head = encode_unixfs(data);  // the type
  if (content_bytes > 0) ProtobufWriter(message_head).length(2, content_bytes);
  ProtobufWriter(frame.tail).number(3, content_bytes);
  ProtobufWriter(frame.head).length(1, message_head.size() + content_bytes + frame.tail.size());
  ByteWriter(frame.head).raw(message_head);
  return frame;
}

}  // namespace

FileBuilder::FileBuilder(const ImportProfile& profile, BlockSink& sink)
    : profile_(profile), sink_(sink), buffer_(head_room + profile.chunk_bytes + tail_room) {
  ENSURE(profile.width >= 2, profile.width);
  ENSURE(profile.chunk_bytes >= 1 && buffer_.size() <= limits::block_bytes, profile.chunk_bytes);
  ENSURE(profile.cid_version == 1 || !profile.raw_leaves, profile.cid_version);
}

std::span<std::uint8_t> FileBuilder::space() {
  return std::span(buffer_).subspan(head_room + filled_, profile_.chunk_bytes - filled_);
}

Status FileBuilder::commit(std::size_t count) {
  ENSURE(count <= profile_.chunk_bytes - filled_, count, filled_);
  filled_ += count;
  return filled_ == profile_.chunk_bytes ? put_leaf() : Status();
}

Status FileBuilder::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto room = space();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    if (auto committed = commit(count); !committed) return committed;
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<ImportedNode> FileBuilder::finish() {
  if (filled_ > 0 || levels_.empty()) {
    if (auto put = put_leaf(); !put) return tl::unexpected(put.error());
  }
  auto root = finish_levels();
  levels_.clear();
  return root;
}

void FileBuilder::discard() {
  filled_ = 0;
  levels_.clear();
}

// Closes the open nodes from the lowest up. A single child at the top is the root itself; a single child
// further down still gets its node, so that all leaves stand at the same depth.
Result<ImportedNode> FileBuilder::finish_levels() {
  for (std::size_t level = 0;; ++level) {
    if (level + 1 == levels_.size() && levels_[level].size() == 1) {
      Child& root = levels_[level][0];
      return ImportedNode{std::move(root.cid), NodeKind::File, root.size, root.tsize,
                          static_cast<unsigned>(level)};
    }
    auto node = close_node(level);
    if (!node) return tl::unexpected(node.error());
    if (auto added = add_child(level + 1, *std::move(node)); !added) return tl::unexpected(added.error());
  }
}

Status FileBuilder::put_leaf() {
  auto leaf = profile_.raw_leaves ? put_raw_leaf() : put_dag_pb_leaf();
  filled_ = 0;
  if (!leaf) return tl::unexpected(leaf.error());
  return add_child(0, *std::move(leaf));
}

Result<FileBuilder::Child> FileBuilder::put_raw_leaf() {
  const ByteView block = ByteView(buffer_).subspan(head_room, filled_);
  Child leaf{Cid::v1(Codec::Raw, sha2_256(block)), filled_, filled_};
  if (auto put = sink_.put(leaf.cid, block); !put) return tl::unexpected(put.error());
  return leaf;
}

Result<FileBuilder::Child> FileBuilder::put_dag_pb_leaf() {
  const LeafFrame frame = leaf_frame(filled_);
  ENSURE(frame.head.size() <= head_room && frame.tail.size() <= tail_room, frame.head.size());
  const std::size_t from = head_room - frame.head.size();
  std::memcpy(buffer_.data() + from, frame.head.data(), frame.head.size());
  std::memcpy(buffer_.data() + head_room + filled_, frame.tail.data(), frame.tail.size());
  const ByteView block = ByteView(buffer_).subspan(from, frame.head.size() + filled_ + frame.tail.size());
  Child leaf{dag_pb_cid(profile_, block), filled_, block.size()};
  if (auto put = sink_.put(leaf.cid, block); !put) return tl::unexpected(put.error());
  return leaf;
}

Status FileBuilder::add_child(std::size_t level, Child child) {
  if (level == levels_.size()) levels_.emplace_back();
  if (levels_[level].size() == profile_.width) {
    auto node = close_node(level);
    if (!node) return tl::unexpected(node.error());
    if (auto added = add_child(level + 1, *std::move(node)); !added) return added;
  }
  levels_[level].push_back(std::move(child));
  return {};
}

Result<FileBuilder::Child> FileBuilder::close_node(std::size_t level) {
  UnixFsData data;
  Child node;
  std::vector<DagPbLink> links;
  links.reserve(levels_[level].size());
  for (Child& child : levels_[level]) {
    node.size += child.size;
    node.tsize += child.tsize;
    data.block_sizes.push_back(child.size);
    links.push_back({std::move(child.cid), {}, child.tsize});
  }
  levels_[level].clear();
  data.file_size = node.size;
  auto put = put_node(profile_, sink_, links, data);
  if (!put) return tl::unexpected(put.error());
  node.cid = std::move(put->cid);
  node.tsize += put->block_bytes;
  return node;
}

}  // namespace cidbus
