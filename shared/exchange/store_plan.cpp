#include "shared/exchange/store_plan.h"

#include <algorithm>

#include "shared/base/ensure.h"

namespace cidbus {

namespace {

using namespace std::chrono_literals;

constexpr Duration ask_pause = 250ms;
constexpr Duration lost_pause = 500ms;  // a lost target is not asked for again before
constexpr Duration busy_pause = 20ms;
constexpr Duration unsent_pause = 2ms;
// How long the index may count a node that is dead: until then a missing node is no lack of room.
constexpr Duration index_lag = limits::node_timeout + 1s;

void add_once(std::vector<PeerId>& peers, PeerId peer) {
  if (std::ranges::find(peers, peer) == peers.end()) peers.push_back(peer);
}
bool contains(const std::vector<PeerId>& peers, PeerId peer) {
  return std::ranges::find(peers, peer) != peers.end();
}
std::string counted(std::size_t count, const char* one, const char* more) {
  return std::to_string(count) + ' ' + (count == 1 ? one : more);
}
void take_earlier(std::optional<Monotonic>& earliest, Monotonic time) {
  if (!earliest || time < *earliest) earliest = time;
}

}  // namespace

bool StorePlan::has_room(ByteCount bytes) const {
  if (entries_.empty()) return true;
  return entries_.size() < limits::store_blocks && bytes_held_ + bytes <= options_.window_bytes;
}

void StorePlan::add(Monotonic now, const Block& block) {
  ENSURE(has_room(block.bytes().size()) && !failure_);
  if (block.cid().is_identity() || numbers_.contains(block.cid().multihash())) return;
  if (options_.keeps_copy && options_.copies <= 1) return;
  if (entries_.empty()) progress_at_ = now;
  const std::uint64_t number = ++last_number_;
  entries_.emplace(number, Entry{block, {}, {}});
  numbers_.emplace(block.cid().multihash(), number);
  bytes_held_ += block.bytes().size();
  if (placed_ && need_ == 0) settle_what_is_done(now);
}

bool StorePlan::is_settled() const { return entries_.empty() && !has_orphans(); }

bool StorePlan::has_orphans() const {
  return std::ranges::any_of(holders_, [this](const auto& held) { return is_orphaned(held.first); });
}

bool StorePlan::is_orphaned(const std::vector<PeerId>& holders) const {
  return std::ranges::none_of(holders, [this](PeerId peer) {
    const State state = nodes_.at(peer).state;
    return state == State::Live || state == State::Full;
  });
}

std::size_t StorePlan::active_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(nodes_, [](const auto& named) { return is_active(named.second); }));
}

std::size_t StorePlan::missing_nodes() const {
  const std::size_t wanted = placed_ ? need_ : options_.copies - (options_.keeps_copy ? 1u : 0u);
  const std::size_t active = active_count();
  if (active < wanted) return wanted - active;
  return has_orphans() || storing_nodes_ == 0 ? 1 : 0;
}

std::optional<StorePlan::Question> StorePlan::take_question(Monotonic now) {
  if (asking_ || failure_ || !has_work() || now < ask_at_) return std::nullopt;
  Question question;
  question.copies = static_cast<std::uint32_t>(missing_nodes());
  if (question.copies == 0) return std::nullopt;
  if (!options_.own_name.empty()) question.exclude.push_back(options_.own_name);
  for (const auto& [peer, node] : nodes_) {
    const bool lost_just_now = node.state == State::Gone && now - node.gone_at < lost_pause;
    if (node.state != State::Gone || node.banned || lost_just_now) question.exclude.push_back(node.name);
  }
  asking_ = true;
  return question;
}

void StorePlan::placed(Monotonic now, const std::vector<Target>& targets, std::uint32_t storing_nodes) {
  asking_ = false;
  placed_ = true;
  index_fault_.reset();
  ask_at_ = now + ask_pause;
  storing_nodes_ = storing_nodes;
  const std::uint32_t copies = std::min(options_.copies, std::max(storing_nodes, 1u));
  need_ = copies - (options_.keeps_copy ? 1u : 0u);
  for (const Target& target : targets) {
    Node& node = nodes_[target.peer];
    if (!node.name.empty() && (node.state != State::Gone || node.banned)) continue;
    node = Node();
    node.name = target.name;
    node.heard = now;
  }
  settle_what_is_done(now);
  judge_shortage(now);
}

void StorePlan::not_placed(Monotonic now, const Fault& why) {
  asking_ = false;
  ask_at_ = now + ask_pause;
  index_fault_ = why;
}

// The index named fewer nodes than are missing. It may be behind the truth about nodes that died or are about
// to start; when it is not, there is no room.
void StorePlan::judge_shortage(Monotonic now) {
  if (active_count() >= need_ || storing_nodes_ == 0 || lost_lately(now)) {
    short_since_.reset();
    return;
  }
  if (!short_since_) short_since_ = now;
  if (now - *short_since_ < options_.room_patience) return;
  fail(FaultKind::TryAgain, "no room for " + counted(need_, "copy", "copies") + " on the " +
                                counted(storing_nodes_, "node that stores", "nodes that store") + " blocks" +
                                troubles() +
                                "; raise a worker's --storage-max, add a worker or ask for fewer copies");
}

bool StorePlan::lost_lately(Monotonic now) const {
  return std::ranges::any_of(nodes_, [now](const auto& named) {
    return named.second.state == State::Gone && now - named.second.gone_at < index_lag;
  });
}

std::optional<StorePlan::Sending> StorePlan::next_sending(Monotonic now) const {
  if (!placed_ || failure_) return std::nullopt;
  for (const auto& [peer, node] : nodes_) {
    if (node.state != State::Live || (node.not_before && *node.not_before > now)) continue;
    const auto number = next_for(node, peer);
    if (number) return Sending{peer, *number, entries_.at(*number).block};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> StorePlan::next_for(const Node& node, PeerId peer) const {
  for (const std::uint64_t number : node.again) {
    const auto at = entries_.find(number);
    if (at != entries_.end() && still_needs(at->second, peer)) return number;
  }
  for (auto at = entries_.lower_bound(node.next); at != entries_.end(); ++at) {
    if (still_needs(at->second, peer)) return at->first;
  }
  return std::nullopt;
}

bool StorePlan::still_needs(const Entry& entry, PeerId peer) const {
  return !contains(entry.sent, peer) && !contains(entry.synced, peer) &&
         entry.sent.size() + entry.synced.size() < need_;
}

void StorePlan::on_sent(Monotonic now, const Sending& sending) {
  Node& node = nodes_.at(sending.peer);
  if (node.again.erase(sending.number) == 0) node.next = sending.number + 1;
  if (node.unanswered++ == 0) node.heard = now;
  entries_.at(sending.number).sent.push_back(sending.peer);
}

void StorePlan::on_unsent(Monotonic now, const Sending& sending) {
  nodes_.at(sending.peer).not_before = now + unsent_pause;
}

void StorePlan::on_connected(Monotonic now, PeerId peer) {
  const auto at = nodes_.find(peer);
  if (at == nodes_.end() || at->second.state != State::Connecting) return;
  at->second.state = State::Live;
  at->second.heard = now;
}

void StorePlan::on_lost(Monotonic now, PeerId peer) {
  const auto at = nodes_.find(peer);
  if (at == nodes_.end() || at->second.state == State::Connecting) return;
  lose(now, peer, "the connection to it broke");
}

void StorePlan::on_refused(Monotonic now, PeerId peer, std::string_view reason) {
  const auto at = nodes_.find(peer);
  if (at == nodes_.end()) return;
  at->second.banned = true;
  lose(now, peer, std::string(reason));
}

void StorePlan::on_reply(Monotonic now, PeerId peer, const Cid& cid, StoreAnswer answer,
                         std::string_view reason) {
  const auto node_at = nodes_.find(peer);
  if (node_at == nodes_.end() || node_at->second.state == State::Gone) return;
  Node& node = node_at->second;
  node.heard = now;
  const auto number = numbers_.find(cid.multihash());
  if (number == numbers_.end()) return;
  const auto at = entries_.find(number->second);
  Entry& entry = at->second;
  if (std::erase(entry.sent, peer) > 0) --node.unanswered;
  switch (answer) {
    case StoreAnswer::Synced:
      add_once(entry.synced, peer);
      if (entry.synced.size() >= need_) settle(now, at);
      return;
    case StoreAnswer::NoRoom:
      return fill_up(now, peer, reason);
    case StoreAnswer::Busy:
      node.again.insert(at->first);
      node.not_before = now + busy_pause;
      return;
    case StoreAnswer::BadHash:
      if (const Status verified = verify(cid, entry.block.bytes()); !verified) {
        return fail(FaultKind::BadData, verified.error().message);
      }
      return on_refused(now, peer, "it takes good blocks for bad ones");
  }
}

void StorePlan::fill_up(Monotonic now, PeerId peer, std::string_view reason) {
  Node& node = nodes_.at(peer);
  node.state = State::Full;
  node.reason = reason;
  node.unanswered = 0;
  for (auto& [number, entry] : entries_) std::erase(entry.sent, peer);
  ask_at_ = now;
}

void StorePlan::lose(Monotonic now, PeerId peer, std::string reason) {
  Node& node = nodes_.at(peer);
  if (node.state == State::Gone) return;
  const bool had_orphans = has_orphans();
  node.state = State::Gone;
  node.reason = std::move(reason);
  node.gone_at = now;
  node.unanswered = 0;
  node.again.clear();
  for (auto& [number, entry] : entries_) {
    std::erase(entry.sent, peer);
    std::erase(entry.synced, peer);
  }
  // A survivor may have been passed over for a block that this one was to hold.
  for (auto& [other, survivor] : nodes_) survivor.next = 0;
  ask_at_ = now;
  if (entries_.empty() && !had_orphans) progress_at_ = now;
}

void StorePlan::settle_what_is_done(Monotonic now) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    at = at->second.synced.size() >= need_ ? settle(now, at) : std::next(at);
  }
}

StorePlan::Entries::iterator StorePlan::settle(Monotonic now, Entries::iterator at) {
  Entry& entry = at->second;
  for (const PeerId peer : entry.sent) --nodes_.at(peer).unanswered;
  if (!options_.keeps_copy) {
    std::ranges::sort(entry.synced);
    ++holders_[entry.synced];
  }
  progress_at_ = now;
  ++settled_blocks_;
  bytes_held_ -= entry.block.bytes().size();
  numbers_.erase(entry.block.cid().multihash());
  return entries_.erase(at);
}

std::vector<PeerId> StorePlan::pass_time(Monotonic now) {
  std::vector<PeerId> silent;
  for (auto& [peer, node] : nodes_) {
    if (node.not_before && *node.not_before <= now) node.not_before.reset();
    const Duration allowed = node.state == State::Connecting
                                 ? std::min<Duration>(options_.silence, limits::provider_silence)
                                 : options_.silence;
    const bool waited_for = node.state == State::Connecting || node.unanswered > 0;
    if (!is_active(node) || !waited_for || now - node.heard < allowed) continue;
    silent.push_back(peer);
  }
  for (const PeerId peer : silent) {
    const bool connecting = nodes_.at(peer).state == State::Connecting;
    lose(now, peer, connecting ? "it cannot be reached" : "it does not answer");
  }
  judge_patience(now);
  return silent;
}

void StorePlan::judge_patience(Monotonic now) {
  for (const auto& [holders, count] : holders_) {
    const bool lasting = std::ranges::all_of(holders, [&](PeerId peer) {
      const Node& node = nodes_.at(peer);
      return node.state == State::Gone && now - node.gone_at >= index_lag;
    });
    if (!lasting) continue;
    return fail(FaultKind::Unavailable, "the only nodes that hold " + std::to_string(count) +
                                            " of the blocks went away" + troubles() + "; add again");
  }
  if (!has_work() || now - progress_at_ < options_.patience) return;
  if (index_fault_) return fail(index_fault_->kind, index_fault_->message);
  if (placed_ && storing_nodes_ == 0) {
    return fail(FaultKind::Unavailable, "no node stores blocks; start a cidbus-worker");
  }
  fail(FaultKind::TimedOut, "the storing nodes take no blocks" + troubles() + "; see to them and try again");
}

std::optional<Monotonic> StorePlan::deadline(Monotonic now) const {
  std::optional<Monotonic> earliest;
  if (failure_ || !has_work()) return earliest;
  take_earlier(earliest, progress_at_ + options_.patience);
  if (!asking_ && missing_nodes() > 0) take_earlier(earliest, ask_at_);
  for (const auto& [peer, node] : nodes_) {
    if (node.not_before) take_earlier(earliest, *node.not_before);
    if (node.state == State::Connecting) take_earlier(earliest, node.heard + limits::provider_silence);
    if (node.unanswered > 0) take_earlier(earliest, node.heard + options_.silence);
    const Monotonic given_up = node.gone_at + index_lag;
    if (node.state == State::Gone && given_up > now) take_earlier(earliest, given_up);
  }
  return earliest;
}

void StorePlan::fail(FaultKind kind, std::string message) {
  if (!failure_) failure_ = Fault{kind, std::move(message)};
}

// ": w1: the disk is full, w2: it does not answer", or nothing.
std::string StorePlan::troubles() const {
  std::string text;
  for (const auto& [peer, node] : nodes_) {
    if (node.reason.empty()) continue;
    text += (text.empty() ? ": " : ", ") + node.name + ": " + node.reason;
  }
  return text;
}

}  // namespace cidbus
