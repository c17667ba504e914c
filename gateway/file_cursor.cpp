#include "gateway/file_cursor.h"

#include <algorithm>
#include <string>

#include "shared/base/ensure.h"

namespace cidbus {

FileCursor::Level::Level(UnixFsNode of, ByteCount from, BlockSource& hints)
    : node(std::move(of)), first(from) {
  rewind(hints);
}

void FileCursor::Level::rewind(BlockSource& hints) {
  child = 0;
  child_first = first + node.data.size();
  window.emplace(hints, limits::prefetch_bytes);
}

FileCursor::FileCursor(UnixFsNode root) {
  ENSURE(root.kind == NodeKind::File);
  levels_.emplace_back(std::move(root), 0, relay_);
}

void FileCursor::seek(const HttpRange& range) {
  ENSURE(range.first <= range.last && range.last < size(), range.first, range.last, size());
  at_ = range.first;
  end_ = range.last + 1;
  // Levels that the new place lies in are kept, rewound when it lies before where they were.
  while (levels_.size() > 1 && !covers(levels_.back())) levels_.pop_back();
  for (Level& level : levels_) {
    if (at_ < level.child_first) level.rewind(relay_);
  }
}

bool FileCursor::covers(const Level& level) const {
  return at_ >= level.first && at_ - level.first < level.node.size;
}

Result<HttpPiece> FileCursor::next(BlockSource& source, Ahead ahead) {
  ENSURE(!at_end(), at_, end_);
  relay_.to = &source;
  for (;;) {
    while (levels_.size() > 1 && !covers(levels_.back())) levels_.pop_back();
    Level& level = levels_.back();
    const ByteView data = level.node.data;
    if (at_ - level.first < data.size()) {
      const ByteCount from = at_ - level.first;
      const ByteCount count = std::min(data.size() - from, end_ - at_);
      at_ += count;
      return HttpPiece{data.subspan(from, count), std::make_shared<const Block>(level.node.block)};
    }
    if (const Status descended = descend(level, ahead); !descended) return tl::unexpected(descended.error());
  }
}

// Adds the level of the child that the next byte stands in.
Status FileCursor::descend(Level& level, Ahead ahead) {
  while (at_ - level.child_first >= level.node.child_sizes[level.child]) {
    level.child_first += level.node.child_sizes[level.child++];
  }
  const Cid& cid = level.node.links[level.child].cid;
  if (levels_.size() > limits::dag_depth) {
    return fault(FaultKind::BadData, "block " + to_text(cid) + ": a file deeper than " +
                                         std::to_string(limits::dag_depth) + " levels");
  }
  if (ahead == Ahead::Hint) hint(level);
  auto child = load_node(relay_, cid);
  if (!child) return tl::unexpected(child.error());
  const ByteCount promised = level.node.child_sizes[level.child];
  if (child->kind != NodeKind::File || child->size != promised) {
    return fault(FaultKind::BadData, "block " + to_text(cid) + " is not the " + std::to_string(promised) +
                                         " bytes of a file that " + to_text(level.node.cid) + " promises");
  }
  const ByteCount first = level.child_first;  // `level` may move
  levels_.emplace_back(*std::move(child), first, relay_);
  return {};
}

void FileCursor::hint(Level& level) {
  const auto& sizes = level.node.child_sizes;
  std::size_t end = level.child;  // behind the last child of the stretch
  ByteCount reached = level.child_first;
  // No further than the window can go.
  const ByteCount until = std::min(end_, level.child_first + 2 * limits::prefetch_bytes);
  for (; end < sizes.size() && reached < until; ++end) reached += sizes[end];
  level.window->advance(
      level.child, end,
      [&](std::size_t index) { return sizes[index] == 0 ? nullptr : &level.node.links[index].cid; },
      [&](std::size_t index) { return sizes[index]; });
}

}  // namespace cidbus
