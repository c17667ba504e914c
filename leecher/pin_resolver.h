// Asks the leader what the names and tags of pins stand for.
//
// Thread rule: one thread. Limits: limits::pins_a_leecher CIDs of a tag.
#pragma once

#include <vector>

#include "leecher/pin_list.h"
#include "shared/io/bus_asker.h"

namespace cidbus {

class PinResolver {
 public:
  PinResolver(SocketContext& context, const NodeIdentity& leecher, std::vector<std::string> brokers);

  // NotFound when nothing is called so or has that tag; the asker's faults. REQUIRES: no CID.
  Result<std::vector<Cid>> resolve(const Pin& pin);

 private:
  BusAsker asker_;
};

}  // namespace cidbus
