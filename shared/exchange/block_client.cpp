#include "shared/exchange/block_client.h"

#include <algorithm>
#include <unordered_set>

#include "shared/base/ensure.h"
#include "shared/exchange/fetch_plan.h"
#include "shared/exchange/peer_connections.h"
#include "shared/exchange/store_plan.h"
#include "shared/io/clock.h"
#include "shared/store/block_key.h"
#include "shared/store/block_store.h"

namespace cidbus {

namespace {

using namespace std::chrono_literals;

constexpr Duration longest_wait = 200ms;  // for stopped() to be heard of
constexpr Duration index_patience = 1s;   // of one question: blocks under way wait for it
// Whoever was asked has said no: the index, which a leecher that is cut off refuses to be, or the holders
// named. More time brings little; this much outlasts a change of leader.
constexpr Duration denied_patience = 1s;
constexpr std::size_t wanted_at_once = 256;
constexpr ByteCount placement_bytes = limits::store_bytes;  // a lot's size is not known when it begins

std::vector<BlockKey> keys_of(std::span<const Cid> cids) {
  std::vector<BlockKey> keys;
  keys.reserve(cids.size());
  for (const Cid& cid : cids) keys.push_back(block_key(cid));
  return keys;
}

StorePlan::Options plan_options(const NodeIdentity& identity, const BlockClientOptions& options) {
  StorePlan::Options plan;
  plan.copies = options.copies;
  plan.keeps_copy = options.keeps_copy;
  plan.own_name = identity.name;
  plan.window_bytes = options.store_window_bytes;
  plan.silence = options.target_silence;
  plan.room_patience = options.room_patience;
  plan.patience = options.patience;
  return plan;
}

}  // namespace

struct BlockClient::State final : PeerConnections::Owner {
  State(SocketContext& context, BlockIndex& block_index, NodeIdentity node_identity,
        const BlockClientOptions& client_options, Arrived on_arrived)
      : identity(std::move(node_identity)),
        options(client_options),
        index(block_index),
        arrived(std::move(on_arrived)),
        peers(context, identity, *this),
        fetching(options.provider_silence),
        storing(std::make_unique<StorePlan>(plan_options(identity, options))) {}

  // Everything that is due, then a wait for what comes next, until `deadline` at the longest.
  void turn(Monotonic deadline);
  void locate(Monotonic now, Monotonic deadline);
  void place(Monotonic now);
  void send_requests(Monotonic now);
  void send_blocks(Monotonic now);
  [[nodiscard]] Duration time_to_wait(Monotonic now, Monotonic deadline) const;

  void on_connected(Monotonic now, PeerId peer) override;
  void on_lost(Monotonic now, PeerId peer) override;
  void on_block_reply(Monotonic now, PeerId peer, BlockAnswer answer, const Block& block) override;
  void on_store_reply(Monotonic now, PeerId peer, const Cid& cid, StoreAnswer answer,
                      std::string_view reason) override;
  void on_refused(Monotonic now, PeerId peer, std::string_view reason) override;

  void begin_waiting(const Cid& cid);
  void end_waiting();
  [[nodiscard]] Status judge_stop() const;
  [[nodiscard]] Status judge_waiting(std::span<const Cid> cids, Monotonic began, Monotonic deadline) const;
  [[nodiscard]] Fault why_not_here(const Cid& cid) const;
  [[nodiscard]] std::string names(const std::vector<PeerId>& ids) const;
  Result<BlockHolders> find(std::span<const Cid> cids, Monotonic deadline);

  const NodeIdentity identity;
  const BlockClientOptions options;
  BlockIndex& index;
  const Arrived arrived;
  PeerConnections peers;
  FetchPlan fetching;
  std::unique_ptr<StorePlan> storing;  // of one lot
  std::optional<Fault> index_fault;    // of the last search
  Monotonic index_down_until{};        // after a fault: hints are not worth the wait for another
  BlockClientCounts counts;

  // What fetch() or fetch_all() wait for, and where it goes. The fault of `take` ends the waiting.
  std::unordered_set<Multihash> waited;
  const std::function<Status(const Block&)>* take = nullptr;
  Status taken;

  std::vector<PeerId> to_cut;  // once nobody is in the middle of reading from them
};

void BlockClient::State::turn(Monotonic deadline) {
  Monotonic now = read_clock().monotonic;
  locate(now, deadline);
  place(now);
  now = read_clock().monotonic;
  send_requests(now);
  send_blocks(now);
  peers.wait(time_to_wait(now, deadline));
  now = read_clock().monotonic;
  fetching.pass_time(now);
  for (const PeerId peer : storing->pass_time(now)) to_cut.push_back(peer);
  for (const PeerId peer : std::exchange(to_cut, {})) {
    if (!peers.is_connected(peer)) continue;
    peers.cut(peer);
    fetching.on_lost(now, peer);
    storing->on_lost(now, peer);
  }
}

void BlockClient::State::locate(Monotonic now, Monotonic deadline) {
  const std::vector<Cid> cids = fetching.take_to_locate(now);
  if (cids.empty()) return;
  const Monotonic answer_by = now + index_patience;
  const auto found = find(cids, deadline > now ? std::min(deadline, answer_by) : answer_by);
  now = read_clock().monotonic;
  index_fault.reset();
  if (!found) {
    index_fault = found.error();
    index_down_until = now + index_patience;
  }
  for (std::size_t i = 0; i < cids.size(); ++i) {
    if (!found) {
      fetching.not_located(now, cids[i]);
      continue;
    }
    std::vector<PeerId> holders;
    for (const std::uint32_t place_in_nodes : found->holders[i]) {
      const PeerId peer = peers.know(found->nodes[place_in_nodes]);
      peers.open(peer);
      holders.push_back(peer);
    }
    fetching.located(now, cids[i], std::move(holders));
  }
}

Result<BlockHolders> BlockClient::State::find(std::span<const Cid> cids, Monotonic deadline) {
  auto found = index.find(keys_of(cids), deadline);
  if (!found) return found;
  found->holders.resize(cids.size());
  for (auto& holders : found->holders) {
    std::erase_if(holders, [&](std::uint32_t place_in_nodes) {
      return place_in_nodes >= found->nodes.size() || found->nodes[place_in_nodes].name == identity.name;
    });
  }
  return found;
}

void BlockClient::State::place(Monotonic now) {
  const auto question = storing->take_question(now);
  if (!question) return;
  const auto answer = index.place(question->copies, placement_bytes, question->exclude, now + index_patience);
  now = read_clock().monotonic;
  if (!answer) return storing->not_placed(now, answer.error());
  std::vector<StorePlan::Target> targets;
  for (const StoringNode& node : answer->nodes) targets.push_back({node.name, peers.know(node)});
  storing->placed(now, targets, answer->storing_nodes);
  for (const StorePlan::Target& target : targets) {
    peers.open(target.peer);
    if (peers.is_connected(target.peer)) storing->on_connected(now, target.peer);
  }
}

void BlockClient::State::send_requests(Monotonic now) {
  for (const FetchPlan::Request& request : fetching.take_requests(now)) {
    if (!peers.want(request.peer, request.cids)) fetching.on_unsent(now, request);
  }
}

void BlockClient::State::send_blocks(Monotonic now) {
  while (const auto sending = storing->next_sending(now)) {
    if (peers.store(sending->peer, sending->block)) {
      storing->on_sent(now, *sending);
    } else {
      storing->on_unsent(now, *sending);
    }
  }
}

Duration BlockClient::State::time_to_wait(Monotonic now, Monotonic deadline) const {
  Monotonic until = std::min(deadline, now + longest_wait);
  for (const auto due : {fetching.deadline(), storing->deadline(now)}) {
    if (due) until = std::min(until, *due);
  }
  return std::max(until - now, Duration::zero());
}

void BlockClient::State::on_connected(Monotonic now, PeerId peer) {
  fetching.on_connected(now, peer);
  storing->on_connected(now, peer);
}

void BlockClient::State::on_lost(Monotonic now, PeerId peer) {
  fetching.on_lost(now, peer);
  storing->on_lost(now, peer);
}

void BlockClient::State::on_block_reply(Monotonic now, PeerId peer, BlockAnswer answer, const Block& block) {
  const Cid& cid = block.cid();
  if (answer == BlockAnswer::Missing) return fetching.on_missing(now, peer, cid);
  if (answer == BlockAnswer::Busy) return fetching.on_busy(now, peer, cid);
  if (!fetching.wants(cid)) {
    ++counts.unwanted_blocks;
    return;
  }
  if (!verify(cid, block.bytes())) {
    ++counts.wrong_blocks;
    fetching.on_wrong_block(now, peer, cid);
    to_cut.push_back(peer);
    return;
  }
  ++counts.blocks_fetched;
  counts.bytes_fetched += block.bytes().size();
  fetching.on_block(now, peer, cid, block.bytes().size());
  if (waited.erase(cid.multihash()) == 0) {
    if (arrived) arrived(block);
  } else if (taken) {
    taken = (*take)(block);
  }
}

void BlockClient::State::on_store_reply(Monotonic now, PeerId peer, const Cid& cid, StoreAnswer answer,
                                        std::string_view reason) {
  storing->on_reply(now, peer, cid, answer, reason);
}

void BlockClient::State::on_refused(Monotonic now, PeerId peer, std::string_view reason) {
  fetching.on_refused(now, peer);
  storing->on_refused(now, peer, reason);
}

void BlockClient::State::begin_waiting(const Cid& cid) {
  fetching.want(cid, FetchPlan::Urgency::Waited);
  waited.insert(cid.multihash());
}

// What is still waited for is wanted no longer.
void BlockClient::State::end_waiting() {
  for (const Multihash& multihash : waited) fetching.forget(Cid::v1(Codec::Raw, multihash));
  waited.clear();
  take = nullptr;
  taken = {};
}

Status BlockClient::State::judge_stop() const {
  if (!options.stopped || !options.stopped()) return {};
  return fault(FaultKind::Unavailable, "what asked for it is stopping; ask another");
}

// Whether waiting for these makes sense still.
Status BlockClient::State::judge_waiting(std::span<const Cid> cids, Monotonic began,
                                         Monotonic deadline) const {
  if (waited.empty()) return {};
  if (const Status stopped = judge_stop(); !stopped) return stopped;
  const Monotonic now = read_clock().monotonic;
  const bool is_late = now >= deadline;
  const bool refused = index_fault && index_fault->kind == FaultKind::TryAgain;
  const bool unknown_long = now - began >= options.unknown_patience;
  const bool denied_long = now - began >= denied_patience;
  if (!is_late && !unknown_long && !denied_long) return {};
  const auto hopeless = std::ranges::find_if(cids, [&](const Cid& cid) {
    if (!waited.contains(cid.multihash())) return false;
    const FetchPlan::Trouble& trouble = fetching.trouble(cid);
    if (is_late || trouble.located) return is_late;
    return unknown_long || (denied_long && (refused || !trouble.missing.empty()));
  });
  if (hopeless == cids.end()) return {};
  return tl::unexpected(why_not_here(*hopeless));
}

Fault BlockClient::State::why_not_here(const Cid& cid) const {
  const FetchPlan::Trouble& trouble = fetching.trouble(cid);
  const std::string text = to_text(cid);
  if (!trouble.located && index_fault) return *index_fault;
  if (!trouble.wrong.empty()) {
    return {FaultKind::NotFound, "no node holds " + text + " unharmed: " + names(trouble.wrong) +
                                     " sent other bytes; add it again"};
  }
  if (!trouble.silent.empty()) {
    return {FaultKind::TimedOut, names(trouble.silent) + " should hold " + text +
                                     " but did not answer in time; see to the node or try again"};
  }
  if (trouble.located && trouble.missing.empty()) {
    return {FaultKind::TimedOut, text + " is held but did not come in time; try again, or wait longer"};
  }
  if (!trouble.missing.empty()) {
    return {FaultKind::NotFound, "no node that can be reached holds " + text + ": " + names(trouble.missing) +
                                     (trouble.missing.size() == 1 ? " does" : " do") +
                                     " not have it; check the CID, or add the content again"};
  }
  return {FaultKind::NotFound,
          "no node holds " + text + "; start the node that has it, or add the content again"};
}

std::string BlockClient::State::names(const std::vector<PeerId>& ids) const {
  std::string text;
  for (const PeerId peer : ids) text += (text.empty() ? "" : ", ") + peers.node(peer).name;
  return text;
}

BlockClient::BlockClient(SocketContext& context, BlockIndex& index, const NodeIdentity& identity,
                         const BlockClientOptions& options, Arrived arrived)
    : state_(std::make_unique<State>(context, index, identity, options, std::move(arrived))) {
  ENSURE(options.copies >= 1);
}
BlockClient::~BlockClient() = default;

Result<Block> BlockClient::fetch(const Cid& cid, Monotonic deadline) {
  Block fetched;
  const Status got = fetch_all({&cid, 1}, deadline, [&](const Block& block) {
    fetched = named(cid, block);
    return Status();
  });
  if (!got) return tl::unexpected(got.error());
  return fetched;
}

Status BlockClient::fetch_all(std::span<const Cid> cids, Monotonic deadline,
                              const std::function<Status(const Block&)>& take) {
  State& state = *state_;
  ENSURE(state.take == nullptr);
  state.take = &take;
  const Monotonic began = read_clock().monotonic;
  std::size_t begun = 0;
  Status outcome;
  while (outcome) {
    // Refilled by halves, so that the index is asked for many at once.
    const bool refill = state.waited.size() <= wanted_at_once / 2;
    while (refill && begun < cids.size() && state.waited.size() < wanted_at_once) {
      state.begin_waiting(cids[begun++]);
    }
    if (state.waited.empty()) break;
    state.turn(deadline);
    if (!state.taken) {
      outcome = state.taken;
    } else {
      outcome = state.judge_waiting(cids, began, deadline);
    }
  }
  state.end_waiting();
  return outcome;
}

void BlockClient::prefetch(std::span<const Cid> cids) {
  if (read_clock().monotonic < state_->index_down_until) return;
  for (const Cid& cid : cids) {
    if (!cid.is_identity()) state_->fetching.want(cid, FetchPlan::Urgency::Hint);
  }
  work();
}

bool BlockClient::is_fetching(const Cid& cid) const { return state_->fetching.wants(cid); }

void BlockClient::work() { state_->turn(read_clock().monotonic); }

Status BlockClient::store(const Block& block) {
  State& state = *state_;
  StorePlan& storing = *state.storing;
  while (!storing.failure() && !storing.has_room(block.bytes().size())) {
    if (Status stopped = state.judge_stop(); !stopped) return stopped;
    state.turn(read_clock().monotonic + longest_wait);
  }
  if (storing.failure()) return tl::unexpected(*storing.failure());
  storing.add(read_clock().monotonic, block);
  state.counts.most_bytes_held = std::max(state.counts.most_bytes_held, storing.bytes_held());
  work();
  return {};
}

Status BlockClient::flush() {
  State& state = *state_;
  Status outcome;
  while (outcome && !state.storing->failure() && !state.storing->is_settled()) {
    state.turn(read_clock().monotonic + longest_wait);
    outcome = state.judge_stop();
  }
  if (state.storing->failure()) {
    outcome = tl::unexpected(*state.storing->failure());
  } else if (state.storing->is_settled()) {
    outcome = {};
  }
  state.counts.blocks_settled += state.storing->settled_blocks();
  state.storing = std::make_unique<StorePlan>(plan_options(state.identity, state.options));
  return outcome;
}

Result<BlockHolders> BlockClient::find(std::span<const Cid> cids, Monotonic deadline) {
  return state_->find(cids, deadline);
}

BlockClientCounts BlockClient::counts() const {
  BlockClientCounts counts = state_->counts;
  counts.rubbish = state_->peers.rubbish();
  counts.blocks_settled += state_->storing->settled_blocks();
  return counts;
}

}  // namespace cidbus
