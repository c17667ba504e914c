#include "bench/sessions/worker_sessions.h"

#include <optional>
#include <vector>

#include "bench/support/socket_set.h"
#include "shared/io/bus_link.h"
#include "shared/io/clock.h"
#include "shared/io/log.h"
#include "shared/io/node_metrics.h"
#include "shared/io/random.h"
#include "shared/wire/codec.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

constexpr int wait_milliseconds = 100;
constexpr Duration sign_of_life = std::chrono::seconds(2);
constexpr Duration heartbeat_period = std::chrono::seconds(1);
constexpr int feed_in_offset = 2;  // DESIGN section 11: a broker at port P hears the feed at P+2
constexpr int queue = 10'000;

// What a handler of `echo` would make of the work.
Bytes answer_to(ByteView work) {
  const auto decoded = decode_work(work);
  ENSURE(decoded.has_value(), decoded.error().message);
  TaskResult result;
  result.values = (*decoded)->parameters;
  return encode_result(result);
}

}  // namespace

struct WorkerSessions::State {
  struct Session {
    NodeIdentity identity;
    Epoch epoch;
    bool welcome = false;
    std::uint32_t done = 0;  // since the last credit
    std::uint64_t beats = 0;
  };
  // Round after round through all sessions, spread over its period, so that no turn has thousands to say.
  struct Round {
    Duration period;
    std::size_t next = 0;  // whose turn it is
    Monotonic since{};     // when the last round began

    // The first that is not due yet.
    std::size_t due(Monotonic now, std::size_t sessions) {
      if (next == sessions && now - since >= period) {
        next = 0;
        since = now;
      }
      const auto passed = static_cast<double>((now - since).count()) / static_cast<double>(period.count());
      return static_cast<std::size_t>(std::min(passed, 1.0) * static_cast<double>(sessions));
    }
  };

  void send(std::size_t place, const Message& message) {
    const Session& session = sessions[place];
    const SendAnswer answer = sockets[place].send({encoder.encode(header_of(session), message)});
    ENSURE(answer == SendAnswer::Sent, "a message of", session.identity.name, "was lost");
  }

  [[nodiscard]] Header header_of(const Session& session) const {
    return {protocol_version, cluster_id(session.identity.cluster), session.epoch, session.identity.name,
            session.identity.incarnation};
  }

  void publish(Now now, const Session& session, FeedTopic topic, FeedEvent event) {
    Feed message;
    message.topic = topic;
    message.number = session.beats;
    message.time = now.wall;
    message.events.push_back(std::move(event));
    feed->send({as_bytes(to_text(topic)), encoder.encode(header_of(session), message)});
  }
  void say_how_it_is(Now now, Session& session) {
    ++session.beats;
    const NodeIdentity& identity = session.identity;
    publish(now, session, FeedTopic::Heartbeats,
            HeartbeatEvent{identity.name, identity.role, identity.incarnation, load});
    publish(now, session, FeedTopic::Metrics, MetricsEvent{identity.role, samples});
  }
  void measure(Now now) {
    if (!metrics) {
      metrics.emplace("sessions", Role::Worker, "/", log);
      Registry& registry = metrics->registry();
      for (const Metric metric : {Metric::TurnSeconds, Metric::WorkerRunSeconds})
        for (int length = 0; length < 12; ++length)
          registry.histogram(metric).observe(Histogram::bound(static_cast<std::size_t>(length)));
      for (const Metric metric : {Metric::LeaderBound, Metric::WorkerSlots, Metric::WorkerSlotsBusy,
                                  Metric::WorkerAttemptsHeld, Metric::BlocksStored, Metric::BlockBytesStored})
        registry.gauge(metric).set(1);
      for (const Metric metric : {Metric::LeaderLost, Metric::ExchangeSent, Metric::ExchangeReceived})
        registry.counter(metric).add();
      registry.counter(Metric::WorkerTasks, "echo", "completed").add();
    }
    samples = metrics->registry().read(now);
  }

  void say_hello(std::size_t place) {
    Hello hello;
    hello.role = Role::Worker;
    hello.load = load;
    if (feed) hello.exchange = "127.0.0.1:1";  // it stores blocks, of which it says how many
    hello.task_types = {"echo"};
    send(place, hello);
  }

  void read(std::size_t place) {
    while (sockets[place].receive(frames)) {
      const auto envelope = decoder.decode(frames[0]);
      ENSURE(envelope.has_value(), envelope.error().message);
      sessions[place].epoch = envelope->header.epoch;
      on_message(place, envelope->message);
    }
    grant(place);
  }

  void on_message(std::size_t place, const Message& message) {
    if (std::holds_alternative<Welcome>(message)) {
      sessions[place].welcome = true;
      sessions[place].done = credit;
    } else if (const auto* dispatch = std::get_if<Dispatch>(&message)) {
      complete(place, *dispatch);
    } else if (const auto* ack = std::get_if<CompleteAck>(&message)) {
      sessions[place].done += static_cast<std::uint32_t>(ack->attempts.size());
    } else if (std::holds_alternative<Ping>(message)) {
      send(place, Pong{});
    } else if (!sessions[place].welcome) {
      say_hello(place);  // the broker is not in office yet
    }
  }

  void complete(std::size_t place, const Dispatch& dispatch) {
    std::vector<Bytes> results;
    for (const DispatchItem& item : dispatch.items) results.push_back(answer_to(item.work));
    Complete complete;
    for (std::size_t at = 0; at < results.size(); ++at)
      complete.items.push_back(
          {dispatch.items[at].attempt, Outcome::Completed, results[at], {}, std::chrono::microseconds(1)});
    send(place, complete);
  }

  // As a worker does: a quarter of the window at a time.
  void grant(std::size_t place) {
    Session& session = sessions[place];
    if (session.done == 0 || session.done * 4 < credit) return;
    send(place, Credit{session.done});
    session.done = 0;
  }

  std::string cluster;
  std::uint32_t credit = 1;
  SocketContext context;
  SocketSet sockets;
  std::vector<Session> sessions;
  Encoder encoder;
  Decoder decoder;
  Frames frames;
  Round alive{sign_of_life};
  Round beat{heartbeat_period};
  NodeLoad load{.slots = 1};
  struct : Log {
    void write(LogLevel, std::string_view) override {}
  } log;
  std::optional<NodeMetrics> metrics;
  std::vector<MetricSample> samples;  // as last measured
  std::optional<Socket> feed;         // none: nothing is said there
};

WorkerSessions::WorkerSessions(const std::string& cluster, std::size_t sessions, std::uint32_t credit)
    : state_(std::make_unique<State>()) {
  state_->cluster = cluster;
  state_->credit = credit;
  for (std::size_t number = 1; number <= sessions; ++number) {
    State::Session& session = state_->sessions.emplace_back();
    session.identity = {cluster, "s" + std::to_string(number), Role::Worker, random_incarnation()};
  }
}
WorkerSessions::~WorkerSessions() = default;

Status WorkerSessions::connect(const std::string& broker, bool heartbeats) {
  State& state = *state_;
  Socket::Options options;
  options.queue = queue;
  if (heartbeats) {
    state.load = {1, 0, 1000, 1'000'000'000, 1ULL << 40, 50'000'000};
    state.feed.emplace(state.context, SocketKind::Pub, options);
    const std::string address = address_at(broker, feed_in_offset);
    if (Status connected = state.feed->connect(address); !connected) return connected;
  }
  options.immediate = false;  // a hello waits for the connection
  for (std::size_t place = 0; place < state.sessions.size(); ++place) {
    options.routing_id = routing_id(state.sessions[place].identity);
    Socket& socket = state.sockets.add(Socket(state.context, SocketKind::Dealer, options));
    if (Status connected = socket.connect(broker); !connected) return connected;
    state.say_hello(place);
  }
  return {};
}

void WorkerSessions::turn() {
  State& state = *state_;
  state.sockets.wait(wait_milliseconds, [&](std::size_t place, Socket&) { state.read(place); });
  const Now now = read_clock();
  const std::size_t sessions = state.sessions.size();
  for (const std::size_t due = state.alive.due(now.monotonic, sessions); state.alive.next < due;
       ++state.alive.next) {
    if (!state.sessions[state.alive.next].welcome) continue;
    state.send(state.alive.next, Ping{});
    state.sockets.look_again(state.alive.next);
  }
  if (!state.feed) return;
  for (const std::size_t due = state.beat.due(now.monotonic, sessions); state.beat.next < due;
       ++state.beat.next) {
    if (state.beat.next == 0) state.measure(now);
    if (state.sessions[state.beat.next].welcome) state.say_how_it_is(now, state.sessions[state.beat.next]);
  }
}

}  // namespace cidbus
