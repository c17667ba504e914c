#include "shared/exchange/exchange_server.h"

#include <atomic>
#include <deque>
#include <thread>
#include <unordered_map>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/exchange/flight_budget.h"
#include "shared/io/clock.h"
#include "shared/io/key_view.h"
#include "shared/io/reactor.h"
#include "shared/wire/codec.h"

namespace cidbus {

namespace {

constexpr std::size_t messages_a_turn = 256;
constexpr Duration full_pipe_pause = std::chrono::milliseconds(2);

struct Counters {
  std::atomic<std::uint64_t> blocks_sent = 0;
  std::atomic<std::uint64_t> bytes_sent = 0;
  std::atomic<std::uint64_t> blocks_stored = 0;
  std::atomic<std::uint64_t> bytes_stored = 0;
  std::atomic<std::uint64_t> blocks_missing = 0;
  std::atomic<std::uint64_t> busy = 0;
  std::atomic<std::uint64_t> bad_blocks = 0;
  std::atomic<std::uint64_t> no_room = 0;
  std::atomic<std::uint64_t> synced_writes = 0;
  std::atomic<std::uint64_t> damaged = 0;
  std::atomic<std::uint64_t> refused_messages = 0;
  std::atomic<std::uint64_t> most_bytes_on_the_way = 0;
};

struct Wanted {
  RequestId request;
  Cid cid;
};

struct Peer {
  std::string key;            // it came with; empty where no keys are in use
  std::deque<Wanted> wanted;  // at most limits::serve_wants
  std::shared_ptr<PeerFlights> flights = std::make_shared<PeerFlights>(0);
};

// A block to store, until the turn's write.
struct Arrived {
  std::string peer;
  RequestId request;
};

StoreAnswer to_store_answer(PutAnswer answer) {
  switch (answer) {
    case PutAnswer::Stored:
    case PutAnswer::Present:
      return StoreAnswer::Synced;
    case PutAnswer::Bad:
      return StoreAnswer::BadHash;
    case PutAnswer::NoRoom:
      return StoreAnswer::NoRoom;
  }
  return StoreAnswer::NoRoom;
}

Socket::Options server_options() {
  Socket::Options options;
  options.queue = 4096;
  options.receive_queue = 16;
  options.admits = roles_with_content;
  return options;
}

enum class Serve {
  Went,
  NoCredit,  // too much is on its way; the budget's descriptor tells when that changes
  PipeFull,  // nothing tells when that changes
  PeerGone,
};

}  // namespace

class ExchangeServer::Actor {
 public:
  Actor(SocketContext& context, BlockStore& store, NodeIdentity identity)
      : store_(store),
        identity_(std::move(identity)),
        cluster_(cluster_id(identity_.cluster)),
        socket_(context, SocketKind::Router, server_options()),
        keys_(context) {}
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  ~Actor() {
    reactor_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status start(const std::string& address);
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] ExchangeCounts counts() const;

  // Set from other threads.
  std::atomic<ByteCount> window = limits::serve_bytes;
  std::atomic<ByteCount> batch = limits::store_write_bytes;
  void set_taking(bool takes) {
    takes_ = takes;
    if (takes) return;
    const std::uint64_t turns = turns_;
    reactor_.wake();
    turns_.wait(turns);
  }

 private:
  // Reading.
  void read_messages();
  void on_message(const std::shared_ptr<Frames>& frames);
  bool is_allowed(const Frames& frames, std::string_view sender);
  void leave_the_revoked();
  void on_want(const std::string& peer, const WantBlocks& want, std::string_view key);
  void on_store(const std::string& peer, const StoreBlock& store, const std::shared_ptr<Frames>& frames);
  void refuse(const std::string& peer, Refusal why, std::string_view reason);

  // The turn's end.
  std::optional<Monotonic> end_turn(Now now);
  enum class Left { Nothing, More, PipeFull };
  struct Round {
    bool went = false;
    bool no_credit = false;
    bool pipe_full = false;
  };
  void write_arrived();
  Left serve_all();
  Round serve_round(ByteCount& turn_bytes);
  Serve serve_one(const std::string& name, Peer& peer, ByteCount& turn_bytes);
  BlockAnswer read_block(const Cid& cid, std::optional<Block>& block);

  SendAnswer send(const std::string& peer, const Message& message);
  [[nodiscard]] Header header() const;

  BlockStore& store_;
  const NodeIdentity identity_;
  const ClusterId cluster_;
  Socket socket_;
  KeyView keys_;
  Reactor reactor_;
  Encoder encoder_;
  Decoder decoder_;
  std::string address_;
  Counters counters_;

  std::unordered_map<std::string, Peer> peers_;  // those with something wanted or on its way
  const std::shared_ptr<FlightBudget> budget_ =
      std::make_shared<FlightBudget>();  // shared with messages sent
  std::vector<Block> arrived_;           // verified by the store; their frames are their owners
  std::vector<Arrived> arrived_of_;      // one for each of arrived_
  ByteCount arrived_bytes_ = 0;
  std::atomic<bool> takes_ = true;        // what is to be stored; set from other threads
  std::atomic<std::uint64_t> turns_ = 0;  // that have begun to write
  bool unread_ = false;                   // the turn stopped reading before the socket was empty

  std::thread thread_;  // last: everything above is there when it starts
};

Status ExchangeServer::Actor::start(const std::string& address) {
  if (Status bound = socket_.bind(address); !bound) return bound;
  address_ = socket_.bound_address();
  reactor_.watch(socket_, [this](Now) { read_messages(); });
  reactor_.watch(budget_->descriptor(), [this](Now) { budget_->clear_descriptor(); });
  reactor_.at_turn_end([this](Now now) { return end_turn(now); });
  thread_ = std::thread([this] { reactor_.run(); });
  return {};
}

void ExchangeServer::Actor::read_messages() {
  leave_the_revoked();
  unread_ = true;
  for (std::size_t count = 0; count < messages_a_turn && arrived_bytes_ < batch; ++count) {
    // Its own, since a block to store keeps its frames until it is written.
    const auto frames = std::make_shared<Frames>();
    if (!socket_.receive(*frames)) {
      unread_ = false;
      return;
    }
    on_message(frames);
  }
}

void ExchangeServer::Actor::on_message(const std::shared_ptr<Frames>& frames) {
  const std::string peer(as_text((*frames)[0]));
  if (frames->size() < 2) return refuse(peer, Refusal::BadMessage, "a message without a frame");
  const auto envelope = decoder_.decode((*frames)[1]);
  if (!envelope) return refuse(peer, Refusal::BadMessage, envelope.error().message);
  if (envelope->header.version != protocol_version) {
    return refuse(peer, Refusal::WrongVersion,
                  "this node speaks version " + std::to_string(protocol_version) + " of the protocol");
  }
  if (envelope->header.cluster != cluster_) {
    return refuse(peer, Refusal::WrongCluster, "this node belongs to cluster " + identity_.cluster);
  }
  if (!is_allowed(*frames, envelope->header.sender)) {
    return refuse(peer, Refusal::NotAllowed, "the key of this connection is not that of who speaks");
  }
  const auto* want = std::get_if<WantBlocks>(&envelope->message);
  const auto* store = std::get_if<StoreBlock>(&envelope->message);
  if (want != nullptr && frames->size() == 2) {
    on_want(peer, *want, frames->key());
  } else if (store != nullptr && frames->size() == 3) {
    on_store(peer, *store, frames);
  } else {
    refuse(peer, Refusal::BadMessage, "not a message of the block exchange");
  }
}

// A key that was taken from the allow-list since it was let in ends its connection, so that it is told when
// it tries to return.
bool ExchangeServer::Actor::is_allowed(const Frames& frames, std::string_view sender) {
  const KeyHolder* const holder = keys_.holder(frames);
  if (holder == nullptr) return true;
  if (!holder->roles.meets(roles_with_content)) frames.cut_connection();
  return holder->roles.meets(roles_with_content) && holder->is_named(sender);
}

void ExchangeServer::Actor::leave_the_revoked() {
  if (!keys_.refresh()) return;
  for (auto& [name, peer] : peers_) {
    if (keys_.holder(peer.key)->roles.empty()) peer.wanted.clear();
  }
}

void ExchangeServer::Actor::on_want(const std::string& name, const WantBlocks& want, std::string_view key) {
  const bool known = peers_.contains(name) || peers_.size() < limits::serve_peers;
  Peer* peer = known ? &peers_[name] : nullptr;
  if (peer != nullptr) peer->key = key;
  for (const ByteView bytes : want.cids) {
    const auto cid = Cid::from_bytes(bytes);
    if (!cid) {
      refuse(name, Refusal::BadMessage, cid.error().message);
    } else if (peer == nullptr || peer->wanted.size() >= limits::serve_wants) {
      ++counters_.busy;
      send(name, BlockReply{want.request, bytes, BlockAnswer::Busy});
    } else {
      peer->wanted.push_back({want.request, *cid});
    }
  }
}

void ExchangeServer::Actor::on_store(const std::string& peer, const StoreBlock& store,
                                     const std::shared_ptr<Frames>& frames) {
  auto cid = Cid::from_bytes(store.cid);
  if (!cid) return refuse(peer, Refusal::BadMessage, cid.error().message);
  const ByteView bytes = (*frames)[2];
  arrived_.emplace_back(std::move(*cid), bytes, frames);
  arrived_of_.push_back({peer, store.request});
  arrived_bytes_ += bytes.size();
}

void ExchangeServer::Actor::refuse(const std::string& peer, Refusal why, std::string_view reason) {
  ++counters_.refused_messages;
  send(peer, Refused{why, reason, {}});
}

std::optional<Monotonic> ExchangeServer::Actor::end_turn(Now now) {
  leave_the_revoked();
  ++turns_;
  turns_.notify_all();
  write_arrived();
  const Left left = serve_all();
  if (unread_ || left == Left::More) return now.monotonic;
  if (left == Left::PipeFull) return now.monotonic + full_pipe_pause;
  return std::nullopt;
}

void ExchangeServer::Actor::write_arrived() {
  if (arrived_.empty()) return;
  const PutReport report =
      takes_ ? store_.put(arrived_)
             : PutReport{std::vector(arrived_.size(), PutAnswer::NoRoom), "it is leaving its role"};
  bool stored = false;
  for (std::size_t i = 0; i < arrived_.size(); ++i) {
    const StoreAnswer answer = to_store_answer(report.answers[i]);
    const bool synced = answer == StoreAnswer::Synced;
    stored = stored || report.answers[i] == PutAnswer::Stored;
    ++(synced                           ? counters_.blocks_stored
       : answer == StoreAnswer::BadHash ? counters_.bad_blocks
                                        : counters_.no_room);
    if (synced) counters_.bytes_stored += arrived_[i].bytes().size();
    const std::string_view reason = synced ? std::string_view() : std::string_view(report.reason);
    send(arrived_of_[i].peer, StoreReply{arrived_of_[i].request, arrived_[i].cid().bytes(), answer, reason});
  }
  if (stored) ++counters_.synced_writes;
  arrived_.clear();
  arrived_of_.clear();
  arrived_bytes_ = 0;
}

// One block a peer and round, so that none waits for another's long list; a turn's worth of bytes at most.
ExchangeServer::Actor::Left ExchangeServer::Actor::serve_all() {
  ByteCount turn_bytes = 0;
  bool waits_for_credit = false;
  while (turn_bytes < batch) {
    const Round round = serve_round(turn_bytes);
    if (round.went) continue;
    if (!round.no_credit || waits_for_credit) return round.pipe_full ? Left::PipeFull : Left::Nothing;
    // One more look after asking to be woken: what came back in between would wake nobody.
    budget_->wait_for_room();
    waits_for_credit = true;
  }
  return Left::More;
}

ExchangeServer::Actor::Round ExchangeServer::Actor::serve_round(ByteCount& turn_bytes) {
  Round round;
  for (auto at = peers_.begin(); at != peers_.end();) {
    Peer& peer = at->second;
    if (peer.wanted.empty() && *peer.flights == 0) {
      at = peers_.erase(at);
      continue;
    }
    if (!peer.wanted.empty()) {
      const Serve served = serve_one(at->first, peer, turn_bytes);
      round.went = round.went || served == Serve::Went;
      round.no_credit = round.no_credit || served == Serve::NoCredit;
      round.pipe_full = round.pipe_full || served == Serve::PipeFull;
      if (served == Serve::PeerGone) peer.wanted.clear();
    }
    ++at;
  }
  return round;
}

Serve ExchangeServer::Actor::serve_one(const std::string& name, Peer& peer, ByteCount& turn_bytes) {
  if (*peer.flights >= limits::serve_peer_bytes || budget_->bytes() >= window) {
    return Serve::NoCredit;
  }
  const Wanted& wanted = peer.wanted.front();
  std::optional<Block> block;
  const BlockReply reply{wanted.request, wanted.cid.bytes(), read_block(wanted.cid, block)};
  SendAnswer sent = SendAnswer::Sent;
  if (block) {
    auto flight = std::make_shared<const Flight>(budget_, peer.flights, *block);
    counters_.most_bytes_on_the_way = std::max<ByteCount>(counters_.most_bytes_on_the_way, budget_->bytes());
    sent =
        socket_.send({as_bytes(name), encoder_.encode(header(), reply)}, block->bytes(), std::move(flight));
  } else {
    sent = send(name, reply);
  }
  if (sent == SendAnswer::Full) return Serve::PipeFull;
  if (sent == SendAnswer::Unroutable) return Serve::PeerGone;
  if (block) {
    ++counters_.blocks_sent;
    counters_.bytes_sent += block->bytes().size();
    turn_bytes += block->bytes().size();
  } else {
    ++(reply.answer == BlockAnswer::Busy ? counters_.busy : counters_.blocks_missing);
  }
  peer.wanted.pop_front();
  return Serve::Went;
}

// A damaged block is as good as none, and is let go so that it can be stored again. A store that says
// TryAgain is about to have it.
BlockAnswer ExchangeServer::Actor::read_block(const Cid& cid, std::optional<Block>& block) {
  auto found = store_.get(cid);
  if (found) {
    block = std::move(*found);
    return block ? BlockAnswer::Here : BlockAnswer::Missing;
  }
  if (found.error().kind == FaultKind::TryAgain) return BlockAnswer::Busy;
  if (found.error().kind == FaultKind::BadData) {
    ++counters_.damaged;
    static_cast<void>(store_.remove({&cid, 1}));
  }
  return BlockAnswer::Missing;
}

SendAnswer ExchangeServer::Actor::send(const std::string& peer, const Message& message) {
  return socket_.send({as_bytes(peer), encoder_.encode(header(), message)});
}

Header ExchangeServer::Actor::header() const {
  Header header;
  header.cluster = cluster_;
  header.sender = identity_.name;
  header.incarnation = identity_.incarnation;
  return header;
}

ExchangeCounts ExchangeServer::Actor::counts() const {
  ExchangeCounts counts;
  counts.blocks_sent = counters_.blocks_sent;
  counts.bytes_sent = counters_.bytes_sent;
  counts.blocks_stored = counters_.blocks_stored;
  counts.bytes_stored = counters_.bytes_stored;
  counts.blocks_missing = counters_.blocks_missing;
  counts.busy = counters_.busy;
  counts.bad_blocks = counters_.bad_blocks;
  counts.no_room = counters_.no_room;
  counts.synced_writes = counters_.synced_writes;
  counts.damaged = counters_.damaged;
  counts.refused_messages = counters_.refused_messages;
  counts.most_bytes_on_the_way = counters_.most_bytes_on_the_way;
  return counts;
}

ExchangeServer::ExchangeServer(std::unique_ptr<Actor> actor) : actor_(std::move(actor)) {}
ExchangeServer::~ExchangeServer() = default;

Result<std::unique_ptr<ExchangeServer>> ExchangeServer::start(SocketContext& context, BlockStore& store,
                                                              const NodeIdentity& identity,
                                                              const std::string& address) {
  auto actor = std::make_unique<Actor>(context, store, identity);
  if (Status started = actor->start(address); !started) return tl::unexpected(std::move(started.error()));
  return std::unique_ptr<ExchangeServer>(new ExchangeServer(std::move(actor)));
}

const std::string& ExchangeServer::address() const { return actor_->address(); }
ExchangeCounts ExchangeServer::counts() const { return actor_->counts(); }
ByteCount ExchangeServer::window() const { return actor_->window; }
void ExchangeServer::set_window(ByteCount bytes) { actor_->window = bytes; }
ByteCount ExchangeServer::batch() const { return actor_->batch; }
void ExchangeServer::set_batch(ByteCount bytes) { actor_->batch = bytes; }
void ExchangeServer::set_taking(bool takes) { actor_->set_taking(takes); }

}  // namespace cidbus
