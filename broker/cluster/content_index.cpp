#include "broker/cluster/content_index.h"

#include <algorithm>
#include <set>

namespace cidbus {
namespace {

constexpr std::uint64_t room_kept_bytes = 64ULL << 20;  // a node this close to full is not chosen

// A node that may hold little is as good as a large one until an eighth of it is left.
bool has_room(const NodeLoad& load, std::uint64_t bytes) {
  const std::uint64_t all = load.block_bytes + load.disk_free_bytes;
  return load.disk_free_bytes > std::min(room_kept_bytes + bytes, all / 8);
}

bool stores_blocks(const Membership::Node& node) {
  return Membership::is_live(node) && !node.exchange.empty();
}

}  // namespace

ContentIndex::ContentIndex(const Membership& membership, Prng prng, IsLeaving is_leaving)
    : membership_(membership), prng_(prng), is_leaving_(std::move(is_leaving)) {}

void ContentIndex::announce(const std::string& node, const Announce& announce) {
  if (announce.first) forget(node);
  auto held = numbers_.find(node);
  if (held == numbers_.end()) {
    const auto number = index_.register_holder();
    if (number == 0) return;
    held = numbers_.emplace(node, number).first;
    names_.emplace(number, node);
  }
  for (const BlockKey& block : announce.added) index_.add(held->second, block);
  for (const BlockKey& block : announce.removed) index_.remove(held->second, block);
}

void ContentIndex::forget(const std::string& node) {
  const auto held = numbers_.find(node);
  if (held == numbers_.end()) return;
  index_.retire_holder(held->second);
  names_.erase(held->second);
  numbers_.erase(held);
}

Providers ContentIndex::find(const Find& question) const {
  Providers answer;
  answer.request = question.request;
  std::map<ProviderIndex::Holder, std::uint32_t> places;
  for (const BlockKey& block : question.blocks) {
    Found& found = answer.blocks.emplace_back(Found{block, {}});
    for (const auto holder : index_.find(block)) {
      const auto name = names_.find(holder);
      if (name == names_.end()) continue;
      const Membership::Node* node = membership_.find(name->second);
      if (node == nullptr || !stores_blocks(*node)) continue;
      const auto [place, fresh] = places.emplace(holder, static_cast<std::uint32_t>(answer.nodes.size()));
      if (fresh) answer.nodes.push_back({name->second, node->exchange});
      found.holders.push_back(place->second);
    }
  }
  return answer;
}

namespace {

// The failure domain its owner put it in; empty for none.
std::string_view zone_of(const Membership::Node& node) {
  for (const auto& [key, value] : node.labels)
    if (key == "zone") return value;
  return {};
}

}  // namespace

Placement ContentIndex::place(const Place& question) {
  Placement answer;
  answer.request = question.request;
  struct Candidate {
    NodeAddress address;
    std::uint64_t weight;
    std::string_view zone;
  };
  std::vector<Candidate> candidates;
  std::set<std::string_view> zones;  // where copies are, or go
  for (const auto& [name, node] : membership_.nodes()) {
    if (!stores_blocks(node)) continue;
    const bool asks = !question.exclude.empty() && question.exclude.front() == name;
    if (is_leaving_(name) && !asks) continue;
    const bool excluded =
        std::find(question.exclude.begin(), question.exclude.end(), name) != question.exclude.end();
    ++answer.storing_nodes;
    const std::string_view zone = zone_of(node);
    if (excluded && !zone.empty()) zones.insert(zone);  // it has a copy, or may
    if (excluded || !has_room(node.load, question.bytes)) continue;
    candidates.push_back(
        {{name, node.exchange}, std::max<std::uint64_t>(node.load.disk_free_bytes >> 20, 1), zone});
  }
  while (!candidates.empty() && answer.nodes.size() < question.copies) {
    // First those that do not fail together with a copy; when there are none, any.
    const auto end = std::partition(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
      return !zones.contains(candidate.zone);
    });
    const auto last = end == candidates.begin() ? candidates.end() : end;
    std::uint64_t total = 0;
    for (auto candidate = candidates.begin(); candidate != last; ++candidate) total += candidate->weight;
    std::uint64_t draw = prng_.below(total);
    auto chosen = candidates.begin();
    while (draw >= chosen->weight) {
      draw -= chosen->weight;
      ++chosen;
    }
    answer.nodes.push_back(chosen->address);
    if (!chosen->zone.empty()) zones.insert(chosen->zone);
    candidates.erase(chosen);
  }
  return answer;
}

}  // namespace cidbus
