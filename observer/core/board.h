// What a view of the cluster shows at one moment, as plain values: the same for a terminal and for others.
//
// Thread rule: values. Limits: those of ClusterView and AlertEngine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "observer/core/alert_engine.h"
#include "observer/core/cluster_view.h"
#include "observer/core/history.h"
#include "observer/core/silence.h"
#include "shared/node/health.h"

namespace cidbus {

struct Board {
  struct Node {
    NodeView view;
    std::optional<std::chrono::milliseconds> silent;
    HealthStatus health = HealthStatus::Unknown;
  };
  struct Broker : GroupOverview::Broker {
    HealthStatus health = HealthStatus::Unknown;
  };
  struct Machine {  // of a node or broker, as it says itself; what it does not say, or not lately, is nothing
    std::optional<double> cpu_percent;
    std::optional<double> memory_percent;
  };
  struct Type {
    std::string name;
    TypeView counts;
  };
  struct Raised {
    Alert alert;
    std::string mark;  // "silenced by s1", "seen by anna", or empty
  };

  WallTime time;
  WallTime unbound_at;  // when the leader was lost; 0: there is one, or never was
  std::string cluster;
  std::string leader;
  Epoch epoch;
  bool bound = false;
  Health health;
  std::vector<Broker> brokers;
  std::vector<Node> nodes;                  // by name
  std::map<std::string, Machine> machines;  // of each node and broker
  std::vector<std::uint64_t> tasks_by_state;
  std::optional<double> accepted_rate;  // a second, over the last ten
  std::optional<double> finished_rate;
  std::optional<double> requeued_rate;
  std::vector<Type> types;              // by name
  std::vector<TaskView> tasks;          // the newest first
  std::vector<ElectionView> elections;  // the newest first
  std::vector<Raised> alerts;           // the oldest first
};

Board make_board(const ClusterView& view, const History& history, const std::vector<Alert>& alerts,
                 const AlertMarks& marks, WallTime now);

}  // namespace cidbus
