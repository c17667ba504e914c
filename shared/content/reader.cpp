#include "shared/content/reader.h"

#include <algorithm>
#include <utility>

#include "shared/content/file_reader.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

// The path as far as its first `count` names.
std::string path_text(const ContentPath& path, std::size_t count) {
  std::string text = to_text(path.root);
  for (std::size_t at = 0; at < count; ++at) text += '/' + path.segments[at];
  return in_quotes(text);
}

// Why nothing can be below this node.
tl::unexpected<Fault> no_way_down(const ContentPath& path, std::size_t depth, const UnixFsNode& node) {
  if (node.kind == NodeKind::Symlink) {
    return fault(FaultKind::NotFound, path_text(path, depth) + " is a symlink to " +
                                          in_quotes(as_text(node.data)) +
                                          "; symlinks are not followed, so ask for the target's own path");
  }
  return fault(FaultKind::NotFound, path_text(path, depth) + " is a file, so there is no " +
                                        in_quotes(path.segments[depth]) + " in it");
}

}  // namespace

Result<std::vector<Cid>> Reader::resolve(const ContentPath& path) {
  std::vector<Cid> cids = {path.root};
  for (std::size_t depth = 0; depth < path.segments.size(); ++depth) {
    const auto node = load_node(source_, cids.back());
    if (!node) return tl::unexpected(node.error());
    if (node->kind != NodeKind::Directory) return no_way_down(path, depth, *node);
    auto found = find_entry(source_, *node, path.segments[depth]);
    if (!found) return tl::unexpected(found.error());
    if (!*found) {
      return fault(FaultKind::NotFound,
                   "no " + in_quotes(path.segments[depth]) + " in " + path_text(path, depth));
    }
    cids.push_back(**std::move(found));
  }
  return cids;
}

Result<NodeStat> Reader::stat(const Cid& cid) {
  const auto node = load_node(source_, cid);
  if (!node) return tl::unexpected(node.error());
  return NodeStat{cid,
                  node->kind,
                  node->shape.has_value(),
                  node->size,
                  cumulative_bytes(*node),
                  node->block.bytes().size(),
                  node->links.size()};
}

Status Reader::list(const Cid& directory, const EntryVisitor& visit) {
  const auto node = load_as(directory, NodeKind::Directory);
  return node ? list_directory(source_, *node, visit) : Status(tl::unexpected(node.error()));
}

Result<ByteCount> Reader::read(const Cid& file, ByteRange range, ByteSink& sink) {
  const auto node = load_as(file, NodeKind::File);
  if (!node) return tl::unexpected(node.error());
  const ByteCount begin = std::min(range.offset, node->size);
  const ByteCount end = begin + std::min(range.length, node->size - begin);
  if (auto read = read_file_range(source_, *node, begin, end, sink); !read)
    return tl::unexpected(read.error());
  return end - begin;
}

Result<std::string> Reader::read_symlink(const Cid& symlink) {
  const auto node = load_as(symlink, NodeKind::Symlink);
  if (!node) return tl::unexpected(node.error());
  return std::string(as_text(node->data));
}

Result<UnixFsNode> Reader::load_as(const Cid& cid, NodeKind kind) {
  auto node = load_node(source_, cid);
  if (node && node->kind != kind) {
    return fault(FaultKind::BadUsage, to_text(cid) + " is a " + to_text(node->kind) + ", and a " +
                                          to_text(kind) + " was asked for");
  }
  return node;
}

}  // namespace cidbus
