#include "shared/content/file_reader.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/content/prefetch_window.h"

namespace cidbus {

namespace {

class FileReading {
 public:
  FileReading(BlockSource& source, ByteCount begin, ByteCount end, ByteSink& sink)
      : source_(source), begin_(begin), end_(end), sink_(sink) {}

  // What of the node lies in the stretch; its first byte is byte `at` of the file.
  Status read(const UnixFsNode& node, ByteCount at, std::size_t depth) {
    if (auto written = write(node.data, at); !written) return written;
    return read_children(node, at + node.data.size(), depth);
  }

 private:
  Status write(ByteView data, ByteCount at) {
    const ByteCount from = std::max(begin_, at);
    const ByteCount to = std::min(end_, at + data.size());
    return from < to ? sink_.write(data.subspan(from - at, to - from)) : Status();
  }

  Status read_children(const UnixFsNode& node, ByteCount at, std::size_t depth) {
    const auto link = [&](std::size_t index) {
      return node.child_sizes[index] == 0 ? nullptr : &node.links[index].cid;
    };
    const auto cost = [&](std::size_t index) { return node.child_sizes[index]; };
    std::size_t first = 0;
    for (; first < node.links.size() && at + node.child_sizes[first] <= begin_; ++first) {
      at += node.child_sizes[first];
    }
    std::size_t last = first;  // behind the last child of the stretch
    for (ByteCount from = at; last < node.links.size() && from < end_; ++last) from += node.child_sizes[last];

    PrefetchWindow window(source_, limits::prefetch_bytes);
    for (std::size_t index = first; index < last; at += node.child_sizes[index], ++index) {
      if (node.child_sizes[index] == 0) continue;
      window.advance(index, last, link, cost);
      if (auto read = read_child(node, index, at, depth + 1); !read) return read;
    }
    return {};
  }

  Status read_child(const UnixFsNode& parent, std::size_t index, ByteCount at, std::size_t depth) {
    const Cid& cid = parent.links[index].cid;
    if (depth > limits::dag_depth) {
      return fault(FaultKind::BadData, "block " + to_text(cid) + ": a file deeper than " +
                                           std::to_string(limits::dag_depth) + " levels");
    }
    const auto child = load_node(source_, cid);
    if (!child) return tl::unexpected(child.error());
    if (child->kind != NodeKind::File) {
      return fault(FaultKind::BadData,
                   "block " + to_text(cid) + ": a part of a file is a " + to_text(child->kind));
    }
    if (child->size != parent.child_sizes[index]) {
      return fault(FaultKind::BadData, "block " + to_text(cid) + ": it holds " + std::to_string(child->size) +
                                           " bytes where " + to_text(parent.cid) + " promises " +
                                           std::to_string(parent.child_sizes[index]));
    }
    return read(*child, at, depth);
  }

  BlockSource& source_;
  ByteCount begin_;
  ByteCount end_;
  ByteSink& sink_;
};

}  // namespace

Status read_file_range(BlockSource& source, const UnixFsNode& root, ByteCount begin, ByteCount end,
                       ByteSink& sink) {
  ENSURE(root.kind == NodeKind::File);
  ENSURE(begin <= end && end <= root.size, begin, end, root.size);
  if (begin == end) return {};
  return FileReading(source, begin, end, sink).read(root, 0, 0);
}

}  // namespace cidbus
