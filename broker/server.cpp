#include "broker/server.h"

#include <cstring>

#include "broker/journal/disk_thread.h"
#include "broker/recovery.h"
#include "shared/base/limits/brokers.h"
#include "shared/io/bus_link.h"
#include "shared/io/clock.h"
#include "shared/io/key_view.h"
#include "shared/io/posix_file_system.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

constexpr int messages_a_turn = 256;
constexpr int bus_queue = 10'000;  // messages a peer; each may carry thousands of tasks
constexpr Duration bind_again = std::chrono::milliseconds(10);
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

struct BrokerServer::State : BrokerPorts {
  State(SocketContext& given_context, Reactor& given_reactor, BrokerServerOptions given, Log& given_log)
      : context(given_context),
        reactor(given_reactor),
        options(std::move(given)),
        log(given_log),
        keys(context),
        bus(context, SocketKind::Router, bus_options()),
        feed_out(context, SocketKind::XPub),
        feed_in(context, SocketKind::XSub) {}

  SendAnswer send(std::string_view routing_id, ByteView frame) override {
    return bus.send({as_bytes(routing_id), frame});
  }
  void publish(FeedTopic topic, ByteView frame) override { feed_out.send({as_bytes(to_text(topic)), frame}); }

  Status recover_from_disk() {
    DataDirectoryOptions where;
    where.folder = options.data;
    where.cluster = options.cluster;
    where.node = options.name;
    where.fresh_incarnation = random_disk_incarnation();
    auto directory = DataDirectory::open(files, where);
    if (!directory) return tl::unexpected(directory.error());
    for (const std::string& notice : directory->notices()) log.warning(notice);
    auto recovered = recover(*directory, random_seed());
    if (!recovered) return tl::unexpected(recovered.error());
    log.info("recovered " + std::to_string(recovered->end.last.value) + " records");
    disk = std::make_unique<DiskThread>(std::move(*directory));
    BrokerOptions driver_options;
    driver_options.cluster = options.cluster;
    driver_options.name = options.name;
    driver_options.endpoint = options.endpoint;
    driver_options.incarnation = random_incarnation();
    driver_options.durability = options.durability;
    driver_options.seed = random_seed();
    broker = std::make_unique<Broker>(driver_options, std::move(*recovered), *this, *disk, log);
    return {};
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

  void on_bus(Now now) {
    follow_keys(now);
    std::size_t work = 0;
    for (int count = 0; count < messages_a_turn && work < limits::work_a_turn && bus.receive(frames);
         ++count) {
      // A DEALER sends one frame. Of anything else the first is answered as what it is: no message.
      work +=
          broker->on_frame(now, frames[0], frames.size() == 2 ? frames[1] : ByteView{}, holder_of_frames());
    }
  }
  void on_feed_in(Now now) {
    follow_keys(now);
    for (int count = 0; count < messages_a_turn && feed_in.receive(frames); ++count) {
      if (frames.size() == 2) broker->on_feed_frame(now, frames[0], frames[1], holder_of_frames());
    }
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
    while (const auto completion = disk->poll()) {
      if (const auto* failed = std::get_if<DiskFailed>(&*completion)) return failed->why;
      broker->on_disk(now, *completion);
    }
    return std::nullopt;
  }

  std::optional<Monotonic> end_turn(Now now) {
    follow_keys(now);
    // The port is free again as soon as libzmq has ended the socket before.
    if (now.monotonic >= bind_feed_at && !bind_feed_out()) bind_feed_at = now.monotonic + bind_again;
    const auto next = broker->end_turn(now);
    return next ? std::min(*next, bind_feed_at) : bind_feed_at;
  }

  SocketContext& context;
  Reactor& reactor;
  BrokerServerOptions options;
  Log& log;
  KeyView keys;
  PosixFileSystem files;
  Socket bus;
  Socket feed_out;
  Socket feed_in;
  Monotonic bind_feed_at = Monotonic::max();  // while feed_out waits for its port
  Frames frames;
  std::unique_ptr<DiskThread> disk;
  std::unique_ptr<Broker> broker;
};

BrokerServer::BrokerServer(SocketContext& context, BrokerServerOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log)) {}

BrokerServer::~BrokerServer() = default;

Status BrokerServer::open() {
  State& state = *state_;
  if (Status recovered = state.recover_from_disk(); !recovered) return recovered;
  state.bus.monitor();  // before anybody can connect
  if (Status bound = state.bind(); !bound) return bound;
  reactor().watch(state.bus, [&state](Now now) { state.on_bus(now); });
  reactor().watch(state.feed_in, [&state](Now now) { state.on_feed_in(now); });
  reactor().watch_monitor(state.bus, [&state](Now now) { state.on_connections(now); });
  reactor().watch(state.disk->ready_fd(), [this](Now now) {
    if (auto failed = state_->on_disk(now)) {
      state_->log.error("the disk failed: " + failed->message);
      end(tl::unexpected(std::move(*failed)));
    }
  });
  reactor().at_turn_end([&state](Now now) { return state.end_turn(now); });
  state.broker->start(read_clock());
  start();
  return {};
}

}  // namespace cidbus
