// Hears on the brokers' feeds who holds office, so that a node learns of the next leader when the one it
// speaks to falls silent: a host that is cut off breaks no connection, and says nothing of it.
//
// Thread rule: the thread of the reactor it is attached to. Limits: 16 messages read a turn; the leader says
// so once a second.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "shared/io/reactor.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {

class LeaderFeed {
 public:
  using Heard = std::function<void(Now, const LeaderEvent&)>;
  // REQUIRES: everything referred to outlives it.
  LeaderFeed(SocketContext& context, Reactor& reactor, ClusterId cluster, Heard heard);
  ~LeaderFeed();
  LeaderFeed(const LeaderFeed&) = delete;
  LeaderFeed& operator=(const LeaderFeed&) = delete;

  // To the feed of the broker whose bus is at `broker`, HOST:PORT; anew when it has another key.
  void listen_to(const std::string& broker, const std::string& key);

 private:
  void read(Now now);

  Reactor& reactor_;
  ClusterId cluster_;
  Heard heard_;
  Socket socket_;
  std::map<std::string, std::string> keys_;  // by broker
  Frames frames_;
  Decoder decoder_;
};

}  // namespace cidbus
