#include "shared/io/bus_link.h"

#include <charconv>

#include "shared/base/limits/times.h"
#include "shared/base/limits/words.h"
#include "shared/io/clock.h"
#include "shared/io/random.h"
#include "shared/node/leader_link.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 256;
constexpr int feed_in_offset = 2;  // DESIGN section 11: a broker at port P hears the feed at P+2

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return std::nullopt;
  return port;
}

}  // namespace

NodeIdentity client_identity(const std::string& cluster, std::string_view prefix) {
  const Incarnation incarnation = random_incarnation();
  constexpr std::size_t suffix = 9;
  std::string name(prefix.substr(0, limits::name_length - suffix));
  name += "." + to_text(incarnation).substr(0, suffix - 1);
  return {cluster, name, Role::Client, incarnation};
}

std::string routing_id(const NodeIdentity& node) { return node.name + '#' + to_text(node.incarnation); }

std::optional<std::pair<std::string_view, Incarnation>> parse_routing_id(ByteView id) {
  const std::string_view text = as_text(id);
  const auto split = text.rfind('#');
  if (split == std::string_view::npos || text.size() - split != 17 || !is_valid_name(text.substr(0, split))) {
    return std::nullopt;
  }
  Incarnation incarnation;
  const std::string_view digits = text.substr(split + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), incarnation.value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return std::pair{text.substr(0, split), incarnation};
}

Result<std::vector<std::string>> parse_addresses(std::string_view list) {
  std::vector<std::string> addresses;
  while (true) {
    const auto comma = list.find(',');
    const std::string_view address = list.substr(0, comma);
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || !parse_port(address.substr(colon + 1)) ||
        address.size() > limits::endpoint_length) {
      return fault(FaultKind::BadUsage,
                   "'" + std::string(address) + "' is no address; give HOST:PORT[,HOST:PORT...]");
    }
    addresses.emplace_back(address);
    if (comma == std::string_view::npos) return addresses;
    list.remove_prefix(comma + 1);
  }
}

std::string address_at(const std::string& address, int offset) {
  const auto colon = address.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : parse_port(std::string_view(address).substr(colon + 1));
  if (!port) return address;
  return address.substr(0, colon + 1) + std::to_string(*port + offset);
}

struct BusLink::State {
  SocketContext& context;
  Reactor& reactor;
  NodeIdentity identity;
  Owner& owner;
  LeaderLink link;
  std::vector<Socket> sockets;  // one a broker
  std::optional<Socket> heartbeats;
  std::uint64_t heartbeat_number = 0;
  Duration heartbeat = limits::heartbeat;
  Monotonic next_heartbeat{};
  Encoder encoder;
  Decoder decoder;
  Frames frames;
  std::shared_ptr<bool> alive =
      std::make_shared<bool>(true);  // for the reactor's turn end, which outlives us

  Header header() const {
    return {protocol_version, cluster_id(identity.cluster), link.epoch(), identity.name,
            identity.incarnation};
  }

  bool send_to(std::size_t broker, const Message& message) {
    return sockets[broker].send({encoder.encode(header(), message)}) == SendAnswer::Sent;
  }

  void changed(Now now, LeaderLink::Change change, const Message* welcome) {
    if (change == LeaderLink::Change::Unbound) {
      heartbeats.reset();
      owner.on_unbound(now);
    }
    if (change != LeaderLink::Change::Bound) return;
    heartbeat = std::get<Welcome>(*welcome).heartbeat;
    if (identity.role != Role::Client) {
      heartbeats.emplace(context, SocketKind::Pub);
      if (!heartbeats->connect(address_at(link.brokers()[link.leader()], feed_in_offset))) heartbeats.reset();
      next_heartbeat = now.monotonic;
    }
    owner.on_bound(now, std::get<Welcome>(*welcome));
  }

  void on_events(Now now, std::size_t broker) {
    while (const auto event = sockets[broker].next_event()) {
      if (*event == ConnectionEvent::Connected) {
        link.on_connected(now.monotonic, broker);
      } else {
        changed(now, link.on_disconnected(now.monotonic, broker), nullptr);
      }
    }
  }

  void on_readable(Now now, std::size_t broker) {
    for (int count = 0; count < messages_a_turn && sockets[broker].receive(frames); ++count) {
      const auto envelope = decoder.decode(frames[0]);
      // What brokers send is as little to be trusted as anything else; what is not understood is not acted
      // on.
      if (!envelope || envelope->header.version != protocol_version ||
          envelope->header.cluster != cluster_id(identity.cluster)) {
        refused_by(now, envelope);
        continue;
      }
      bool accepted = false;
      const bool was_bound = link.bound();
      const auto change =
          link.on_message(now.monotonic, broker, envelope->header, envelope->message, accepted);
      changed(now, change, &envelope->message);
      if (!accepted) {
        if (std::holds_alternative<Welcome>(envelope->message)) tell_old_epoch(now, envelope->header);
        continue;
      }
      if (const auto* refused = std::get_if<Refused>(&envelope->message); refused != nullptr && !was_bound) {
        owner.on_refused(now, *refused);
      } else if (link.bound() && broker == link.leader() && change == LeaderLink::Change::None) {
        owner.on_message(now, envelope->header, envelope->message);
      }
    }
  }

  // A broker of another cluster or version answers under its own header, so its refusal has to be looked for
  // here.
  void refused_by(Now now, const Result<Envelope>& envelope) {
    if (!envelope || link.bound()) return;
    if (envelope->header.version != protocol_version) {
      owner.on_refused(now, {Refusal::WrongVersion, "the broker speaks another version of the protocol", {}});
    } else if (const auto* refused = std::get_if<Refused>(&envelope->message)) {
      owner.on_refused(now, *refused);
    }
  }

  // A deposed leader, or one whose journal was taken away: a person must know, since nobody follows it.
  void tell_old_epoch(Now now, const Header& header) {
    const std::string reason =
        "the broker " + std::string(header.sender) + " is at epoch " + std::to_string(header.epoch.value) +
        ", but " + std::to_string(link.epoch().value) + " was seen before; was its data folder replaced?";
    owner.on_refused(now, {Refusal::NotLeader, reason, {}});
  }

  void beat(Now now) {
    if (!heartbeats || now.monotonic < next_heartbeat) return;
    next_heartbeat = now.monotonic + heartbeat;
    Feed feed;
    feed.topic = FeedTopic::Heartbeats;
    feed.number = ++heartbeat_number;
    feed.time = now.wall;
    feed.events.emplace_back(
        HeartbeatEvent{identity.name, identity.role, identity.incarnation, owner.load()});
    heartbeats->send({as_bytes(to_text(FeedTopic::Heartbeats)), encoder.encode(header(), feed)});
  }

  std::optional<Monotonic> turn(Now now) {
    for (std::size_t broker = 0; broker < sockets.size(); ++broker) on_events(now, broker);
    while (true) {
      const auto step = link.step(now.monotonic);
      changed(now, step.change, nullptr);
      if (step.action == LeaderLink::Action::Hello) send_to(step.broker, owner.make_hello());
      if (step.action == LeaderLink::Action::Ping) send_to(step.broker, Ping{});
      if (step.action == LeaderLink::Action::None && step.change == LeaderLink::Change::None) break;
    }
    beat(now);
    Monotonic deadline = link.deadline();
    if (heartbeats) deadline = std::min(deadline, next_heartbeat);
    return deadline == Monotonic::max() ? std::nullopt : std::optional(deadline);
  }
};

BusLink::BusLink(SocketContext& context, Reactor& reactor, NodeIdentity identity,
                 std::vector<std::string> brokers, Owner& owner)
    : state_(new State{context,
                       reactor,
                       std::move(identity),
                       owner,
                       LeaderLink(std::move(brokers), Prng(random_seed())),
                       {},
                       {},
                       0,
                       limits::heartbeat,
                       {},
                       {},
                       {},
                       {}}) {}

BusLink::~BusLink() {
  *state_->alive = false;
  for (Socket& socket : state_->sockets) {
    state_->reactor.unwatch(socket);
    state_->reactor.unwatch_monitor(socket);
  }
}

Status BusLink::open() {
  State& state = *state_;
  Socket::Options options;
  options.routing_id = routing_id(state.identity);
  for (const std::string& address : state.link.brokers()) {
    Socket& socket = state.sockets.emplace_back(state.context, SocketKind::Dealer, options);
    socket.monitor();  // before connect, so that no event is missed
    if (const Status connected = socket.connect(address); !connected) return connected;
  }
  for (std::size_t broker = 0; broker < state.sockets.size(); ++broker) {
    state.reactor.watch(state.sockets[broker], [&state, broker](Now now) { state.on_readable(now, broker); });
    state.reactor.watch_monitor(state.sockets[broker],
                                [&state, broker](Now now) { state.on_events(now, broker); });
  }
  state.reactor.at_turn_end([&state, alive = state.alive](Now now) -> std::optional<Monotonic> {
    return *alive ? state.turn(now) : std::nullopt;
  });
  state.reactor.wake();
  return {};
}

bool BusLink::send(const Message& message) {
  return state_->link.bound() && state_->send_to(state_->link.leader(), message);
}

bool BusLink::bound() const { return state_->link.bound(); }
Epoch BusLink::epoch() const { return state_->link.epoch(); }
const std::vector<std::string>& BusLink::brokers() const { return state_->link.brokers(); }
std::string BusLink::leader_address() const { return state_->link.brokers()[state_->link.leader()]; }
const NodeIdentity& BusLink::identity() const { return state_->identity; }

}  // namespace cidbus
