// One thread's view of the allow-list: who holds the key that a message came with.
//
// A list is looked up without a lock; a new one is taken with refresh(), once a turn.
//
// Thread rule: one thread. Limits: AllowList's.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "shared/io/keyring.h"
#include "shared/io/socket.h"

namespace cidbus {

class KeyView {
 public:
  // REQUIRES: the context outlives it.
  explicit KeyView(const SocketContext& context) : keys_(context.keys()) {
    if (keys_ != nullptr) list_ = keys_->list();
  }

  // Takes the list as it stands now; true when a key of the one before is gone, or is for another name or
  // other roles.
  bool refresh() {
    if (keys_ == nullptr || keys_->version() == version_) return false;
    version_ = keys_->version();
    const auto before = std::exchange(list_, keys_->list());
    return std::any_of(before->holders().begin(), before->holders().end(), [this](const KeyHolder& had) {
      const KeyHolder* const has = list_->find(had.key);
      return has == nullptr || has->name != had.name || has->roles != had.roles;
    });
  }
  // Null when no keys are in use; one without name and roles when the list does not have the key. It lives
  // until the next refresh().
  [[nodiscard]] const KeyHolder* holder(std::string_view key) const {
    if (keys_ == nullptr) return nullptr;
    const KeyHolder* const found = list_->find(key);
    return found == nullptr ? &nobody_ : found;
  }
  [[nodiscard]] const KeyHolder* holder(const Frames& message) const {
    return keys_ == nullptr ? nullptr : holder(message.key());
  }

 private:
  const Keyring* const keys_;
  std::uint64_t version_ = 1;
  std::shared_ptr<const AllowList> list_;
  const KeyHolder nobody_;
};

}  // namespace cidbus
