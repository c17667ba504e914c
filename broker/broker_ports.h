// What the driver sends through: the sockets, as the server and the simulation give them.
//
// Thread rule: called on the driver's thread; answers to the disk's orders come back as calls of
// Broker::on_... Limits: none of their own.
#pragma once

#include <string_view>

#include "shared/core/message.h"
#include "shared/io/socket.h"

namespace cidbus {

class BrokerPorts {
 public:
  virtual ~BrokerPorts() = default;
  virtual SendAnswer send(std::string_view routing_id, ByteView frame) = 0;
  virtual void publish(FeedTopic topic, ByteView frame) = 0;
};

}  // namespace cidbus
