// The outbox on disk: entries appended and synced by a thread of their own, read back at the start.
//
//   file  := frame* seal                         DATA/outbox
//   frame := length:u32 crc32c:u32 payload       little-endian; the checksum is of the payload
//   seal  := the frame of NUMBERED 0             written when all before it is synced; the next frame
//                                                takes its place
//
// A crash can only tear the end, which nobody was told of: it is let go. The file is written anew, beside the
// old one and then in its place, at each start and when most of it is past; so it begins with a whole frame.
// A file that does not, or has a whole frame (the seal is one) behind one that is not, is damaged, and
// refused: to go on without the items between would lose what was acknowledged, and writing anew the last
// trace of it. (A power cut may tear a hole into a long write that nobody was told of; it is refused too, as
// it looks the same.)
//
// Invariants
//  1. What take_synced() tells of is on disk.
//  2. While the disk has no room, entries wait and are tried again; any other fault is final (a failed
//     sync is never tried again).
//
// Thread rule: the owner's; the disk's thread inside. Limits: limits::outbox_file_bytes before it is due to
// be written anew.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "leecher/core/outbox.h"
#include "shared/base/result.h"
#include "shared/io/file_system.h"

namespace cidbus {

class OutboxFile {
 public:
  // Replays what is there into `outbox`, which is empty. BadData when the file is damaged or the
  // entries contradict each other; it is left as it is then.
  // REQUIRES: files outlives it; the folder is there and this process's own.
  static Result<std::unique_ptr<OutboxFile>> open(FileSystem& files, const std::string& folder,
                                                  Outbox& outbox);
  // Ends when what was appended is on disk, or cannot be.
  ~OutboxFile();
  OutboxFile(const OutboxFile&) = delete;
  OutboxFile& operator=(const OutboxFile&) = delete;

  // Hands over what the outbox has changed; all of it, when the file is due to be written anew.
  void append_changes(Outbox& outbox);
  // Readable when take_synced() has news.
  [[nodiscard]] int descriptor() const;
  // The number of the newest item that is on disk with all before it, or the fault that ended it.
  Result<std::uint64_t> take_synced();
  // How many bytes of an entry that was not whole were let go at the start.
  [[nodiscard]] ByteCount torn() const;
  // Why entries wait; empty when they do not.
  [[nodiscard]] const std::string& trouble() const;

 private:
  struct State;
  explicit OutboxFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
