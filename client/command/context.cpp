#include "client/command/context.h"

#include <algorithm>

#include "client/command/interrupt.h"
#include "shared/base/limits/links.h"
#include "shared/core/trace_context.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr Duration contact_time = std::chrono::seconds(5);
constexpr Duration answer_time = std::chrono::seconds(10);
constexpr Duration outage_time = std::chrono::seconds(60);
constexpr Duration moment = std::chrono::seconds(1);

}  // namespace

Context::Context(Environment& environment, CommonOptions common)
    : environment_(environment),
      common_(std::move(common)),
      started_(read_clock().monotonic),
      output_(environment, common_.format),
      sockets_(common_.trust) {}

Monotonic Context::deadline(Duration otherwise) const {
  return common_.timeout ? started_ + *common_.timeout : read_clock().monotonic + otherwise;
}

// W3C Trace Context: what is none is as if there were none.
std::string Context::traceparent() const {
  return read_traceparent(environment_.settings.variable("TRACEPARENT").value_or("")).value_or("");
}

Monotonic Context::deadline() const {
  return common_.timeout ? started_ + *common_.timeout : Monotonic::max();
}

Client::Patience Context::patience() const {
  Client::Patience patience;
  patience.deadline = deadline();
  return patience;
}

BusAsker& Context::bus() {
  if (!bus_) bus_ = std::make_unique<BusAsker>(sockets_, new_identity(), common_.brokers);
  return *bus_;
}

// In portions, so that a broker that cannot be reached is said so early, whatever the deadline.
Status Context::ask_until(Monotonic deadline, const Message& question,
                          const std::function<bool(const Message&)>& take) {
  Duration patience = contact_time;
  while (true) {
    const Monotonic by = std::min(deadline, read_clock().monotonic + patience);
    Status asked = bus().ask(question, by, take);
    if (asked || asked.error().kind != FaultKind::TimedOut || by == deadline) return asked;
    patience = outage_time;  // there was a broker; it may be away for as long as a fail-over takes
  }
}

Status Context::ask(const Message& question, const std::function<bool(const Message&)>& take) {
  return ask_until(deadline(answer_time), question, take);
}

Status Context::ask_patiently(const Message& question, const std::function<bool(const Message&)>& take) {
  return ask_until(deadline(), question, take);
}

Status Context::ask_at_once(const Message& question, const std::function<bool(const Message&)>& take) {
  return ask_until(read_clock().monotonic + moment, question, take);
}

Status Context::ask_brokers(const std::function<bool(const BrokerStatus&)>& take) {
  const Monotonic most = read_clock().monotonic + limits::status_answer_time;
  return bus().ask_brokers(std::min(most, deadline(limits::status_answer_time)), take);
}

int Context::interrupted() const {
  const int signal = environment_.interrupt == nullptr ? 0 : environment_.interrupt->signal();
  return signal == 0 ? 0 : 128 + signal;
}

}  // namespace cidbus
