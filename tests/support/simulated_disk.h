// SimulatedDisk: a FileSystem in memory that loses, tears and refuses what a real disk may, on command.
//
// Every 512-byte sector has a volatile copy (what the process reads back: the page cache) and a durable one
// (what a power cut leaves). sync() of a file copies the former to the latter; names are treated alike, by
// sync_directory(). Folders are durable at once.
//
// Invariants
//  1. A sector is written whole or not at all, even by a power cut; nothing else about an unsynced write
//     holds: any subset of its sectors, of the file's new size and of the folder's new names survives, in
//     any order.
//  2. A synced sector changes only by a later write, or by flip_bit, truncate or remove_file.
//  3. What a failed sync was to make durable is read back all the same, until the cache is forgotten or the
//     power is cut.
//  4. After crash() or kill() every handle and lock given before is dead, as its process is.
//  5. The same calls and seeds give the same bytes.
//
// There is no clock here: how long a disk takes is the business of who calls it.
//
// Thread rule: one thread. Limits: memory; only sectors written with something take it.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "shared/base/prng.h"
#include "shared/io/file_system.h"

namespace cidbus {

inline constexpr ByteCount sector_bytes = 512;

// What happens at a chosen operation. Operations are counted: every write, sync, preallocate, resize, create,
// rename, remove and sync_directory.
enum class DiskAccident {
  PowerCut,  // this operation and all after it do nothing; crash() must follow. A write may be cut in its
             // middle.
  NoRoom,    // this operation finds no room; a write has been done to its half
  Broken,  // this operation fails as a disk does (EIO); what it was to make durable is lost at the next crash
};

class SimulatedDisk final : public FileSystem {
 public:
  explicit SimulatedDisk(ByteCount capacity = 1ULL << 40);
  ~SimulatedDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Status create_directory(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override;

  // ---- the end of a process
  // Power is cut: of what was not synced, a share that the generator chooses survives.
  void crash(Prng& prng);
  // The same, at the two ends: nothing unsynced survives, or everything does.
  void crash_losing_all();
  void crash_keeping_all();
  // The process dies and the machine lives: what was written is there, synced or not, and still not durable.
  void kill();

  // ---- accidents
  // The n-th operation from now on (0 is the next) meets the accident.
  void plan(std::uint64_t operation, DiskAccident accident);
  // Whether a planned accident has happened since it was planned.
  [[nodiscard]] bool accident_happened() const { return accident_happened_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  void set_capacity(ByteCount capacity) { capacity_ = capacity; }
  // Reads that touch this byte fail, until the next crash or kill.
  void fail_reads(const std::string& path, ByteCount offset);
  // Damage to what is durable, and to what is read. REQUIRES: the file exists.
  void flip_bit(const std::string& path, ByteCount offset, unsigned bit = 0);
  void truncate(const std::string& path, ByteCount bytes);
  void remove_file(const std::string& path);

  // ---- looking
  [[nodiscard]] std::vector<std::string> paths() const;  // of all files, sorted
  [[nodiscard]] bool exists(const std::string& path) const;
  [[nodiscard]] Bytes contents(const std::string& path) const;  // as a process would read them
  [[nodiscard]] ByteCount used() const;                         // room taken

 private:
  friend class SimulatedFile;
  friend class SimulatedLock;
  struct Node;                                // a file's contents, under whatever names
  using NodePointer = std::shared_ptr<Node>;  // shared: a removed file lives on in its open handles
  // One change of names in a folder, not yet synced; null takes a name away.
  struct NameChange {
    std::string folder;
    std::vector<std::pair<std::string, NodePointer>> names;
  };
  enum class Outcome { Proceed, NoRoom, Broken, Dead };

  Outcome begin_operation();
  Status refuse(Outcome outcome, const std::string& path) const;
  void change_names(NameChange change);
  void restart(const std::function<bool()>& survives);
  [[nodiscard]] Node& node(const std::string& path) const;
  [[nodiscard]] bool take_room(ByteCount bytes);

  std::map<std::string, NodePointer> names_;          // as the process sees them
  std::map<std::string, NodePointer> durable_names_;  // as a power cut leaves them
  std::vector<NameChange> unsynced_names_;            // what lies between the two, oldest first
  std::map<std::string, std::uint64_t> locks_;        // folder -> generation of its holder
  ByteCount capacity_;
  std::uint64_t generation_ = 0;  // counts the deaths of the process
  std::uint64_t operations_ = 0;
  std::optional<std::pair<std::uint64_t, DiskAccident>> planned_;  // at which operation, what
  bool accident_happened_ = false;
  bool power_is_off_ = false;
};

}  // namespace cidbus
