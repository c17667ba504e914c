#include "shared/io/bus_link.h"

#include <algorithm>
#include <deque>

#include "shared/base/limits/keys.h"
#include "shared/base/limits/links.h"
#include "shared/base/limits/times.h"
#include "shared/io/clock.h"
#include "shared/io/leader_feed.h"
#include "shared/io/random.h"
#include "shared/node/config_keys.h"
#include "shared/node/leader_link.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 256;
constexpr int feed_in_offset = 2;  // DESIGN section 11: a broker at port P hears the feed at P+2
// Handshakes broken off in a row, some milliseconds apart, that are no accident. Two ends of other trust tell
// each other so, but whoever hangs up first may keep the other from hearing it.
constexpr std::size_t breaks_told = 8;

// Of a broker that need not lead. A leecher hands on the snapshot of a leader; it is no broker of the group.
bool is_own_word(const Envelope& envelope) {
  const auto* snapshot = std::get_if<Snapshot>(&envelope.message);
  if (snapshot == nullptr) return std::holds_alternative<BrokerStatus>(envelope.message);
  return std::any_of(snapshot->brokers.begin(), snapshot->brokers.end(), [&](const BrokerInfo& broker) {
    return !broker.leader && broker.name == envelope.header.sender;
  });
}

Redirect redirect_in(const Snapshot& snapshot) {
  for (const BrokerInfo& broker : snapshot.brokers)
    if (broker.leader) return {broker.name, broker.endpoint};
  return {};
}

}  // namespace

struct BusLink::State {
  SocketContext& context;
  Reactor& reactor;
  NodeIdentity identity;
  Owner& owner;
  LeaderLink link;
  struct Connection {
    std::string name = {};  // of a broker that was learned; empty for an address that was given
    std::optional<Socket> socket = {};
    KeyHolder server = {};                  // who is taken to be there; nobody where no keys are in use
    bool stands = false;                    // it is connected, or was
    bool follows = false;                   // it said last that it does not lead
    std::size_t tried = 0;                  // servers that it was not; without keys, handshakes broken off
    Monotonic greet_at = Monotonic::max();  // with a new socket
  };
  std::deque<Connection> connections;       // one a broker
  std::uint64_t book_version = 0;           // of the brokers known, when it was looked at last
  std::uint64_t keys_version = 0;           // of the allow-list that chose the servers
  std::unique_ptr<LeaderFeed> leader_feed;  // of a link that lives for longer than a question
  Monotonic listen_at = Monotonic::max();   // to it
  std::optional<Socket> heartbeats;
  std::uint64_t heartbeat_number = 0;
  std::uint64_t metrics_number = 0;
  Duration heartbeat = limits::heartbeat;
  Monotonic next_heartbeat{};
  std::uint64_t config_version = 0;  // of what it lives by
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
    return connections[broker].socket->send({encoder.encode(header(), message)}) == SendAnswer::Sent;
  }

  void changed(Now now, LeaderLink::Change change, const Message* welcome) {
    if (change != LeaderLink::Change::None) count(change);
    if (change == LeaderLink::Change::Unbound) {
      heartbeats.reset();
      owner.on_unbound(now);
    }
    if (change != LeaderLink::Change::Bound) return;
    heartbeat = std::get<Welcome>(*welcome).heartbeat;
    if (!leader_feed && listen_at == Monotonic::max() && !std::get<Welcome>(*welcome).brokers.empty())
      listen_at = now.monotonic + limits::listen_after;
    if (identity.role != Role::Client) {
      heartbeats.emplace(context, SocketKind::Pub);
      const std::string& key = connections[link.leader()].server.key;
      if (!heartbeats->connect(address_at(link.brokers()[link.leader()], feed_in_offset), key))
        heartbeats.reset();
      next_heartbeat = now.monotonic;
    }
    owner.on_bound(now, std::get<Welcome>(*welcome));
  }

  void on_events(Now now, std::size_t broker) {
    if (!connections[broker].socket) return;  // it was learned in this turn
    while (const auto event = connections[broker].socket->next_event()) {
      if (*event == ConnectionEvent::Connected) {
        if (context.keys() == nullptr) connections[broker].tried = 0;
        link.on_connected(now.monotonic, broker);
        connections[broker].stands = true;
        owner.on_connected(now, link.brokers()[broker], connections[broker].server.key);
        listen_to_connected();
      } else if (*event == ConnectionEvent::Disconnected) {
        connections[broker].follows = false;
        changed(now, link.on_disconnected(now.monotonic, broker), nullptr);
        owner.on_disconnected(now, link.brokers()[broker]);
      } else {
        on_no_connection(now, broker, *event);
      }
    }
  }

  // Whose keys a broker may have: one that was learned, those of its name. A client may be sent to a leecher,
  // which hands on what it says.
  std::vector<KeyHolder> servers(const Connection& connection) const {
    std::vector<KeyHolder> found = context.keys()->with({Role::Master});
    if (!connection.name.empty()) {
      std::erase_if(found, [&](const KeyHolder& holder) { return holder.name != connection.name; });
      return found;
    }
    if (identity.role == Role::Client) {
      for (KeyHolder& leecher : context.keys()->with({Role::Leecher})) found.push_back(std::move(leecher));
    }
    return found;
  }

  // An address does not tell who is there, so the keys of all brokers are tried in turn; the list's order is
  // most likely that of the addresses.
  Status open_socket(std::size_t broker) {
    Connection& connection = connections[broker];
    connection.greet_at = Monotonic::max();
    if (context.keys() != nullptr) {
      const auto known = servers(connection);
      connection.server = known.empty() ? KeyHolder() : known[(broker + connection.tried) % known.size()];
    }
    Socket::Options options;
    options.routing_id = routing_id(identity);
    Socket& socket = connection.socket.emplace(context, SocketKind::Dealer, options);
    reactor.watch_monitor(socket, [this, broker](Now now) { on_events(now, broker); });  // misses no event
    reactor.watch(socket, [this, broker](Now now) { on_readable(now, broker); });
    return socket.connect(link.brokers()[broker], connection.server.key);
  }

  void close_socket(std::size_t broker) {
    if (!connections[broker].socket) return;
    reactor.unwatch(*connections[broker].socket);
    reactor.unwatch_monitor(*connections[broker].socket);
    connections[broker].socket.reset();
  }

  void on_no_connection(Now now, std::size_t broker, ConnectionEvent why) {
    Connection& connection = connections[broker];
    // With keys, a socket has one key to try, but libzmq goes on trying it until the socket is closed.
    if (context.keys() != nullptr && connection.greet_at != Monotonic::max()) return;
    if (why == ConnectionEvent::BrokenOff) {
      ++connection.tried;
      if (context.keys() == nullptr) {  // libzmq tries again by itself
        if (connection.tried % breaks_told != 0 || link.bound()) return;
        return owner.on_refused(now, {Refusal::NotAllowed, reason_of(why, link.brokers()[broker]), {}});
      }
      connection.greet_at = now.monotonic;
      const std::size_t known = servers(connection).size();
      if (known > 0 && connection.tried % known != 0) return;
    }
    connection.greet_at = now.monotonic + limits::greet_again;
    if (link.bound()) return;
    const std::string reason = reason_of(why, link.brokers()[broker]);
    owner.on_refused(now, {Refusal::NotAllowed, reason, {}});
  }

  std::string reason_of(ConnectionEvent why, const std::string& address) const {
    const Keyring* const keys = context.keys();
    if (why == ConnectionEvent::OtherTrust) {
      return address + (keys == nullptr
                            ? " takes nobody without a key; give --key-file FILE"
                            : " speaks without keys; start it with --key-file, or leave --key-file out");
    }
    if (why == ConnectionEvent::NotAdmitted) {
      return address + " does not let in the key of '" + keys->self().name +
             "'; add its line to the allow-list there";
    }
    if (keys == nullptr) {
      return address +
             " breaks every connection off: it takes nobody without a key, or is no broker; give --key-file "
             "FILE, or another address";
    }
    return address + " has none of the keys that " + keys->allow_file() +
           " gives to brokers, or speaks without keys; bring that list up to date";
  }

  // After a change of the allow-list: who is no longer a server there is left.
  void follow_keys(Now now) {
    if (context.keys() == nullptr || context.keys()->version() == keys_version) return;
    keys_version = context.keys()->version();
    for (Connection& connection : connections) {
      const auto known = servers(connection);
      const bool current = std::any_of(known.begin(), known.end(), [&](const KeyHolder& server) {
        return server.key == connection.server.key && server.name == connection.server.name;
      });
      if (!current) connection.greet_at = now.monotonic;
    }
  }

  // What a broker says of its group is for every link of this process.
  void learn(const Message& message) {
    if (const auto* welcome = std::get_if<Welcome>(&message))
      context.brokers().learn(cluster_id(identity.cluster), welcome->brokers);
    if (const auto* redirect = std::get_if<Redirect>(&message))
      context.brokers().learn(cluster_id(identity.cluster), redirect->brokers);
  }

  void meet_brokers(Now now) {
    if (context.brokers().version() == book_version) return;
    book_version = context.brokers().version();
    for (const BrokerBook::Entry& entry : context.brokers().of(cluster_id(identity.cluster))) {
      const auto& known = link.brokers();
      if (std::find(known.begin(), known.end(), entry.endpoint) != known.end()) continue;
      link.add_broker(entry.endpoint);
      connections.push_back({.name = entry.name, .greet_at = now.monotonic});  // greet_again() opens it
    }
  }

  void listen_for_leaders(Now now) {
    if (now.monotonic < listen_at) return;
    listen_at = Monotonic::max();
    leader_feed = std::make_unique<LeaderFeed>(
        context, reactor, cluster_id(identity.cluster), [this](Now when, const LeaderEvent& leader) {
          changed(when, link.on_leader_named(when.monotonic, leader.endpoint, leader.epoch), nullptr);
        });
    listen_to_connected();
  }
  void listen_to_connected() {
    for (std::size_t broker = 0; leader_feed && broker < connections.size(); ++broker)
      if (connections[broker].stands)
        leader_feed->listen_to(link.brokers()[broker], connections[broker].server.key);
  }

  void greet_again(Now now) {
    for (std::size_t broker = 0; broker < connections.size(); ++broker) {
      if (connections[broker].greet_at > now.monotonic) continue;
      close_socket(broker);
      changed(now, link.on_disconnected(now.monotonic, broker), nullptr);
      const Status opened = open_socket(broker);
      if (opened) continue;
      connections[broker].greet_at = now.monotonic + limits::greet_again;
      if (!link.bound()) owner.on_refused(now, {Refusal::NotAllowed, opened.error().message, {}});
    }
  }

  void on_readable(Now now, std::size_t broker) {
    for (int count = 0; count < messages_a_turn && connections[broker].socket->receive(frames); ++count) {
      const auto envelope = decoder.decode(frames[0]);
      const std::string& server = connections[broker].server.name;
      if (envelope && !server.empty() && envelope->header.sender != server)
        continue;  // it is not who it says
      // What brokers send is as little to be trusted as anything else; what is not understood is not acted
      // on.
      if (!envelope || envelope->header.version != protocol_version ||
          envelope->header.cluster != cluster_id(identity.cluster)) {
        refused_by(now, envelope);
        continue;
      }
      if (is_own_word(*envelope)) {
        on_own_word(now, broker, *envelope);
        continue;
      }
      note_duty(broker, envelope->message);
      learn(envelope->message);
      meet_brokers(now);
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
        if (refused->why != Refusal::NotKnown) owner.on_refused(now, *refused);  // a hello is what it takes
      } else if (link.bound() && broker == link.leader() && change == LeaderLink::Change::None) {
        if (const auto* said = std::get_if<Configuration>(&envelope->message)) live_by(now, *said);
        owner.on_message(now, envelope->header, envelope->message);
      }
    }
  }

  void note_duty(std::size_t broker, const Message& message) {
    if (std::holds_alternative<Redirect>(message)) connections[broker].follows = true;
    if (std::holds_alternative<Welcome>(message)) connections[broker].follows = false;
  }

  // Whoever took it for the leader learns from its snapshot what a redirect would have told.
  void on_own_word(Now now, std::size_t broker, const Envelope& envelope) {
    if (const auto* snapshot = std::get_if<Snapshot>(&envelope.message)) {
      connections[broker].follows = true;
      bool accepted = false;
      if (link.bound() && broker == link.leader())
        changed(now,
                link.on_message(now.monotonic, broker, envelope.header, redirect_in(*snapshot), accepted),
                nullptr);
    }
    owner.on_own_word(now, envelope.header, envelope.message);
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

  // What the cluster has agreed on. The next heartbeat, which is due at once, says that it is known here.
  void live_by(Now now, const Configuration& configuration) {
    if (configuration.request.value != 0) return;  // somebody's question
    ConfigValues values;
    values.take(configuration.entries);
    heartbeat = values.time(ConfigKey::HeartbeatInterval);
    link.set_periods(now.monotonic, heartbeat, values.time(ConfigKey::NodeTimeout));
    if (config_version != configuration.version) next_heartbeat = now.monotonic;
    config_version = configuration.version;
  }

  void beat(Now now) {
    if (!heartbeats || now.monotonic < next_heartbeat) return;
    next_heartbeat = now.monotonic + heartbeat;
    NodeLoad load = owner.load();
    load.config_version = config_version;
    publish(now, FeedTopic::Heartbeats, ++heartbeat_number,
            HeartbeatEvent{identity.name, identity.role, identity.incarnation, load});
    Registry* const metrics = owner.metrics();
    if (metrics == nullptr) return;
    publish(now, FeedTopic::Metrics, ++metrics_number, MetricsEvent{identity.role, metrics->read(now)});
  }

  void publish(Now now, FeedTopic topic, std::uint64_t number, FeedEvent event) {
    Feed feed;
    feed.topic = topic;
    feed.number = number;
    feed.time = now.wall;
    feed.events.push_back(std::move(event));
    heartbeats->send({as_bytes(to_text(topic)), encoder.encode(header(), feed)});
  }

  void count(LeaderLink::Change change) {
    Registry* const metrics = owner.metrics();
    if (metrics == nullptr) return;
    metrics->gauge(Metric::LeaderBound).set(change == LeaderLink::Change::Bound ? 1 : 0);
    metrics->counter(Metric::LeaderLost).add(change == LeaderLink::Change::Unbound ? 1 : 0);
  }

  void say_hello(std::size_t broker) {
    Hello hello = owner.make_hello();
    hello.load = owner.load();
    hello.load.config_version = config_version;
    hello.labels.assign(identity.labels.begin(), identity.labels.end());
    send_to(broker, hello);
  }

  std::optional<Monotonic> turn(Now now) {
    for (std::size_t broker = 0; broker < connections.size(); ++broker) on_events(now, broker);
    follow_keys(now);
    meet_brokers(now);
    listen_for_leaders(now);
    greet_again(now);
    while (true) {
      const auto step = link.step(now.monotonic);
      changed(now, step.change, nullptr);
      if (step.action == LeaderLink::Action::Hello) say_hello(step.broker);
      if (step.action == LeaderLink::Action::Ping) send_to(step.broker, Ping{});
      if (step.action == LeaderLink::Action::None && step.change == LeaderLink::Change::None) break;
    }
    beat(now);
    Monotonic deadline = std::min(link.deadline(), listen_at);
    if (heartbeats) deadline = std::min(deadline, next_heartbeat);
    for (const Connection& connection : connections) deadline = std::min(deadline, connection.greet_at);
    return deadline == Monotonic::max() ? std::nullopt : std::optional(deadline);
  }
};

BusLink::BusLink(SocketContext& context, Reactor& reactor, NodeIdentity identity,
                 std::vector<std::string> brokers, Owner& owner)
    : state_(new State{context,
                       reactor,
                       under_own_key(context, std::move(identity)),
                       owner,
                       LeaderLink(std::move(brokers), Prng(random_seed())),
                       {},
                       0,
                       context.keys() == nullptr ? 0 : context.keys()->version(),
                       {},
                       Monotonic::max(),
                       {},
                       0,
                       0,
                       limits::heartbeat,
                       {},
                       0,
                       {},
                       {},
                       {}}) {}

BusLink::~BusLink() {
  *state_->alive = false;
  state_->leader_feed.reset();
  for (std::size_t broker = 0; broker < state_->connections.size(); ++broker) state_->close_socket(broker);
}

Status BusLink::open() {
  State& state = *state_;
  state.count(LeaderLink::Change::None);
  state.connections.resize(state.link.brokers().size());
  Status opened;
  for (std::size_t broker = 0; broker < state.connections.size(); ++broker) {
    if (Status connected = state.open_socket(broker); !connected) opened = std::move(connected);
  }
  if (!opened) return opened;
  state.reactor.at_turn_end([&state, alive = state.alive](Now now) -> std::optional<Monotonic> {
    return *alive ? state.turn(now) : std::nullopt;
  });
  state.reactor.wake();
  return {};
}

bool BusLink::send(const Message& message) {
  return state_->link.bound() && state_->send_to(state_->link.leader(), message);
}

void BusLink::ask_each(const BrokerStatusRequest& request, std::set<std::size_t>& asked) {
  for (std::size_t broker = 0; broker < state_->connections.size(); ++broker) {
    if (!asked.contains(broker) && state_->connections[broker].socket && state_->send_to(broker, request))
      asked.insert(broker);
  }
}

void BusLink::ask_standbys(const SnapshotRequest& request) {
  for (std::size_t broker = 0; broker < state_->connections.size(); ++broker)
    if (state_->connections[broker].follows) state_->send_to(broker, request);
}

bool BusLink::leaderless() const { return state_->link.leaderless(); }
bool BusLink::bound() const { return state_->link.bound(); }
Epoch BusLink::epoch() const { return state_->link.epoch(); }
const std::vector<std::string>& BusLink::brokers() const { return state_->link.brokers(); }
std::string BusLink::leader_address() const { return state_->link.brokers()[state_->link.leader()]; }
const NodeIdentity& BusLink::identity() const { return state_->identity; }

}  // namespace cidbus
