#include "shared/exchange/fetch_plan.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/messages.h"

namespace cidbus {

namespace {

using namespace std::chrono_literals;

constexpr Duration first_locate_pause = 50ms;
constexpr Duration longest_locate_pause = 1s;
constexpr Duration busy_pause = 20ms;
constexpr Duration unsent_pause = 2ms;
constexpr Duration distrust = 1min;
constexpr ByteCount least_typical_bytes = 1024;

void add_once(std::vector<PeerId>& peers, PeerId peer) {
  if (std::ranges::find(peers, peer) == peers.end()) peers.push_back(peer);
}

void take_earlier(std::optional<Monotonic>& earliest, Monotonic time) {
  if (!earliest || time < *earliest) earliest = time;
}

}  // namespace

bool FetchPlan::want(const Cid& cid, Urgency urgency) {
  ENSURE(!cid.is_null() && !cid.is_identity());
  const auto known = places_.find(cid.multihash());
  if (known != places_.end()) {
    if (urgency >= known->second.first) return true;
    auto node = wants_.extract(known->second);
    node.key().first = urgency;
    known->second = node.key();
    wants_.insert(std::move(node));
    return true;
  }
  if (urgency == Urgency::Hint && wants_.size() >= limits::fetch_wants) return false;
  const Place place{urgency, ++last_number_};
  places_.emplace(cid.multihash(), place);
  Want& want = wants_[place];
  want.cid = cid;
  want.locate_pause = first_locate_pause;
  return true;
}

void FetchPlan::forget(const Cid& cid) {
  const auto known = places_.find(cid.multihash());
  if (known != places_.end()) erase(wants_.find(known->second));
}

std::vector<Cid> FetchPlan::take_to_locate(Monotonic now) {
  std::vector<Cid> cids;
  for (auto& [place, want] : wants_) {
    if (want.stage != Stage::ToLocate || want.locate_at > now) continue;
    if (cids.size() == limits::items_a_message) break;
    want.stage = Stage::Locating;
    cids.push_back(want.cid);
  }
  return cids;
}

void FetchPlan::located(Monotonic now, const Cid& cid, std::vector<PeerId> holders) {
  const auto known = places_.find(cid.multihash());
  if (known == places_.end()) return;
  const auto at = wants_.find(known->second);
  Want& want = at->second;
  if (want.stage != Stage::Locating) return;
  want.trouble.located = want.trouble.located || !holders.empty();
  for (const PeerId holder : holders) {
    Peer& peer = peers_[holder];
    if (!peer.connected && !peer.connect_by) peer.connect_by = now + silence_;
  }
  want.holders = std::move(holders);
  try_next(now, at);
}

void FetchPlan::not_located(Monotonic now, const Cid& cid) {
  const auto known = places_.find(cid.multihash());
  if (known == places_.end()) return;
  const auto at = wants_.find(known->second);
  if (at->second.stage == Stage::Locating) locate_later(now, at);
}

std::vector<FetchPlan::Request> FetchPlan::take_requests(Monotonic now) {
  std::map<PeerId, std::vector<Cid>> asked;
  for (auto& [place, want] : wants_) {
    if (bytes_under_way_ > 0 && bytes_under_way_ + typical_bytes_ > limits::fetch_bytes) break;
    if (want.stage != Stage::Located) continue;
    const auto peer = choose(now, want);
    if (!peer) continue;
    ask(now, want, *peer);
    asked[*peer].push_back(want.cid);
  }
  std::vector<Request> requests;
  for (auto& [peer, cids] : asked) requests.push_back({peer, std::move(cids)});
  return requests;
}

bool FetchPlan::may_ask(Monotonic now, PeerId id) const {
  const auto at = peers_.find(id);
  if (at == peers_.end()) return false;
  const Peer& peer = at->second;
  if (!peer.connected || peer.distrusted_until || (peer.not_before && *peer.not_before > now)) return false;
  if (peer.blocks == 0) return true;
  return peer.blocks < limits::fetch_peer_blocks && peer.bytes + typical_bytes_ <= limits::fetch_peer_bytes;
}

std::optional<PeerId> FetchPlan::choose(Monotonic now, const Want& want) const {
  std::optional<PeerId> best;
  for (const PeerId id : want.holders) {
    if (!may_ask(now, id)) continue;
    if (!best || peers_.at(id).bytes < peers_.at(*best).bytes) best = id;
  }
  return best;
}

void FetchPlan::ask(Monotonic now, Want& want, PeerId id) {
  Peer& peer = peers_[id];
  std::erase(want.holders, id);
  want.stage = Stage::Asked;
  want.asked = id;
  want.expected = typical_bytes_;
  if (peer.blocks == 0) peer.heard = now;
  ++peer.blocks;
  peer.bytes += want.expected;
  bytes_under_way_ += want.expected;
}

void FetchPlan::end_asking(Want& want) {
  ENSURE(want.stage == Stage::Asked);
  Peer& peer = peers_[want.asked];
  --peer.blocks;
  peer.bytes -= want.expected;
  bytes_under_way_ -= want.expected;
  want.stage = Stage::Located;
}

void FetchPlan::on_unsent(Monotonic now, const Request& request) {
  for (const Cid& cid : request.cids) {
    const auto at = take_asked(request.peer, cid);
    if (at != wants_.end()) at->second.holders.push_back(request.peer);
  }
  peers_[request.peer].not_before = now + unsent_pause;
}

FetchPlan::Wants::iterator FetchPlan::take_asked(PeerId peer, const Cid& cid) {
  const auto known = places_.find(cid.multihash());
  if (known == places_.end()) return wants_.end();
  const auto at = wants_.find(known->second);
  if (at->second.stage != Stage::Asked || at->second.asked != peer) return wants_.end();
  end_asking(at->second);
  return at;
}

void FetchPlan::on_connected(Monotonic now, PeerId id) {
  Peer& peer = peers_[id];
  peer.connected = true;
  peer.heard = now;
  peer.connect_by.reset();
}

void FetchPlan::on_lost(Monotonic now, PeerId id) {
  Peer& peer = peers_[id];
  peer.connected = false;
  peer.connect_by = now + silence_;
  for (auto at = wants_.begin(); at != wants_.end();) {
    Want& want = at->second;
    if (want.stage != Stage::Asked || want.asked != id) {
      ++at;
      continue;
    }
    end_asking(want);
    add_once(want.trouble.silent, id);
    at = try_next(now, at);
  }
}

void FetchPlan::on_block(Monotonic now, PeerId peer, const Cid& cid, ByteCount bytes) {
  peers_[peer].heard = now;
  typical_bytes_ = std::max(least_typical_bytes, (typical_bytes_ * 7 + bytes) / 8);
  forget(cid);
}

void FetchPlan::on_wrong_block(Monotonic now, PeerId peer, const Cid& cid) {
  peers_[peer].heard = now;
  const auto at = take_asked(peer, cid);
  if (at != wants_.end()) {
    add_once(at->second.trouble.wrong, peer);
    try_next(now, at);
  }
  peers_[peer].distrusted_until = now + distrust;
  drop_peer(now, peer, &Trouble::wrong);
}

void FetchPlan::on_missing(Monotonic now, PeerId peer, const Cid& cid) {
  peers_[peer].heard = now;
  const auto at = take_asked(peer, cid);
  if (at == wants_.end()) return;
  Trouble& trouble = at->second.trouble;
  add_once(trouble.missing, peer);
  if (at->second.holders.empty() && trouble.silent.empty() && trouble.wrong.empty()) trouble.located = false;
  try_next(now, at);
}

void FetchPlan::on_busy(Monotonic now, PeerId peer, const Cid& cid) {
  peers_[peer].heard = now;
  const auto at = take_asked(peer, cid);
  if (at != wants_.end()) at->second.holders.push_back(peer);
  peers_[peer].not_before = now + busy_pause;
}

void FetchPlan::on_refused(Monotonic now, PeerId peer) {
  peers_[peer].distrusted_until = now + distrust;
  drop_peer(now, peer, &Trouble::silent);
}

void FetchPlan::drop_peer(Monotonic now, PeerId id, std::vector<PeerId> Trouble::*how) {
  for (auto at = wants_.begin(); at != wants_.end();) {
    Want& want = at->second;
    const bool asked = want.stage == Stage::Asked && want.asked == id;
    const bool hoped = std::erase(want.holders, id) > 0;
    if (asked) end_asking(want);
    if (asked || hoped) add_once(want.trouble.*how, id);
    if (asked || (hoped && want.stage == Stage::Located)) {
      at = try_next(now, at);
    } else {
      ++at;
    }
  }
}

FetchPlan::Wants::iterator FetchPlan::try_next(Monotonic now, Wants::iterator at) {
  Want& want = at->second;
  std::erase_if(want.holders, [this](PeerId id) { return peers_[id].distrusted_until.has_value(); });
  if (want.holders.empty()) return locate_later(now, at);
  want.stage = Stage::Located;
  return std::next(at);
}

FetchPlan::Wants::iterator FetchPlan::locate_later(Monotonic now, Wants::iterator at) {
  if (at->first.first == Urgency::Hint) return erase(at);
  Want& want = at->second;
  want.stage = Stage::ToLocate;
  want.locate_at = now + want.locate_pause;
  want.locate_pause = std::min(want.locate_pause * 2, longest_locate_pause);
  return std::next(at);
}

FetchPlan::Wants::iterator FetchPlan::erase(Wants::iterator at) {
  if (at->second.stage == Stage::Asked) end_asking(at->second);
  places_.erase(at->second.cid.multihash());
  return wants_.erase(at);
}

void FetchPlan::pass_time(Monotonic now) {
  for (auto& [id, peer] : peers_) {
    if (peer.not_before && *peer.not_before <= now) peer.not_before.reset();
    if (peer.distrusted_until && *peer.distrusted_until <= now) peer.distrusted_until.reset();
    const bool unreachable = peer.connect_by && *peer.connect_by <= now;
    const bool silent = peer.blocks > 0 && peer.heard + silence_ <= now;
    if (!unreachable && !silent) continue;
    peer.connect_by.reset();
    if (silent) peer.not_before = now + silence_;
    drop_peer(now, id, &Trouble::silent);
  }
}

std::optional<Monotonic> FetchPlan::deadline() const {
  std::optional<Monotonic> earliest;
  for (const auto& [place, want] : wants_) {
    if (want.stage == Stage::ToLocate) take_earlier(earliest, want.locate_at);
  }
  for (const auto& [id, peer] : peers_) {
    if (peer.not_before) take_earlier(earliest, *peer.not_before);
    if (peer.connect_by) take_earlier(earliest, *peer.connect_by);
    if (peer.blocks > 0) take_earlier(earliest, peer.heard + silence_);
  }
  return earliest;
}

const FetchPlan::Trouble& FetchPlan::trouble(const Cid& cid) const {
  const auto known = places_.find(cid.multihash());
  ENSURE(known != places_.end(), to_text(cid));
  return wants_.at(known->second).trouble;
}

}  // namespace cidbus
