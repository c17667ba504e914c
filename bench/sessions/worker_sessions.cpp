#include "bench/sessions/worker_sessions.h"

#include <vector>

#include "bench/support/socket_set.h"
#include "shared/io/bus_link.h"
#include "shared/io/clock.h"
#include "shared/io/random.h"
#include "shared/wire/codec.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

constexpr int wait_milliseconds = 100;
constexpr Duration sign_of_life = std::chrono::seconds(2);
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
  };

  void send(std::size_t place, const Message& message) {
    const Session& session = sessions[place];
    const Header header{protocol_version, cluster_id(session.identity.cluster), session.epoch,
                        session.identity.name, session.identity.incarnation};
    const SendAnswer answer = sockets[place].send({encoder.encode(header, message)});
    ENSURE(answer == SendAnswer::Sent, "a message of", session.identity.name, "was lost");
  }

  void say_hello(std::size_t place) {
    Hello hello;
    hello.role = Role::Worker;
    hello.load.slots = 1;
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
  std::size_t alive_next = 0;  // whose sign of life is next
  Monotonic alive_since{};     // when the last round of them began
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

Status WorkerSessions::connect(const std::string& broker) {
  for (std::size_t place = 0; place < state_->sessions.size(); ++place) {
    Socket::Options options;
    options.queue = queue;
    options.immediate = false;  // a hello waits for the connection
    options.routing_id = routing_id(state_->sessions[place].identity);
    Socket& socket = state_->sockets.add(Socket(state_->context, SocketKind::Dealer, options));
    if (Status connected = socket.connect(broker); !connected) return connected;
    state_->say_hello(place);
  }
  return {};
}

// Signs of life are spread over their period, so that no turn has thousands to say.
void WorkerSessions::turn() {
  State& state = *state_;
  state.sockets.wait(wait_milliseconds, [&](std::size_t place, Socket&) { state.read(place); });
  const Monotonic now = read_clock().monotonic;
  if (state.alive_next == state.sessions.size() && now - state.alive_since >= sign_of_life) {
    state.alive_next = 0;
    state.alive_since = now;
  }
  const auto passed =
      static_cast<double>((now - state.alive_since).count()) / static_cast<double>(sign_of_life.count());
  const auto due =
      static_cast<std::size_t>(std::min(passed, 1.0) * static_cast<double>(state.sessions.size()));
  for (; state.alive_next < due; ++state.alive_next) {
    if (!state.sessions[state.alive_next].welcome) continue;
    state.send(state.alive_next, Ping{});
    state.sockets.look_again(state.alive_next);
  }
}

}  // namespace cidbus
