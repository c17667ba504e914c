// The stores on disk, of which a folder holds one: which kind it is, opening the right one, and the room both
// ask for.
//
// A folder tells its kind by what lies in it, so that a node started with another setting neither hides the
// blocks it has nor writes a second store beside them.
//
// Thread rule: functions of their arguments and the file system. Limits: none of their own.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "shared/store/block_store.h"

namespace cidbus {

enum class StoreKind : std::uint8_t { Pack, RocksDb };
inline constexpr StoreKind default_store = StoreKind::Pack;  // ARCHITECTURE.md says why
std::string_view to_text(StoreKind kind);
// pack or rocksdb; BadUsage for anything else.
Result<StoreKind> parse_store_kind(std::string_view text);

struct DiskStoreOptions {
  std::string folder;  // made when it is not there
  ByteCount capacity_bytes = std::numeric_limits<ByteCount>::max();
  ByteCount reserve_bytes = 256 << 20;  // of the disk, left free: a store needs room to make room
  StoreListener listener;
  // Told once for each file found damaged while the store opens: a line for the log, which says what is lost.
  std::function<void(const std::string&)> on_damage = {};
};

// The kind of store that lies in the folder; nothing when there is none.
std::optional<StoreKind> store_in(const std::string& folder);

// Opens the kind asked for, or the one that is there, or the default one in a new folder. BadUsage when the
// folder holds a store of another kind than the one asked for; else what that kind's own open says.
Result<std::unique_ptr<BlockStore>> open_disk_store(std::optional<StoreKind> kind, DiskStoreOptions options);

// Makes the folder. Failed when it cannot be.
Status make_store_folder(const std::string& folder);

// Room for blocks: by the capacity, and by the disk less what is left free on it.
[[nodiscard]] ByteCount free_disk_bytes(const std::string& folder);
// Why `wanted` bytes more cannot be kept, with what to do; empty when they can.
[[nodiscard]] std::string why_no_room(const DiskStoreOptions& options, ByteCount held, ByteCount wanted);
[[nodiscard]] StoreCounts counts_of(const DiskStoreOptions& options, std::uint64_t blocks, ByteCount bytes);

}  // namespace cidbus
