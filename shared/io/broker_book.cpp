#include "shared/io/broker_book.h"

#include <algorithm>

#include "shared/base/limits/links.h"

namespace cidbus {

void BrokerBook::learn(ClusterId cluster, const std::vector<NodeAddress>& brokers) {
  const std::lock_guard hold(lock_);
  std::vector<Entry>& known = entries_[cluster.value];
  for (const NodeAddress& broker : brokers) {
    const bool stands = std::any_of(known.begin(), known.end(),
                                    [&](const Entry& entry) { return entry.endpoint == broker.endpoint; });
    if (stands || broker.endpoint.empty() || known.size() >= limits::brokers_known) continue;
    known.push_back({std::string(broker.name), std::string(broker.endpoint)});
    ++version_;
  }
}

std::vector<BrokerBook::Entry> BrokerBook::of(ClusterId cluster) const {
  const std::lock_guard hold(lock_);
  const auto known = entries_.find(cluster.value);
  return known == entries_.end() ? std::vector<Entry>() : known->second;
}

}  // namespace cidbus
