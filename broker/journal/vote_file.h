// VoteFile: what a broker must not forget but with its disk: who it is, its epoch, and whom it voted for in
// it (CONSENSUS section 1, `meta`).
//
//   meta := slot slot
//   slot := 4096 bytes, taken from the disk when the file is made:
//           u32 crc              CRC32C of the other 4092
//           u32 version          1
//           u64 magic            "cidvote1"
//           u64 sequence         of the write; the higher of two whole slots counts
//           u8  incarnation[16]
//           u64 epoch
//           u64 config_version, u64 config_hash   0 until a CONFIG record exists
//           text cluster, text node, text voted   u32 length, characters; voted is empty for nobody
//           u8  repairing        1 while the journal was lost and is not known to be whole again; 2: as the
//                                folder is new, and others may hold what it must not contradict
//           zeros
//
// Slots are written in turn. A vote may be told once the first is on disk; the other is then brought to the
// same sequence in an idle moment (mirror()). So a slot found damaged is either one whose write never
// finished, and was never told, or a copy of the other: a single damage takes no vote back.
//
// Invariants
//  1. When write() returns, what it wrote is on disk, and what was there before is too until then.
//  2. The sequence only grows.
//
// Faults: BadData when neither slot is whole; the broker may have voted and comes back only as a new
// incarnation (CONSENSUS D4). Any fault of write() or mirror() ends the process: the room was taken when the
// file was made.
//
// Thread rule: one owner; calls block. Limits: names of limits::name_length.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/journal/segment_format.h"
#include "shared/base/ids.h"
#include "shared/base/limits/words.h"
#include "shared/io/file_system.h"

namespace cidbus {

struct VoteState {
  // Never change.
  std::string cluster;
  std::string node;
  DiskIncarnation incarnation;
  // Only grows; the fencing token of everything this broker takes part in.
  Epoch epoch;
  // Whom it voted for in `epoch`; "" is nobody yet.
  std::string voted;
  // What it once promised may be missing from its journal: it neither votes nor stands, and nothing it holds
  // is counted, until it has caught up with a leader (CONSENSUS D3).
  bool repairing = false;
  // Because the folder is new (CONSENSUS D4): it may have a say in founding a group that holds nothing yet.
  bool is_new = false;
  std::uint64_t config_version = 0;
  std::uint64_t config_hash = 0;
  friend bool operator==(const VoteState&, const VoteState&) = default;
};

// What the two slots of a vote file hold; reading changes nothing.
struct VoteFileScan {
  std::array<std::optional<VoteState>, 2> slots;  // nothing where a slot is damaged
  std::array<std::uint64_t, 2> sequences{};
  std::vector<std::string> damage;  // a line for each damaged slot, with file and offset
  // The slot that counts. REQUIRES: one is whole.
  [[nodiscard]] unsigned newest() const {
    return !slots[0] || (slots[1] && sequences[1] > sequences[0]) ? 1 : 0;
  }
};
Result<VoteFileScan> scan_vote_file(FileSystem& files, const std::string& folder);

class VoteFile {
 public:
  // A new file, durable under its name on return; one that never got its name is replaced.
  static Status create(FileSystem& files, const std::string& folder, const VoteState& state);
  // `notices` gets a line for a slot that was damaged and made again. NotFound when there is no file.
  static Result<VoteFile> open(FileSystem& files, const std::string& folder,
                               std::vector<std::string>& notices);

  [[nodiscard]] const VoteState& state() const { return state_; }
  // REQUIRES: cluster, node and incarnation as they are; epoch not lower.
  [[nodiscard]] Status write(const VoteState& state);
  // Whether the slots differ.
  [[nodiscard]] bool wants_mirror() const { return wants_mirror_; }
  [[nodiscard]] Status mirror();

 private:
  explicit VoteFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  [[nodiscard]] Status write_slot(unsigned slot);

  std::unique_ptr<File> file_;
  VoteState state_;
  std::uint64_t sequence_ = 0;
  unsigned newest_ = 0;  // the slot that holds state_
  bool wants_mirror_ = false;
};

inline constexpr const char* vote_file_name = "meta";

}  // namespace cidbus
