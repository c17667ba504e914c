#include "shared/store/disk_store.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "shared/store/pack_store.h"
#include "shared/store/rocksdb_store.h"

namespace cidbus {
namespace {

constexpr const char* rocksdb_mark = "CURRENT";  // RocksDB's own, in each of its folders

Result<std::unique_ptr<BlockStore>> open_kind(StoreKind kind, DiskStoreOptions options) {
  return kind == StoreKind::Pack ? open_pack_store(std::move(options))
                                 : open_rocksdb_store(std::move(options));
}

}  // namespace

std::string_view to_text(StoreKind kind) { return kind == StoreKind::Pack ? "pack" : "rocksdb"; }

Result<StoreKind> parse_store_kind(std::string_view text) {
  for (const StoreKind kind : {StoreKind::Pack, StoreKind::RocksDb}) {
    if (text == to_text(kind)) return kind;
  }
  return fault(FaultKind::BadUsage, "--store '" + std::string(text) + "' is unknown; give pack or rocksdb");
}

std::optional<StoreKind> store_in(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::exists(folder + '/' + pack_lock_file, error)) return StoreKind::Pack;
  if (std::filesystem::exists(folder + '/' + rocksdb_mark, error)) return StoreKind::RocksDb;
  return std::nullopt;
}

Result<std::unique_ptr<BlockStore>> open_disk_store(std::optional<StoreKind> kind, DiskStoreOptions options) {
  const auto found = store_in(options.folder);
  if (kind && found && *kind != *found) {
    return fault(FaultKind::BadUsage, "the blocks in " + options.folder + " are kept by the store '" +
                                          std::string(to_text(*found)) + "', not '" +
                                          std::string(to_text(*kind)) +
                                          "'; leave out --store, or give another folder");
  }
  return open_kind(kind ? *kind : found.value_or(default_store), std::move(options));
}

Status make_store_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  const bool is_forbidden = error == std::errc::permission_denied ||
                            error == std::errc::operation_not_permitted ||
                            error == std::errc::read_only_file_system;
  return fault(is_forbidden ? FaultKind::NotAllowed : FaultKind::Failed,
               "cannot make the folder of the block store, " + folder + ": " + error.message() +
                   "; choose another one");
}

ByteCount free_disk_bytes(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return 0;
  return static_cast<ByteCount>(disk.f_bavail) * disk.f_frsize;
}

std::string why_no_room(const DiskStoreOptions& options, ByteCount held, ByteCount wanted) {
  if (wanted > options.capacity_bytes || held > options.capacity_bytes - wanted) {
    return "the block store in " + options.folder + " has no room for " + std::to_string(wanted) +
           " bytes more: it holds " + std::to_string(held) + " of " + std::to_string(options.capacity_bytes) +
           "; raise --storage-max or add a worker";
  }
  const ByteCount free = free_disk_bytes(options.folder);
  if (free < wanted + options.reserve_bytes) {
    return "the disk of the block store in " + options.folder + " is full: " + std::to_string(free) +
           " bytes are free, " + std::to_string(wanted + options.reserve_bytes) +
           " are needed; free some or add a worker";
  }
  return {};
}

StoreCounts counts_of(const DiskStoreOptions& options, std::uint64_t blocks, ByteCount bytes) {
  StoreCounts counts{blocks, bytes, options.capacity_bytes, 0};
  const ByteCount disk = free_disk_bytes(options.folder);
  const ByteCount usable = disk > options.reserve_bytes ? disk - options.reserve_bytes : 0;
  const ByteCount allowed = bytes < options.capacity_bytes ? options.capacity_bytes - bytes : 0;
  counts.free_bytes = std::min(usable, allowed);
  return counts;
}

}  // namespace cidbus
