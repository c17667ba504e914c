#include "broker/mesh.h"

#include <array>

#include "shared/base/limits/group.h"
#include "shared/io/bus_link.h"
#include "shared/io/key_view.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 64;
constexpr std::uint64_t control_thread = 1;  // bits of ZMQ_AFFINITY
constexpr std::uint64_t bulk_thread = 2;
constexpr std::array channels{group::Channel::Control, group::Channel::Bulk};

Socket::Options options_of(group::Channel channel, const std::string& routing_id) {
  const bool control = channel == group::Channel::Control;
  Socket::Options options;
  options.routing_id = routing_id;
  options.queue = control ? limits::mesh_control_queue : limits::mesh_bulk_queue;
  options.affinity = control ? control_thread : bulk_thread;
  options.admits = {Role::Master};
  return options;
}

int offset_of(group::Channel channel) {
  return channel == group::Channel::Control ? Mesh::control_offset : Mesh::bulk_offset;
}

}  // namespace

struct Mesh::State {
  State(Options given, Reactor& given_reactor, Owner& given_owner)
      : options(std::move(given)), reactor(given_reactor), owner(given_owner), context(options.trust, 2) {
    for (const group::Channel channel : channels) {
      in.emplace_back(context, SocketKind::Router, options_of(channel, {}));
      auto& to_peers = out[static_cast<std::size_t>(channel)];
      for (std::size_t peer = 0; peer < options.peers.size(); ++peer)
        to_peers.emplace_back(context, SocketKind::Dealer, options_of(channel, options.routing_id));
    }
  }
  ~State() {
    if (!watching) return;
    for (Socket& socket : in) reactor.unwatch(socket);
    for (Socket& socket : out[0]) reactor.unwatch_monitor(socket);
  }

  Status open() {
    for (const group::Channel channel : channels) {
      Socket& socket = in[static_cast<std::size_t>(channel)];
      if (Status bound = socket.bind(address_at(options.listen, offset_of(channel))); !bound) return bound;
    }
    for (std::size_t peer = 0; peer < options.peers.size(); ++peer) {
      out[0][peer].monitor();  // before it can connect
      for (const group::Channel channel : channels) {
        Socket& socket = out[static_cast<std::size_t>(channel)][peer];
        const std::string address = address_at(options.peers[peer], offset_of(channel));
        if (Status done = socket.connect(address, key_of(peer)); !done) return done;
      }
    }
    for (const group::Channel channel : channels)
      reactor.watch(in[static_cast<std::size_t>(channel)],
                    [this, channel](Now now) { receive(now, channel); });
    for (std::size_t peer = 0; peer < options.peers.size(); ++peer)
      reactor.watch_monitor(out[0][peer], [this, peer](Now now) { follow_link(now, peer); });
    watching = true;
    return {};
  }

  std::string key_of(std::size_t peer) const {
    if (context.keys() == nullptr || peer >= options.names.size()) return {};
    const auto holders = context.keys()->named(options.names[peer]);
    return holders.empty() ? std::string() : holders.front().key;
  }

  // With keys, a broker speaks under its own name; who does not, or no longer may, is cut.
  bool is_allowed() {
    const KeyHolder* const holder = keys.holder(frames);
    const auto sender = parse_routing_id(frames[0]);
    if (holder == nullptr || (sender && holder->may_speak_as(sender->first, Role::Master))) return true;
    owner.on_stranger(sender ? sender->first : std::string_view(), holder->name);
    frames.cut_connection();
    return false;
  }

  void receive(Now now, group::Channel channel) {
    keys.refresh();
    Socket& socket = in[static_cast<std::size_t>(channel)];
    for (int count = 0; count < messages_a_turn && socket.receive(frames); ++count)
      if (is_allowed()) owner.on_mesh(now, channel, frames);
  }
  void follow_link(Now now, std::size_t peer) {
    while (const auto event = out[0][peer].next_event())
      owner.on_link(now, peer, *event == ConnectionEvent::Connected);
  }

  Options options;
  Reactor& reactor;
  Owner& owner;
  SocketContext context;
  KeyView keys{context};
  std::vector<Socket> in;                  // by channel
  std::array<std::vector<Socket>, 2> out;  // by channel and peer
  Frames frames;
  bool watching = false;
};

Mesh::Mesh(Options options, Reactor& reactor, Owner& owner)
    : state_(std::make_unique<State>(std::move(options), reactor, owner)) {}

Mesh::~Mesh() = default;

Status Mesh::open() { return state_->open(); }

SendAnswer Mesh::send(std::size_t peer, group::Channel channel, ByteView envelope,
                      std::span<const std::shared_ptr<const Bytes>> payload) {
  return state_->out[static_cast<std::size_t>(channel)][peer].send(envelope, payload);
}

}  // namespace cidbus
