// What the driver sends through: the sockets, as the server and the simulation give them.
//
// Thread rule: called on the driver's thread; answers to the disk's orders come back as calls of
// Broker::on_... Limits: none of their own.
#pragma once

#include <span>
#include <string_view>

#include "shared/core/group_messages.h"
#include "shared/core/message.h"
#include "shared/io/socket.h"

namespace cidbus {

class BrokerPorts {
 public:
  virtual ~BrokerPorts() = default;
  virtual SendAnswer send(std::string_view routing_id, ByteView frame) = 0;
  virtual void publish(FeedTopic topic, ByteView frame) = 0;
  // Whether on_peer_feed is to hear this topic of the other brokers.
  virtual void follow_feeds(FeedTopic topic, bool on) = 0;
  // To another broker of the group: lost when it is not there, or its queue is full.
  virtual void send_to_broker(group::Seat to, group::Channel channel, ByteView head,
                              std::span<const group::SharedBatch> behind) = 0;
};

}  // namespace cidbus
