// What a node has moved of itself, kept in its data folder: the newest limits::moves_kept moves, over every
// restart.
//
// moves: a line a move, oldest first, milliseconds since 1970 UTC, what, from, to and reason between tabs. It
// is replaced as a whole at each move, which is rare. A file that cannot be read, or written, is said in the
// log and costs the record, never the node.
//
// Thread rule: one owner. Limits: limits/roles.h.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "shared/core/role_messages.h"
#include "shared/io/file_system.h"
#include "shared/io/log.h"

namespace cidbus {

class MoveRecord {
 public:
  // REQUIRES: what is referred to outlives it; the folder is there, or it is empty: then nothing is kept.
  MoveRecord(FileSystem& files, std::string folder, Log& log);

  // Texts are cut, and made plain lines.
  void add(WallTime at, std::string_view what, std::string_view from, std::string_view to,
           std::string_view reason);
  // Views live until the next add().
  [[nodiscard]] std::vector<Move> moves() const;

 private:
  struct Entry {
    WallTime at;
    std::string what, from, to, reason;
  };
  void read();
  void write();

  FileSystem& files_;
  const std::string folder_;
  Log& log_;
  std::deque<Entry> entries_;
};

}  // namespace cidbus
