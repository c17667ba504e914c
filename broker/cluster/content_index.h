// Answers the two questions about content that nodes ask the leader: who holds these blocks, and where may
// new ones go.
//
// Placement draws among live storing nodes with room, by chance in proportion to their free space, so that
// neither one node takes everything nor a small one drowns. Nodes that do not fail together come first: those
// whose label `zone` names one where no copy is or goes.
//
// Invariants
//  1. An answer names only nodes that are joining, alive or suspect, and store blocks.
//  2. A placement names each node once, none that was excluded, none whose last heartbeat shows too little
//     room, and none that is about to leave what it stores. Such a one is not counted among the storing nodes
//     either, but for itself: the first name excluded is that of who asks.
//
// Thread rule: pure; one owner. Limits: as ProviderIndex.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "broker/cluster/membership.h"
#include "broker/cluster/provider_index.h"
#include "shared/base/prng.h"
#include "shared/core/message.h"

namespace cidbus {

class ContentIndex {
 public:
  using IsLeaving = std::function<bool(std::string_view node)>;
  ContentIndex(const Membership& membership, Prng prng, IsLeaving is_leaving);

  void announce(const std::string& node, const Announce& announce);
  // The node is gone, or starts anew: what it announced holds no more.
  void forget(const std::string& node);
  [[nodiscard]] Providers find(const Find& question) const;
  [[nodiscard]] Placement place(const Place& question);

  // Work left over from departed nodes, a slice a turn; true while there is more.
  bool sweep() { return index_.sweep(entries_a_sweep); }
  [[nodiscard]] std::size_t blocks() const { return index_.blocks(); }

 private:
  static constexpr std::size_t entries_a_sweep = 20'000;

  const Membership& membership_;
  Prng prng_;
  IsLeaving is_leaving_;
  ProviderIndex index_;
  std::map<std::string, ProviderIndex::Holder, std::less<>> numbers_;
  std::map<ProviderIndex::Holder, std::string> names_;
};

}  // namespace cidbus
