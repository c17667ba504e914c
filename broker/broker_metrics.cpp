#include "broker/broker_metrics.h"

#include "broker/broker_status.h"

namespace cidbus {
namespace {

std::array<Counter*, refusal_count> refusals_of(Registry& registry) {
  std::array<Counter*, refusal_count> counters{};
  for (std::size_t place = 0; place < refusal_count; ++place)
    counters[place] =
        &registry.counter(Metric::MessagesRefused, label_of(to_text(static_cast<Refusal>(place))));
  return counters;
}

}  // namespace

BrokerMetrics::BrokerMetrics(Registry& given)
    : registry(given),
      tasks(given),
      refused(refusals_of(given)),
      refused_feed(given.counter(Metric::MessagesRefused, "feed")),
      refused_connections(given.counter(Metric::ConnectionsRefused)),
      gone(given.counter(Metric::MessagesUndeliverable, "gone")),
      full(given.counter(Metric::MessagesUndeliverable, "full")),
      elections(given.counter(Metric::Elections)),
      offices(given.counter(Metric::OfficesTaken)),
      heartbeat_gap(given.histogram(Metric::HeartbeatGap)) {}

std::uint64_t BrokerMetrics::all_refused() const {
  std::uint64_t sum = refused_feed.value() + refused_connections.value();
  for (const Counter* const counter : refused) sum += counter->value();
  return sum;
}

void BrokerMetrics::on_left_office(group::WhyDeposed why) {
  registry.counter(Metric::OfficesLeft, label_of(to_text(why))).add();
}

void BrokerMetrics::read(Now now, const Replica& replica, const StateMachine& state) {
  const BrokerStatus status = status_of(replica, state, now);
  registry.gauge(Metric::BrokerEpoch).set(status.epoch.value);
  registry.gauge(Metric::IsLeader).set(status.duty == Duty::Leader ? 1 : 0);
  registry.gauge(Metric::HasQuorum).set(status.duty == Duty::Electing ? 0 : 1);
  registry.gauge(Metric::JournalIndex, "last").set(status.last.value);
  registry.gauge(Metric::JournalIndex, "durable").set(status.durable.value);
  registry.gauge(Metric::JournalIndex, "commit").set(status.commit.value);
  registry.gauge(Metric::JournalIndex, "applied").set(status.applied.value);
  registry.clear(Metric::JournalLag);
  if (status.duty == Duty::Leader) {
    for (const BrokerPeer& broker : status.brokers)
      registry.gauge(Metric::JournalLag, broker.name)
          .set(status.last.value - std::min(status.last.value, broker.durable.value));
  }
  registry.counter(Metric::MessagesRefused, "group").set(replica.refused_messages());
  const group::StateComparison::Counts& compared = replica.group().comparison().figures();
  registry.counter(Metric::StateComparisons, "equal").set(compared.equal);
  registry.counter(Metric::StateComparisons, "different").set(compared.different);
  registry.counter(Metric::StateComparisons, "again").set(compared.again);
  for (std::size_t place = 0; place < task_state_count; ++place)
    registry.gauge(Metric::TasksByState, to_text(static_cast<TaskState>(place))).set(state.counts()[place]);
  registry.gauge(Metric::Sessions).set(state.usage().sessions);
}

}  // namespace cidbus
