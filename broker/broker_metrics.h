// What a broker counts beside the tasks: messages, the journal, and who leads.
//
// Thread rule: the driver's, but for the disk's thread, which measures its syncs. Limits: the registry's.
#pragma once

#include "broker/consensus/effects.h"
#include "broker/replica.h"
#include "broker/tasks/task_metrics.h"

namespace cidbus {

struct BrokerMetrics {
  explicit BrokerMetrics(Registry& given);

  Registry& registry;
  TaskMetrics tasks;
  std::array<Counter*, refusal_count> refused;  // messages, by Refusal
  Counter& refused_feed;
  Counter& refused_connections;
  Counter& gone;  // receivers
  Counter& full;
  Counter& elections;
  Counter& offices;
  Histogram& heartbeat_gap;

  // Of the bus and the feed.
  [[nodiscard]] std::uint64_t all_refused() const;
  void on_left_office(group::WhyDeposed why);
  // What any broker knows when it is asked; `state` is its own.
  void read(Now now, const Replica& replica, const StateMachine& state);
};

}  // namespace cidbus
