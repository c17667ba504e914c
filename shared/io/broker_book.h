// The brokers that this process was told of: every welcome and redirect names all of the group, so whoever is
// given one address goes on when that one dies.
//
// One book a process, in its SocketContext: the links it opens later begin with what the first one has
// learned. Nothing is ever struck out; an address where nobody is costs a connection attempt now and then.
//
// Invariant: an endpoint stands once in a cluster's list.
//
// Thread rule: any thread. Limits: limits::brokers_known a cluster; more are not noted.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "shared/core/node.h"

namespace cidbus {

class BrokerBook {
 public:
  struct Entry {
    std::string name;
    std::string endpoint;  // host:port of its bus
  };

  void learn(ClusterId cluster, const std::vector<NodeAddress>& brokers);
  // In the order in which they were learned.
  [[nodiscard]] std::vector<Entry> of(ClusterId cluster) const;
  // Grows with every new entry; 0 while there is none.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  mutable std::mutex lock_;  // of entries_
  std::map<std::uint64_t, std::vector<Entry>> entries_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace cidbus
