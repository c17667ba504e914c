// What a node knows of keys: its own pair, and the allow-list as the file stands now.
//
// Every socket of the node's SocketContext uses it (socket.h); no key but this pair is ever loaded. The list
// is read again when its file changes, so that a key that was added or taken away counts at once.
//
// Invariants
//  1. list() is always a whole, good list: one that makes no sense is told once and not used.
//  2. version() grows with every new list.
//
// Thread rule: any thread. Limits: AllowList's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "shared/io/allow_list.h"
#include "shared/io/key_file.h"

namespace cidbus {

class Keyring {
 public:
  // Faults of read_private_key(), and of the list: BadData, also for a file that is not there; NotAllowed
  // when everybody may write it or the own key is not in it.
  static Result<std::shared_ptr<Keyring>> open(const std::string& key_file, const std::string& allow_file);

  [[nodiscard]] const KeyPair& own() const { return own_; }
  // Whose key it is, as the list said when it was opened.
  [[nodiscard]] const KeyHolder& self() const { return self_; }
  [[nodiscard]] const std::string& allow_file() const { return allow_file_; }

  [[nodiscard]] std::shared_ptr<const AllowList> list() const;
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // Public keys of the node with this name, and of all nodes with one of these roles; in the file's order.
  [[nodiscard]] std::vector<KeyHolder> named(std::string_view name) const;
  [[nodiscard]] std::vector<KeyHolder> with(RoleSet roles) const;

  // Connections refused by it, at all sockets that share it.
  void count_refusal() { ++refusals_; }
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

  // Looks at the file, and reads it once it has been left alone from one call to the next, since somebody may
  // be at it just now. A line for the log when it was read: what changed, or what is wrong.
  struct Reloaded {
    bool good = true;
    std::string line;
  };
  std::optional<Reloaded> reload();

 private:
  struct Stamp {  // of a file: any change of it changes one of these
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
    std::int64_t changed = 0;  // nanoseconds since the epoch; rights count as well
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  Keyring(KeyPair own, std::string allow_file) : own_(std::move(own)), allow_file_(std::move(allow_file)) {}
  static Stamp stamp_of(const std::string& path);
  static Result<std::shared_ptr<const AllowList>> read_list(const std::string& path);

  const KeyPair own_;
  const std::string allow_file_;
  KeyHolder self_;
  mutable std::mutex lock_;  // of list_
  std::shared_ptr<const AllowList> list_;
  std::atomic<std::uint64_t> version_{1};
  std::atomic<std::uint64_t> refusals_{0};
  std::mutex reload_lock_;  // of both stamps
  Stamp read_;              // of the file as it was read last
  Stamp seen_;              // as it was at the last look
};

}  // namespace cidbus
