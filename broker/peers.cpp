#include "broker/peers.h"

#include "shared/base/ensure.h"

namespace cidbus {

std::optional<Peer> Peers::find(std::string_view routing_id) const {
  const auto found = by_routing_id_.find(routing_id);
  return found == by_routing_id_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Peer> Peers::find_name(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Peer> Peers::add(Monotonic now, PeerEntry entry) {
  ENSURE(!find(entry.routing_id) && !find_name(entry.name), "name", entry.name);
  if (size() >= limits::peers) return std::nullopt;
  if (free_.empty()) {
    free_.push_back(static_cast<Peer>(entries_.size()));
    entries_.emplace_back();
  }
  const Peer peer = free_.back();
  free_.pop_back();
  by_routing_id_.emplace(entry.routing_id, peer);
  by_name_.emplace(entry.name, peer);
  entry.heard = now;
  entries_[static_cast<std::uint32_t>(peer)] = std::move(entry);
  append(peer);
  return peer;
}

void Peers::heard(Monotonic now, Peer peer) {
  at(peer).heard = now;
  if (last_ == peer) return;
  unlink(peer);
  append(peer);
}

void Peers::append(Peer peer) {
  PeerEntry& entry = at(peer);
  entry.earlier = last_;
  entry.later = Peer::Nobody;
  (last_ != Peer::Nobody ? at(last_).later : first_) = peer;
  last_ = peer;
}

void Peers::unlink(Peer peer) {
  const PeerEntry& entry = at(peer);
  (entry.earlier != Peer::Nobody ? at(entry.earlier).later : first_) = entry.later;
  (entry.later != Peer::Nobody ? at(entry.later).earlier : last_) = entry.earlier;
}

Monotonic Peers::silence_deadline() const {
  return first_ == Peer::Nobody ? Monotonic::max()
                                : entries_[static_cast<std::size_t>(first_)].heard + timeout_;
}

bool Peers::known(Peer peer) const {
  const auto number = static_cast<std::uint32_t>(peer);
  return number < entries_.size() && !entries_[number].routing_id.empty();
}

void Peers::forget(Peer peer) {
  unlink(peer);
  PeerEntry& entry = at(peer);
  by_routing_id_.erase(entry.routing_id);
  by_name_.erase(entry.name);
  entry = {};
  free_.push_back(peer);
}

PeerEntry& Peers::at(Peer peer) {
  ENSURE(known(peer), "peer", static_cast<std::uint32_t>(peer));
  return entries_[static_cast<std::uint32_t>(peer)];
}

std::vector<Peer> Peers::all() const {
  std::vector<Peer> numbers;
  numbers.reserve(by_name_.size());
  for (const auto& [name, peer] : by_name_) numbers.push_back(peer);
  return numbers;
}

}  // namespace cidbus
