#include "shared/io/bus_asker.h"

#include "shared/io/clock.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr Duration ask_again = 1s;  // a question may be lost: ROUTER and DEALER queues promise nothing
constexpr Duration rights_told_after = 2s;
constexpr Duration look_again = 20ms;  // for brokers that became known or connected

std::string joined(const std::vector<std::string>& addresses) {
  std::string text;
  for (const std::string& address : addresses) text += (text.empty() ? "" : ", ") + address;
  return text;
}

}  // namespace

Fault no_broker_fault(const std::vector<std::string>& brokers, std::string_view reason) {
  std::string message = "no broker reachable at " + joined(brokers);
  if (!reason.empty()) message += ": " + std::string(reason);
  return {FaultKind::Unavailable, message + "; start one, or name others (--brokers)"};
}

void HelloRefusals::on_refused(Now now, const Refused& refused) {
  reason_ = std::string(refused.reason);
  of_rights_ = refused.why == Refusal::NotAllowed;
  const bool for_good =
      refused.why == Refusal::WrongCluster || refused.why == Refusal::WrongVersion || of_rights_;
  if (for_good_ == 0) since_ = now.monotonic;
  for_good_ = for_good ? for_good_ + 1 : 0;
}

// Hellos go round the brokers; two rounds of refusals leave nobody to hope for.
bool HelloRefusals::final(Monotonic now, const std::vector<std::string>& brokers) const {
  return for_good_ >= 2 * brokers.size() && (!of_rights_ || now - since_ >= rights_told_after);
}

Fault HelloRefusals::fault(const BusLink& link) const {
  const std::string tried = joined(link.brokers());
  if (for_good_ == 0 && link.leaderless()) {
    return {FaultKind::Unavailable, "no broker is in office at " + tried +
                                        ": a majority of them must be up; see cidbus cluster status"};
  }
  if (for_good_ == 0) return no_broker_fault(link.brokers(), reason_);
  const bool says_what_to_do = reason_.find(';') != std::string::npos;
  return {FaultKind::NotAllowed,
          "refused as a node of cluster '" + link.identity().cluster + "' at " + tried + ": " + reason_ +
              (says_what_to_do ? "" : "; check the cluster and the addresses (--cluster, --brokers)")};
}

struct BusAsker::State : BusLink::Owner {
  State(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers,
        std::function<bool()> given)
      : stopped(std::move(given)), link(context, reactor, std::move(identity), std::move(brokers), *this) {}

  Status open_once() {
    if (open) return {};
    Status opened = link.open();
    open = opened.has_value();
    return opened;
  }
  Hello make_hello() override {
    Hello hello;
    hello.role = link.identity().role;
    return hello;
  }
  void on_bound(Now, const Welcome& welcome) override {
    send_now = true;
    no_broker_here = welcome.brokers.empty();
    refusals.on_bound();
  }
  void on_unbound(Now) override {}
  void on_refused(Now now, const Refused& why) override { refusals.on_refused(now, why); }
  void on_own_word(Now, const Header&, const Message& message) override {
    const auto* status = std::get_if<BrokerStatus>(&message);
    if (status == nullptr || take_status == nullptr || status->request.value != last_request) return;
    done = done || (*take_status)(*status);
  }
  void on_message(Now, const Header&, const Message& message) override {
    if (take == nullptr || done) return;
    if (const auto* refused = std::get_if<Refused>(&message); refused != nullptr) {
      on_refused_question(*refused);
    } else {
      done = (*take)(message);
    }
  }
  void on_refused_question(const Refused& refused) {
    if (refused.why == Refusal::NotKnown || refused.why == Refusal::NotLeader)
      return;  // the link says hello again
    const bool later = refused.why == Refusal::Exhausted;
    const bool wrong = refused.why == Refusal::BadMessage;
    failure = Fault{later   ? FaultKind::TryAgain
                    : wrong ? FaultKind::BadUsage
                            : FaultKind::NotAllowed,
                    std::string(refused.reason)};
  }

  [[nodiscard]] bool is_stopped() const { return stopped && stopped(); }

  const std::function<bool()> stopped;
  Reactor reactor;
  BusLink link;
  bool open = false;
  bool send_now = false;
  bool done = false;
  bool no_broker_here = false;  // a leecher welcomed us: it has no status
  HelloRefusals refusals;
  std::optional<Fault> failure;
  const std::function<bool(const Message&)>* take = nullptr;
  const std::function<bool(const BrokerStatus&)>* take_status = nullptr;
  std::uint64_t last_request = 0;
};

BusAsker::BusAsker(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers,
                   std::function<bool()> stopped)
    : state_(std::make_unique<State>(context, std::move(identity), std::move(brokers), std::move(stopped))) {}
BusAsker::~BusAsker() = default;
BusAsker::BusAsker(BusAsker&&) noexcept = default;
BusAsker& BusAsker::operator=(BusAsker&&) noexcept = default;

RequestId BusAsker::next_request() { return {++state_->last_request}; }
Epoch BusAsker::epoch() const { return state_->link.epoch(); }

Status BusAsker::ask(const Message& question, Monotonic deadline,
                     const std::function<bool(const Message&)>& take) {
  State& state = *state_;
  if (const Status opened = state.open_once(); !opened) return opened;
  state.take = &take;
  state.done = false;
  state.failure.reset();
  state.send_now = true;
  bool reached = false;
  Monotonic sent{};
  while (!state.done && !state.failure && !state.is_stopped()) {
    const Monotonic now = read_clock().monotonic;
    if (now >= deadline || state.refusals.final(now, state.link.brokers())) break;
    if (state.link.bound() && (state.send_now || now - sent >= ask_again) && state.link.send(question)) {
      state.send_now = false;
      reached = true;
      sent = now;
    }
    state.reactor.run_once(std::min<Duration>(deadline - now, state.link.bound() ? ask_again : 100ms));
  }
  state.take = nullptr;
  if (state.failure) return tl::unexpected(*state.failure);
  if (state.done) return {};
  if (state.is_stopped()) return fault(FaultKind::Unavailable, "what asked is being shut down");
  if (!reached || !state.link.bound()) return tl::unexpected(state.refusals.fault(state.link));
  return fault(FaultKind::TimedOut,
               "the broker did not answer in time; try again, or allow more time (--timeout)");
}

Status BusAsker::ask_brokers(Monotonic deadline, const std::function<bool(const BrokerStatus&)>& take) {
  State& state = *state_;
  if (const Status opened = state.open_once(); !opened) return opened;
  const BrokerStatusRequest request{next_request()};
  std::set<std::size_t> asked;
  state.take_status = &take;
  state.done = false;
  while (!state.done && !state.is_stopped() && read_clock().monotonic < deadline) {
    if (state.link.bound() && state.no_broker_here) break;
    if (state.refusals.final(read_clock().monotonic, state.link.brokers())) break;
    state.link.ask_each(request, asked);
    state.reactor.run_once(look_again);
  }
  state.take_status = nullptr;
  return {};
}

}  // namespace cidbus
