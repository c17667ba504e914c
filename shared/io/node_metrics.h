// The metrics of a running node: a registry, and in it what every node measures of its process and machine.
//
// Thread rule: the role's. Limits: the system is looked at once a second at most, whoever asks how often.
#pragma once

#include <string>
#include <string_view>

#include "shared/core/node.h"
#include "shared/io/log.h"
#include "shared/metrics/registry.h"

namespace cidbus {

class NodeMetrics {
 public:
  // `folder`: whose disk is told; empty: of none. `log`: whose lines are counted; it outlives this.
  NodeMetrics(std::string_view name, Role role, std::string folder, const Log& log);

  Registry& registry() { return registry_; }

 private:
  void look(Now now);
  void look_at_process();

  Registry registry_;
  const std::string folder_;
  const Log& log_;
  Now started_{};  // at the first look
  Monotonic looked_{};
};

// Of /proc/net/dev: bytes over all interfaces but loopback.
struct NetworkBytes {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
};
NetworkBytes parse_network(std::string_view text);

}  // namespace cidbus
