#include "broker/journal/vote_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr std::size_t slot_bytes = 4096;
constexpr std::uint32_t vote_version = 1;
constexpr std::uint64_t vote_magic = 0x3165746f'76646963;  // "cidvote1"

struct Slot {
  std::uint64_t sequence = 0;
  VoteState state;
};

Bytes encode_slot(const VoteState& state, std::uint64_t sequence) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number(std::uint32_t{0});
  writer.number(vote_version);
  writer.number(vote_magic);
  writer.number(sequence);
  writer.raw(state.incarnation.bytes);
  writer.number(state.epoch.value);
  writer.number(state.config_version);
  writer.number(state.config_hash);
  writer.sized(state.cluster);
  writer.sized(state.node);
  writer.sized(state.voted);
  writer.number(static_cast<std::uint8_t>(state.is_new ? 2 : state.repairing ? 1 : 0));
  ENSURE(bytes.size() <= slot_bytes, state.cluster, state.node, state.voted);
  bytes.resize(slot_bytes);
  const std::uint32_t crc = crc32c(ByteView(bytes).subspan(sizeof(std::uint32_t)));
  std::memcpy(bytes.data(), &crc, sizeof crc);
  return bytes;
}

std::optional<Slot> decode_slot(ByteView bytes) {
  ByteReader reader(bytes);
  if (bytes.size() != slot_bytes ||
      reader.number<std::uint32_t>() != crc32c(bytes.subspan(sizeof(std::uint32_t))))
    return std::nullopt;
  if (reader.number<std::uint32_t>() != vote_version || reader.number<std::uint64_t>() != vote_magic)
    return std::nullopt;
  Slot slot;
  slot.sequence = reader.number<std::uint64_t>();
  const ByteView incarnation = reader.raw(slot.state.incarnation.bytes.size());
  std::copy(incarnation.begin(), incarnation.end(), slot.state.incarnation.bytes.begin());
  slot.state.epoch = {reader.number<std::uint64_t>()};
  slot.state.config_version = reader.number<std::uint64_t>();
  slot.state.config_hash = reader.number<std::uint64_t>();
  slot.state.cluster = reader.sized_text();
  slot.state.node = reader.sized_text();
  slot.state.voted = reader.sized_text();
  const auto repairing = reader.number<std::uint8_t>();
  slot.state.repairing = repairing != 0;
  slot.state.is_new = repairing == 2;
  if (reader.failed()) return std::nullopt;
  return slot;
}

}  // namespace

Status VoteFile::create(FileSystem& files, const std::string& folder, const VoteState& state) {
  const std::string path = folder + "/" + vote_file_name;
  const std::string unfinished = path + ".new";
  auto file = files.create(unfinished);
  if (!file) return tl::unexpected(file.error());
  if (Status status = (*file)->preallocate(2 * slot_bytes); !status) return status;
  const Bytes slot = encode_slot(state, 1);
  const std::array<ByteView, 2> both{slot, slot};
  if (Status status = (*file)->write(0, both); !status) return status;
  if (Status status = (*file)->sync(); !status) return status;
  if (Status status = files.rename(unfinished, path); !status) return status;
  return files.sync_directory(folder);
}

Result<VoteFileScan> scan_vote_file(FileSystem& files, const std::string& folder) {
  const std::string path = folder + "/" + vote_file_name;
  const auto file = files.open(path);
  if (!file) return tl::unexpected(file.error());
  (*file)->forget_cache();  // a failed sync leaves there what is on no disk
  VoteFileScan scan;
  for (unsigned k = 0; k < scan.slots.size(); ++k) {
    Bytes bytes(slot_bytes);
    const auto count = (*file)->read(k * slot_bytes, bytes);
    auto slot = count && *count == slot_bytes ? decode_slot(bytes) : std::nullopt;
    if (slot) {
      scan.slots[k] = std::move(slot->state);
      scan.sequences[k] = slot->sequence;
    } else {
      scan.damage.push_back(path + " at " + std::to_string(k * slot_bytes) + ": damaged");
    }
  }
  return scan;
}

Result<VoteFile> VoteFile::open(FileSystem& files, const std::string& folder,
                                std::vector<std::string>& notices) {
  const std::string path = folder + "/" + vote_file_name;
  auto scan = scan_vote_file(files, folder);
  if (!scan) return tl::unexpected(scan.error());
  if (!scan->slots[0] && !scan->slots[1])
    return fault(
        FaultKind::BadData,
        "the vote file " + path +
            " is damaged at 0 and at 4096, and this broker's votes with it; put the folder back from a "
            "copy, or move it away to start empty and lose its tasks");
  auto opened = files.open(path);
  if (!opened) return tl::unexpected(opened.error());
  VoteFile file(std::move(*opened));
  file.newest_ = scan->newest();
  file.state_ = std::move(*scan->slots[file.newest_]);
  file.sequence_ = scan->sequences[file.newest_];
  file.wants_mirror_ = scan->sequences[0] != scan->sequences[1];
  for (const std::string& line : scan->damage) notices.push_back(line + ", made again");
  // What a killed process wrote and did not sync is read here all the same, so it is synced before it counts.
  if (Status status = file.file_->sync(); !status) return tl::unexpected(status.error());
  if (Status status = file.mirror(); !status) return tl::unexpected(status.error());
  return file;
}

Status VoteFile::write_slot(unsigned slot) {
  if (Status status = file_->write(slot * slot_bytes, encode_slot(state_, sequence_)); !status) return status;
  return file_->sync();
}

Status VoteFile::write(const VoteState& state) {
  ENSURE(state.cluster == state_.cluster && state.node == state_.node &&
             state.incarnation == state_.incarnation && state.epoch >= state_.epoch,
         state.cluster, state.node, state.epoch.value, state_.epoch.value);
  state_ = state;
  ++sequence_;
  newest_ = 1 - newest_;
  wants_mirror_ = true;
  return write_slot(newest_);
}

Status VoteFile::mirror() {
  if (!wants_mirror_) return {};
  if (Status status = write_slot(1 - newest_); !status) return status;
  wants_mirror_ = false;
  return {};
}

}  // namespace cidbus
