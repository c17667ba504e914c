#include "shared/exchange/peer_connections.h"

#include <algorithm>

#include "shared/base/limits/keys.h"
#include "shared/io/clock.h"

namespace cidbus {

namespace {

constexpr int messages_a_turn = 64;

}  // namespace

PeerConnections::PeerConnections(SocketContext& context, const NodeIdentity& identity, Owner& owner)
    : context_(context),
      identity_(under_own_key(context, identity)),
      cluster_(cluster_id(identity.cluster)),
      owner_(owner) {
  if (context.keys() != nullptr) keys_version_ = context.keys()->version();
}

PeerId PeerConnections::know(const StoringNode& node) {
  const auto known = std::ranges::find(peers_, node, &Peer::node);
  if (known != peers_.end()) return {static_cast<std::uint32_t>(known - peers_.begin())};
  peers_.emplace_back().node = node;
  return {static_cast<std::uint32_t>(peers_.size() - 1)};
}

void PeerConnections::open(PeerId id) {
  if (!peers_.at(id.value).socket) connect(id);
}

void PeerConnections::connect(PeerId id) {
  Peer& peer = peers_.at(id.value);
  peer.greet_at = Monotonic::max();
  // No routing id: several of one process may talk to one peer.
  // And few unread messages, since blocks are large and a peer may send what nobody asked for.
  const Socket::Options options{.routing_id = {}, .queue = 1000, .receive_queue = 16, .immediate = true};
  peer.socket = std::make_unique<Socket>(context_, SocketKind::Dealer, options);
  reactor_.watch_monitor(*peer.socket, [this, id](Now now) { read_events(now.monotonic, id); });
  reactor_.watch(*peer.socket, [this, id](Now now) { read(now.monotonic, id); });
  if (const Keyring* const keys = context_.keys(); keys != nullptr) {
    const auto known = keys->named(peer.node.name);
    peer.key = known.empty() ? std::string() : known[peer.tried % known.size()].key;
  }
  // An endpoint that makes no sense, or whose node has no key, is as one that nobody answers at.
  static_cast<void>(peer.socket->connect(peer.node.endpoint, peer.key));
}

// libzmq gives up on a connection that was refused; whoever waits for this peer asks others meanwhile.
void PeerConnections::greet_again(Now now) {
  const Keyring* const keys = context_.keys();
  const bool list_changed = keys != nullptr && keys->version() != keys_version_;
  if (list_changed) keys_version_ = keys->version();
  const auto list = list_changed ? keys->list() : nullptr;
  for (std::uint32_t number = 0; number < peers_.size(); ++number) {
    Peer& peer = peers_[number];
    if (!peer.socket) continue;
    const KeyHolder* const holder = list ? list->find(peer.key) : nullptr;
    const bool lost_key = list_changed && (holder == nullptr || holder->name != peer.node.name);
    if (!lost_key && now.monotonic < peer.greet_at) continue;
    const bool was_connected = peer.connected;
    cut({number});
    connect({number});
    if (was_connected) owner_.on_lost(now.monotonic, {number});
  }
}

void PeerConnections::wait(Duration most) {
  greet_again(read_clock());
  reactor_.run_once(most);
}

void PeerConnections::cut(PeerId id) {
  Peer& peer = peers_.at(id.value);
  if (!peer.socket) return;
  reactor_.unwatch(*peer.socket);
  reactor_.unwatch_monitor(*peer.socket);
  peer.socket.reset();
  peer.connected = false;
}

bool PeerConnections::want(PeerId id, std::span<const Cid> cids) {
  const Peer& peer = peers_.at(id.value);
  if (!peer.connected) return false;
  WantBlocks want{{++last_request_}, {}};
  for (const Cid& cid : cids) want.cids.push_back(cid.bytes());
  return peer.socket->send({encode(want)}) == SendAnswer::Sent;
}

bool PeerConnections::store(PeerId id, const Block& block) {
  const Peer& peer = peers_.at(id.value);
  if (!peer.connected) return false;
  const ByteView frame = encode(StoreBlock{{++last_request_}, block.cid().bytes()});
  return peer.socket->send({frame}, block.bytes(), std::make_shared<const Block>(block)) == SendAnswer::Sent;
}

ByteView PeerConnections::encode(const Message& message) {
  Header header;
  header.cluster = cluster_;
  header.sender = identity_.name;
  header.incarnation = identity_.incarnation;
  return encoder_.encode(header, message);
}

// Several may wait, and only the last says what is.
void PeerConnections::read_events(Monotonic now, PeerId id) {
  Peer& peer = peers_.at(id.value);
  while (peer.socket) {
    const auto event = peer.socket->next_event();
    if (!event) return;
    if (*event == ConnectionEvent::Connected && !peer.connected) {
      peer.connected = true;
      owner_.on_connected(now, id);
    } else if (*event == ConnectionEvent::Disconnected && peer.connected) {
      read(now, id);  // what it said before it went
      peer.connected = false;
      owner_.on_lost(now, id);
    } else if (is_refusal(*event)) {
      if (*event == ConnectionEvent::BrokenOff) ++peer.tried;
      if (*event != ConnectionEvent::BrokenOff || context_.keys() != nullptr)
        peer.greet_at = now + limits::greet_again;
    }
  }
}

void PeerConnections::read(Monotonic now, PeerId id) {
  const Peer& peer = peers_.at(id.value);
  for (int count = 0; count < messages_a_turn && peer.socket; ++count) {
    // Its own, since a block that is handed on keeps its frames.
    const auto frames = std::make_shared<Frames>();
    if (!peer.socket->receive(*frames)) return;
    on_message(now, id, frames);
  }
}

void PeerConnections::on_message(Monotonic now, PeerId id, const std::shared_ptr<Frames>& frames) {
  const auto envelope = decoder_.decode((*frames)[0]);
  if (!envelope || envelope->header.version != protocol_version || envelope->header.cluster != cluster_) {
    // Its own refusal bears its own version and cluster, and is the one thing to heed of a stranger.
    const auto* refused = envelope ? std::get_if<Refused>(&envelope->message) : nullptr;
    ++rubbish_;
    if (refused != nullptr) owner_.on_refused(now, id, refused->reason);
    return;
  }
  if (const auto* reply = std::get_if<BlockReply>(&envelope->message)) {
    auto cid = Cid::from_bytes(reply->cid);
    const bool has_bytes = frames->size() == 2;
    if (cid && has_bytes == (reply->answer == BlockAnswer::Here)) {
      const ByteView bytes = has_bytes ? (*frames)[1] : ByteView();
      return owner_.on_block_reply(now, id, reply->answer, Block(std::move(*cid), bytes, frames));
    }
  } else if (const auto* stored = std::get_if<StoreReply>(&envelope->message)) {
    const auto cid = Cid::from_bytes(stored->cid);
    if (cid) return owner_.on_store_reply(now, id, *cid, stored->answer, stored->reason);
  } else if (const auto* refused = std::get_if<Refused>(&envelope->message)) {
    return owner_.on_refused(now, id, refused->reason);
  }
  ++rubbish_;
}

}  // namespace cidbus
