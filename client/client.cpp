#include "client/client.h"

#include <algorithm>
#include <optional>

#include "shared/io/bus_asker.h"
#include "shared/io/clock.h"
#include "shared/io/random.h"
#include "shared/io/reactor.h"

namespace cidbus {
namespace {

constexpr Duration close_wait = std::chrono::milliseconds(500);

}  // namespace

struct Client::State : BusLink::Owner, SessionOutput {
  State(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers,
        const SessionSettings& settings, Listener& told)
      : listener(told),
        core(random_session(), settings, *this),
        link(context, reactor, std::move(identity), std::move(brokers), *this) {}

  // ---- the connection
  Hello make_hello() override {
    Hello hello;
    hello.role = Role::Client;
    return hello;
  }
  void on_bound(Now now, const Welcome& welcome) override {
    contact = true;
    lost_at.reset();
    refusals.on_bound();
    core.on_bound(now.monotonic, welcome.credit);
  }
  void on_unbound(Now now) override {
    lost_at = now.monotonic;
    core.on_unbound(now.monotonic);
  }
  void on_message(Now now, const Header&, const Message& message) override {
    pong = pong || std::holds_alternative<Pong>(message);
    if (core.on_message(now.monotonic, message)) return;
    const auto* refused = std::get_if<Refused>(&message);
    const bool for_good =
        refused != nullptr && (refused->why == Refusal::NotAllowed || refused->why == Refusal::BadMessage);
    if (for_good) failure = fault_of(refused->why, refused->reason);
  }
  void on_refused(Now now, const Refused& refused) override { refusals.on_refused(now, refused); }

  // ---- the session
  void send(const Message& message) override { link.send(message); }  // the core repeats what gets lost
  void accepted(Ticket ticket, TaskId task, bool duplicate) override {
    no_room.clear();
    listener.accepted(ticket, task, duplicate);
  }
  void rejected(Ticket ticket, Refusal why, std::string_view reason, std::chrono::milliseconds) override {
    listener.rejected(ticket, fault_of(why, reason));
  }
  void result(Ticket ticket, const TaskInfo& info) override { listener.result(ticket, info); }
  void unknown(Ticket ticket, TaskId task) override { listener.unknown(ticket, task); }
  SessionId new_session() override { return random_session(); }
  void paused(std::string_view reason, std::chrono::milliseconds) override { no_room = std::string(reason); }

  std::optional<Monotonic> turn_end(Now now) {
    submitted = false;
    const Monotonic wanted = core.tick(now.monotonic);
    return wanted == Monotonic::max() ? std::nullopt : std::optional(wanted);
  }

  // When run() gives up, and what it says then.
  Monotonic give_up_at(const Patience& patience, Monotonic started) const {
    if (!contact) return std::min(patience.deadline, started + patience.first_contact);
    if (lost_at) return std::min(patience.deadline, std::max(*lost_at, started) + patience.outage);
    return patience.deadline;
  }
  Fault too_late() const {
    if (!link.bound()) return refusals.fault(link);
    if (!no_room.empty()) {
      const bool says_what_to_do = no_room.find(';') != std::string::npos;
      return {FaultKind::TryAgain, no_room + (says_what_to_do ? "" : "; try again later")};
    }
    return {FaultKind::TimedOut, "not done in the time given; give a longer --timeout"};
  }

  Listener& listener;
  Reactor reactor;
  SessionCore core;
  BusLink link;
  bool open = false;
  bool pong = false;                 // the broker answered a ping since it was set back
  bool submitted = false;            // since the last turn: the next one does not wait
  bool contact = false;              // a leader has welcomed this client at least once
  std::optional<Monotonic> lost_at;  // when the last leader was lost; nothing while bound
  HelloRefusals refusals;
  std::string no_room;  // why the broker took nothing lately; empty once it does
  std::optional<Fault> failure;
};

Client::Client(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers,
               const SessionSettings& settings, Listener& listener)
    : state_(std::make_unique<State>(context, std::move(identity), std::move(brokers), settings, listener)) {}
Client::~Client() = default;

bool Client::has_contact() const { return state_->contact; }
bool Client::has_room() const { return state_->core.has_room(); }
bool Client::idle() const { return state_->core.idle(); }

Ticket Client::submit(std::string_view type, const TaskOptions& options, ByteView work) {
  state_->submitted = true;
  return state_->core.submit(type, options, work);
}

Status Client::run(const Patience& patience, const std::function<bool()>& done) {
  State& state = *state_;
  if (!state.open) {
    if (const Status opened = state.link.open(); !opened) return opened;
    state.reactor.at_turn_end([&state](Now now) { return state.turn_end(now); });
    state.open = true;
  }
  const Monotonic started = read_clock().monotonic;
  while (true) {
    if (state.failure) return tl::unexpected(*state.failure);
    if (done()) return {};
    const Monotonic now = read_clock().monotonic;
    const Monotonic end = state.give_up_at(patience, started);
    if (now >= end || state.refusals.final(now, state.link.brokers()))
      return tl::unexpected(state.too_late());
    const Duration most = state.submitted ? Duration::zero() : Duration(std::chrono::hours(1));
    state.reactor.run_once(std::min<Duration>(end - now, most));
  }
}

void Client::watch(int descriptor, std::function<void()> handler) {
  state_->reactor.watch(descriptor, [handler = std::move(handler)](Now) { handler(); });
}
void Client::unwatch(int descriptor) { state_->reactor.unwatch(descriptor); }

// Sockets do not linger. A broker reads in order, so its answer to a ping behind the close says that both
// arrived.
void Client::close() {
  State& state = *state_;
  if (!state.link.bound()) return;
  const Monotonic started = read_clock().monotonic;
  state.core.close();
  state.core.tick(started);
  state.pong = false;
  state.link.send(Ping{});
  while (!state.pong && state.link.bound()) {
    const Duration left = started + close_wait - read_clock().monotonic;
    if (left <= Duration::zero()) return;
    state.reactor.run_once(left);
  }
}

NodeIdentity client_identity(std::string cluster) {
  const Incarnation incarnation = random_incarnation();
  return {std::move(cluster), "cli-" + to_text(incarnation).substr(0, 12), Role::Client, incarnation};
}

Fault fault_of(Refusal why, std::string_view reason) {
  std::string text(reason.empty() ? to_text(why) : reason);
  switch (why) {
    case Refusal::NotAllowed:
      return {FaultKind::NotAllowed, std::move(text)};
    case Refusal::BadMessage:
    case Refusal::NotKnown:  // of a submission: its type
      return {FaultKind::BadUsage, std::move(text)};
    case Refusal::NameTaken:  // of a submission: its key, by another request
      return {FaultKind::BadData, std::move(text)};
    case Refusal::Exhausted:
      return {FaultKind::TryAgain, std::move(text)};
    default:
      return {FaultKind::Unavailable, std::move(text)};
  }
}

}  // namespace cidbus
