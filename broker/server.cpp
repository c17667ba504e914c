#include "broker/server.h"

#include <cstring>

#include "broker/journal/disk_thread.h"
#include "broker/mesh.h"
#include "broker/recovery.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/brokers.h"
#include "shared/io/bus_link.h"
#include "shared/io/clock.h"
#include "shared/io/key_view.h"
#include "shared/io/node_metrics.h"
#include "shared/io/node_pages.h"
#include "shared/io/posix_file_system.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 256;
constexpr int bus_queue = 10'000;  // messages a peer; each may carry thousands of tasks
constexpr Duration bind_again = std::chrono::milliseconds(10);
constexpr Duration handed_over_within = std::chrono::seconds(1);  // at a stop
constexpr int feed_out_offset = 1;
constexpr int feed_in_offset = 2;

DiskIncarnation random_disk_incarnation() {
  DiskIncarnation incarnation{};
  const SessionId bits = random_session();
  static_assert(sizeof(incarnation) == sizeof(bits.bytes));
  std::memcpy(&incarnation, bits.bytes.data(), sizeof(incarnation));
  return incarnation;
}

Socket::Options bus_options() {
  Socket::Options options;
  options.queue = bus_queue;
  return options;
}

}  // namespace

struct BrokerServer::State : BrokerPorts, Mesh::Owner {
  State(SocketContext& given_context, Reactor& given_reactor, BrokerServerOptions given, Log& given_log)
      : context(given_context),
        reactor(given_reactor),
        options(std::move(given)),
        log(given_log),
        metrics(self().name, Role::Master, options.data, log),
        pages(reactor, metrics.registry()),
        keys(context),
        files(&metrics.registry().histogram(Metric::FsyncSeconds)),
        bus(context, SocketKind::Router, bus_options()),
        feed_out(context, SocketKind::XPub),
        feed_in(context, SocketKind::XSub),
        peer_feeds(context, SocketKind::Sub) {}

  SendAnswer send(std::string_view routing_id, ByteView frame) override {
    return bus.send({as_bytes(routing_id), frame});
  }
  void publish(FeedTopic topic, ByteView frame) override {
    feed_out.send({as_bytes(feed_frame(topic)), frame});
  }
  void follow_feeds(FeedTopic topic, bool on) override {
    if (on) {
      peer_feeds.subscribe(feed_frame(topic));
    } else {
      peer_feeds.unsubscribe(feed_frame(topic));
    }
  }

  Status recover_from_disk() {
    DataDirectoryOptions where;
    where.folder = options.data;
    where.cluster = options.cluster;
    where.node = self().name;
    where.fresh_incarnation = random_disk_incarnation();
    // What is damaged is to be had from the others; alone there is nobody to ask.
    where.on_damage = options.group.size() > 1 ? OnDamage::Keep : OnDamage::Refuse;
    where.new_is_unproven = options.group.new_is_unproven();
    auto directory = DataDirectory::open(files, where);
    if (!directory) return tl::unexpected(directory.error());
    for (const std::string& notice : directory->notices()) log.warning(notice);
    auto recovered = recover(*directory, options.group, random_seed());
    if (!recovered) return tl::unexpected(recovered.error());
    log.info("recovered " + std::to_string(recovered->group.log.last().index.value) + " records");
    const DiskIncarnation incarnation = directory->votes().state().incarnation;
    disk = std::make_unique<DiskThread>(std::move(*directory));
    BrokerOptions driver_options{options.cluster, options.group, random_incarnation(), incarnation,
                                 random_seed()};
    driver_options.votes_by_hand = options.votes_by_hand;
    broker = std::make_unique<Broker>(read_clock(), std::move(driver_options), std::move(*recovered), *this,
                                      *disk, metrics.registry(), log);
    return {};
  }

  const group::Member& self() const { return options.group.at(options.group.self()); }

  // ---- the other brokers
  Status join_mesh() {
    if (options.group.size() == 1) return {};
    const std::string tolerance = "a group of " + group::tolerance_of(options.group.size());
    options.group.size() % 2 == 0 ? log.warning(tolerance) : log.info(tolerance);
    Mesh::Options how;
    how.routing_id = routing_id({options.cluster, self().name, Role::Master, random_incarnation()});
    how.listen = options.listen;
    how.trust = context.trust();
    for (const group::Member& member : options.group.members()) {
      if (member.name == self().name) continue;
      how.peers.push_back(member.endpoint);
      how.names.push_back(member.name);
      if (Status connected = follow_peer(member); !connected) return connected;
    }
    reactor.watch(peer_feeds, [this](Now now) { on_peer_feeds(now); });
    mesh.emplace(std::move(how), reactor, *this);
    return mesh->open();
  }
  Status follow_peer(const group::Member& member) {
    const auto holders =
        context.keys() == nullptr ? std::vector<KeyHolder>() : context.keys()->named(member.name);
    return peer_feeds.connect(address_at(member.endpoint, feed_out_offset),
                              holders.empty() ? std::string() : holders.front().key);
  }
  void on_peer_feeds(Now now) {
    for (int count = 0; count < messages_a_turn && peer_feeds.receive(frames); ++count)
      broker->on_peer_feed(now, second_frame());
  }
  // The mesh counts peers without this broker, the group counts seats with it.
  [[nodiscard]] std::size_t peer_of(group::Seat seat) const {
    return group::place(seat) - (seat > options.group.self() ? 1 : 0);
  }
  [[nodiscard]] group::Seat seat_of(std::size_t peer) const {
    return static_cast<group::Seat>(peer < group::place(options.group.self()) ? peer : peer + 1);
  }
  void send_to_broker(group::Seat to, group::Channel channel, ByteView head,
                      std::span<const group::SharedBatch> behind) override {
    if (mesh) mesh->send(peer_of(to), channel, head, behind);
  }
  void on_mesh(Now now, group::Channel, const Frames& arrived) override {
    std::vector<group::SharedBatch> behind;
    for (std::size_t place = 2; place < arrived.size(); ++place)
      behind.push_back(std::make_shared<const Bytes>(to_bytes(arrived[place])));
    broker->on_mesh(now, arrived.size() < 2 ? ByteView{} : arrived[1], std::move(behind));
  }
  void on_link(Now now, std::size_t peer, bool up) override { broker->on_link(now, seat_of(peer), up); }
  // Once for each, since it comes again and again.
  void on_stranger(std::string_view sender, std::string_view holder) override {
    std::string line = "cut off who speaks as broker '" + std::string(sender) + "' with the key of '" +
                       std::string(holder) + "'; a broker's --name must be that of its key";
    if (line != stranger) log.warning(line);
    stranger = std::move(line);
  }

  Status bind() {
    if (Status bound = bus.bind(options.listen); !bound) return bound;
    if (Status bound = bind_feed_out(); !bound) return bound;
    if (Status bound = feed_in.bind(address_at(options.listen, feed_in_offset)); !bound) return bound;
    const Bytes subscribe_to_everything{1};
    feed_in.send({subscribe_to_everything});
    return {};
  }

  Status bind_feed_out() {
    const Status bound = feed_out.bind(address_at(options.listen, feed_out_offset));
    bind_feed_at = Monotonic::max();
    if (bound) reactor.watch(feed_out, [this](Now) { on_subscription(); });
    return bound;
  }

  // libzmq cannot cut one subscriber. So all are, and those who are still let in come back by themselves.
  void follow_keys(Now now) {
    if (!keys.refresh()) return;
    if (bind_feed_at == Monotonic::max()) reactor.unwatch(feed_out);
    feed_out = Socket(context, SocketKind::XPub);
    bind_feed_at = now.monotonic;
    broker->on_keys_taken(now, [this](std::string_view key) { return keys.holder(key); });
  }

  // Whose message it is. A key that was taken from the list since it was let in ends its connection, so that
  // it is told when it tries to return.
  const KeyHolder* holder_of_frames() {
    const KeyHolder* const holder = keys.holder(frames);
    if (holder != nullptr && holder->roles.empty()) frames.cut_connection();
    return holder;
  }

  // Behind a DEALER's routing id, or a topic, stands one frame. Anything else is refused as what it is: no
  // message.
  [[nodiscard]] ByteView second_frame() const { return frames.size() == 2 ? frames[1] : ByteView{}; }

  void on_bus(Now now) {
    follow_keys(now);
    std::size_t work = 0;
    for (int count = 0; count < messages_a_turn && work < limits::work_a_turn && bus.receive(frames);
         ++count) {
      work += broker->on_frame(now, frames[0], second_frame(), holder_of_frames());
    }
  }
  void on_feed_in(Now now) {
    follow_keys(now);
    for (int count = 0; count < messages_a_turn && feed_in.receive(frames); ++count)
      broker->on_feed_frame(now, frames[0], second_frame(), holder_of_frames());
  }
  void on_subscription() {
    for (int count = 0; count < messages_a_turn && feed_out.receive(frames); ++count)
      broker->on_subscription(frames[0]);
  }
  void on_connections(Now now) {
    bool broke = false;
    while (const auto event = bus.next_event()) {
      broke = broke || *event == ConnectionEvent::Disconnected;
      if (is_refusal(*event)) broker->on_connection_refused();
    }
    if (broke) broker->on_connection_broke(now);
  }
  // What the disk failed with, if it did: what it holds is unknown, so the process must end (CONSENSUS R6).
  std::optional<Fault> on_disk(Now now) {
    while (auto completion = disk->poll()) {
      if (const auto* failed = std::get_if<DiskFailed>(&*completion)) return failed->why;
      broker->on_disk(now, *std::move(completion));
    }
    return std::nullopt;
  }

  std::optional<Monotonic> end_turn(Now now) {
    follow_keys(now);
    // The port is free again as soon as libzmq has ended the socket before.
    if (now.monotonic >= bind_feed_at && !bind_feed_out()) bind_feed_at = now.monotonic + bind_again;
    const auto next = broker->end_turn(now);
    const Monotonic at = std::min(bind_feed_at, stop_at);
    return next ? std::min(*next, at) : at;
  }
  // ---- what it shows over HTTP
  Status serve_http() {
    if (options.http.empty()) return {};
    pages.add_health([this](Now now) { return checks(now); });
    auto started = NodeHttp::start(options.http, pages);
    if (!started) return tl::unexpected(started.error());
    http = *std::move(started);
    return {};
  }
  [[nodiscard]] std::vector<ReadinessCheck> checks(Now now) const {
    const std::string trouble = broker->trouble(now.monotonic);
    const char* const duty = broker->serving() ? "it leads" : "it follows the leader";
    return {{"group", trouble.empty(), trouble.empty() ? duty : trouble},
            {"running", stop_at == Monotonic::max(), stop_at == Monotonic::max() ? "" : "it is stopping"}};
  }

  // Whether it is to stop now: its office is in other hands, or nobody takes it in time.
  [[nodiscard]] bool may_stop(Now now) const {
    return stop_at != Monotonic::max() && (!broker->group().in_office() || now.monotonic >= stop_at);
  }

  SocketContext& context;
  Reactor& reactor;
  BrokerServerOptions options;
  Log& log;
  NodeMetrics metrics;
  NodePages pages;
  KeyView keys;
  PosixFileSystem files;
  Socket bus;
  Socket feed_out;
  Socket feed_in;
  Socket peer_feeds;                          // of the other brokers
  Monotonic bind_feed_at = Monotonic::max();  // while feed_out waits for its port
  Monotonic stop_at = Monotonic::max();       // when it was asked to stop: at the latest
  std::string stranger;                       // who was cut off from the mesh last, as it was logged
  Frames frames;
  std::unique_ptr<DiskThread> disk;
  std::unique_ptr<Broker> broker;
  std::optional<Mesh> mesh;        // in a group of several
  std::unique_ptr<NodeHttp> http;  // ends before what its pages look at
};

BrokerServer::BrokerServer(SocketContext& context, BrokerServerOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log)) {}

BrokerServer::~BrokerServer() = default;

Status BrokerServer::open() {
  State& state = *state_;
  if (Status recovered = state.recover_from_disk(); !recovered) return recovered;
  state.bus.monitor();  // before anybody can connect
  if (Status bound = state.bind(); !bound) return bound;
  if (Status joined = state.join_mesh(); !joined) return joined;
  if (Status serving = state.serve_http(); !serving) return serving;
  reactor().measure_turns(state.metrics.registry().histogram(Metric::TurnSeconds));
  reactor().watch(state.bus, [&state](Now now) { state.on_bus(now); });
  reactor().watch(state.feed_in, [&state](Now now) { state.on_feed_in(now); });
  reactor().watch_monitor(state.bus, [&state](Now now) { state.on_connections(now); });
  reactor().watch(state.disk->ready_fd(), [this](Now now) {
    if (auto failed = state_->on_disk(now)) {
      state_->log.error("the disk failed: " + failed->message);
      end(tl::unexpected(std::move(*failed)));
    }
  });
  reactor().at_turn_end([this](Now now) {
    const auto next = state_->end_turn(now);
    if (state_->may_stop(now)) end({});
    return next;
  });
  state.broker->start(read_clock());
  start();
  return {};
}

const std::string& BrokerServer::http_address() const {
  ENSURE(state_->http != nullptr);
  return state_->http->address();
}

void BrokerServer::on_stop(Now now) {
  if (state_->options.group.size() == 1) return end({});
  state_->stop_at = now.monotonic + handed_over_within;
  state_->broker->prepare_to_stop(now);
}

}  // namespace cidbus
