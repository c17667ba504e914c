#include "broker/cluster/membership.h"

#include <algorithm>
#include <utility>

#include "shared/base/limits/members.h"

namespace cidbus {

Membership::Membership(Duration node_timeout, Duration reconnect_grace)
    : node_timeout_(node_timeout), reconnect_grace_(reconnect_grace) {}

void Membership::set_timeouts(Duration node_timeout, Duration reconnect_grace) {
  node_timeout_ = node_timeout;
  reconnect_grace_ = reconnect_grace;
  due_ = Monotonic::min();  // of everybody, anew
}

Membership::HelloAnswer Membership::hello(Now now, std::string_view name, Incarnation incarnation,
                                          const Hello& hello, bool other_is_gone) {
  auto held = nodes_.find(name);
  const bool another = held != nodes_.end() && held->second.incarnation != incarnation;
  if (another && is_live(held->second) && !other_is_gone) return HelloAnswer::NameTaken;
  const MemberState before = held == nodes_.end() ? MemberState::Left : held->second.state;
  if (held == nodes_.end()) {
    if (!make_room()) return HelloAnswer::Full;
    held = nodes_.emplace(name, Node{}).first;
    held->second.joined_at = now.wall;
  } else if (another || !is_live(held->second)) {
    held->second = Node{};
    held->second.joined_at = now.wall;
  }
  Node& node = held->second;
  const bool is_new = node.heard == Monotonic{};
  node.role = hello.role;
  node.incarnation = incarnation;
  node.exchange = hello.exchange;
  node.load = hello.load;
  node.heard = now.monotonic;
  node.last_seen = now.wall;
  node.broken_at.reset();
  node.labels.assign(hello.labels.begin(), hello.labels.end());
  changed_[held->first] = true;
  if (is_new) remember(now, held->first, node, before);
  if (node.state == MemberState::Suspect) set_state(now, held->first, node, MemberState::Alive);
  due_ = std::min(due_, due_of(node));
  return HelloAnswer::Welcome;
}

bool Membership::heard(Now now, std::string_view name, Incarnation incarnation) {
  const auto held = nodes_.find(name);
  if (held == nodes_.end() || held->second.incarnation != incarnation || !is_live(held->second)) return false;
  Node& node = held->second;
  node.heard = now.monotonic;
  node.last_seen = now.wall;
  node.broken_at.reset();
  set_state(now, held->first, node, MemberState::Alive);
  due_ = std::min(due_, due_of(node));
  return true;
}

bool Membership::heartbeat(Now now, std::string_view name, Incarnation incarnation, const NodeLoad& load) {
  const auto held = nodes_.find(name);
  if (held == nodes_.end() || held->second.incarnation != incarnation || !is_live(held->second)) return false;
  Node& node = held->second;
  node.load = load;
  node.beat_at = now.monotonic;
  node.last_seen = now.wall;
  if (node.broken_at) return true;  // the feed is another connection: it does not mend the bus
  node.heard = now.monotonic;
  set_state(now, held->first, node, MemberState::Alive);
  due_ = std::min(due_, due_of(node));
  return true;
}

void Membership::goodbye(Now now, std::string_view name, Incarnation incarnation) {
  const auto held = nodes_.find(name);
  if (held == nodes_.end() || held->second.incarnation != incarnation) return;
  held->second.last_seen = now.wall;
  set_state(now, held->first, held->second, MemberState::Left);
}

void Membership::connection_broke(Now now, std::string_view name, Incarnation incarnation) {
  const auto held = nodes_.find(name);
  if (held == nodes_.end() || held->second.incarnation != incarnation || !is_live(held->second)) return;
  if (!held->second.broken_at) held->second.broken_at = now.monotonic;
  set_state(now, held->first, held->second, MemberState::Suspect);
  due_ = std::min(due_, due_of(held->second));
}

void Membership::set_state(Now now, const std::string& name, Node& node, MemberState state) {
  if (node.state == state) return;
  const MemberState from = std::exchange(node.state, state);
  changed_[name] = true;
  remember(now, name, node, from);
}

void Membership::remember(Now now, const std::string& name, const Node& node, MemberState from) {
  history_.push_back({name, {++last_change_, now.wall, {}, node.role, node.incarnation, from, node.state}});
  if (history_.size() > limits::member_changes_kept) history_.pop_front();
}

std::vector<MemberChange> Membership::history(std::uint64_t after, std::size_t most) const {
  std::vector<MemberChange> changes;
  for (const Past& past : history_) {
    if (past.change.number <= after || changes.size() == most) continue;
    changes.push_back(past.change);
    changes.back().name = past.name;
  }
  return changes;
}

MemberState Membership::state_at(Monotonic now, const Node& node) const {
  const Duration silence = now - node.heard;
  if (silence >= node_timeout_) return MemberState::Dead;
  if (node.broken_at)
    return now - *node.broken_at >= reconnect_grace_ ? MemberState::Dead : MemberState::Suspect;
  if (silence >= node_timeout_ / 2) return MemberState::Suspect;
  return node.state;
}

Monotonic Membership::due_of(const Node& node) const {
  const Duration patience = node.state == MemberState::Suspect ? node_timeout_ : node_timeout_ / 2;
  const Monotonic silent = node.heard + patience;
  return node.broken_at ? std::min(silent, *node.broken_at + reconnect_grace_) : silent;
}

void Membership::look_at_all(Now now) {
  due_ = Monotonic::max();
  for (auto& [name, node] : nodes_) {
    if (!is_live(node)) continue;
    set_state(now, name, node, state_at(now.monotonic, node));
    if (is_live(node)) due_ = std::min(due_, due_of(node));
  }
}

std::vector<std::string> Membership::take_changes(Now now) {
  if (now.monotonic >= due_) look_at_all(now);
  std::vector<std::string> names;
  for (const auto& [name, changed] : changed_) names.push_back(name);
  changed_.clear();
  return names;
}

std::optional<Monotonic> Membership::deadline() const {
  return due_ == Monotonic::max() ? std::nullopt : std::optional(due_);
}

const Membership::Node* Membership::find(std::string_view name) const {
  const auto held = nodes_.find(name);
  return held == nodes_.end() ? nullptr : &held->second;
}

bool Membership::make_room() {
  if (nodes_.size() < limits::members) return true;
  const auto oldest = std::min_element(nodes_.begin(), nodes_.end(), [](const auto& left, const auto& right) {
    if (is_live(left.second) != is_live(right.second)) return !is_live(left.second);
    return left.second.last_seen < right.second.last_seen;
  });
  if (is_live(oldest->second)) return false;
  changed_.erase(oldest->first);
  nodes_.erase(oldest);
  return true;
}

Member member_of(std::string_view name, const Membership::Node& node) {
  return {name,
          node.role,
          node.state,
          node.incarnation,
          node.exchange,
          node.load,
          node.joined_at,
          node.last_seen,
          {node.labels.begin(), node.labels.end()}};
}

}  // namespace cidbus
