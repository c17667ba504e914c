// Walks a file's bytes a block at a time, on demand: what a response is made of while its client reads.
//
// The reader of shared/content pushes a whole stretch and keeps its thread until the end; a client that reads
// slowly would keep one for hours. This gives one piece a call, from whatever source the call brings, and a
// call that failed may be made again with another source.
//
// Invariants
//  1. A fault leaves the cursor where it was.
//  2. Every block is held against the size that its parent promises before a byte of it goes out.
//  3. Only blocks that hold bytes of the stretch, or lead to such, are asked for.
//
// Thread rule: one thread at a time. Limits: limits::dag_depth levels, one decoded node of each.
#pragma once

#include <optional>
#include <vector>

#include "gateway/routes/conditions.h"
#include "shared/base/limits/content.h"
#include "shared/content/prefetch_window.h"
#include "shared/content/unixfs_node.h"
#include "shared/io/http_server.h"

namespace cidbus {

enum class Ahead : std::uint8_t {
  Leave,  // ask for nothing but what is needed now
  Hint,   // tell the source what comes next
};

class FileCursor {
 public:
  // REQUIRES: root.kind is File
  explicit FileCursor(UnixFsNode root);
  FileCursor(const FileCursor&) = delete;
  FileCursor& operator=(const FileCursor&) = delete;

  [[nodiscard]] ByteCount size() const { return levels_.front().node.size; }
  // The stretch that next() gives from now on. REQUIRES: range.last < size()
  void seek(const HttpRange& range);
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  // The next bytes of the stretch: as many as stand together in one block. REQUIRES: !at_end()
  Result<HttpPiece> next(BlockSource& source, Ahead ahead);

 private:
  // Passes hints on to the source of the call; prefetch windows outlive calls.
  struct Relay final : BlockSource {
    Result<Block> get(const Cid& cid) override { return to->get(cid); }
    void prefetch(std::span<const Cid> cids) override { to->prefetch(cids); }
    BlockSource* to = nullptr;  // during a call
  };
  struct Level {
    Level(UnixFsNode of, ByteCount from, BlockSource& hints);
    void rewind(BlockSource& hints);
    UnixFsNode node;
    ByteCount first;                       // where the node's bytes begin in the file
    std::size_t child = 0;                 // the link to go on with
    ByteCount child_first = 0;             // where its bytes begin in the file
    std::optional<PrefetchWindow> window;  // never empty; so that it can be begun anew
  };

  [[nodiscard]] bool covers(const Level& level) const;
  Status descend(Level& level, Ahead ahead);
  void hint(Level& level);

  Relay relay_;
  std::vector<Level> levels_;  // the root, and below it as far as the last piece was
  ByteCount at_ = 0;           // the next byte
  ByteCount end_ = 0;          // behind the last byte of the stretch
};

}  // namespace cidbus
