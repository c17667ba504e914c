// A node's connection to its brokers: it finds the leader, says hello, pings, and hands over what the leader
// says.
//
// One DEALER socket a broker; shared/node/leader_link.h decides. Brokers that it was not given are learned
// from those that were (broker_book.h). With keys each broker must have a key that the allow-list gives to
// one, or to the name it was learned under, and speak under its name; a refusal is told and tried again, as
// is a hello. A hello carries the node's load; a node that is a member (every role but client) also publishes
// it, as a heartbeat, and its metrics, on the leader's feed-in port.
//
// Invariants
//  1. The owner hears on_bound, then messages of that leader, then on_unbound, in this order, any number
//     of times.
//  2. A message of a deposed leader (lower epoch) never reaches the owner.
//  3. No message of a broker whose key was taken from the allow-list reaches the owner after a turn.
//  4. What a broker says without leading never reaches the owner as the leader's word.
//  5. send() reaches the leader or says that it did not; nothing is queued for a leader that is not there.
//
// Thread rule: the thread of the reactor it is attached to. Limits: 256 messages read a broker and turn.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shared/core/message.h"
#include "shared/io/log.h"
#include "shared/io/node_identity.h"
#include "shared/io/reactor.h"
#include "shared/io/socket.h"
#include "shared/metrics/registry.h"

namespace cidbus {

class BusLink {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Hello make_hello() = 0;  // but for the load
    virtual void on_bound(Now now, const Welcome& welcome) = 0;
    virtual void on_unbound(Now now) = 0;
    virtual void on_message(Now now, const Header& header, const Message& message) = 0;
    // A connection stands; `key` is what the other end proved to have, empty where no keys are in use.
    virtual void on_connected(Now, const std::string& /*broker*/, const std::string& /*key*/) {}
    virtual void on_disconnected(Now, const std::string& /*broker*/) {}
    // The word of one broker, whether it leads or not: a BrokerStatus, or the Snapshot of one that does not;
    // ask_each(), ask_standbys().
    virtual void on_own_word(Now, const Header& /*broker*/, const Message&) {}
    // A hello, or the connection itself, was refused; `reason` is for a person. It is tried again with
    // back-off.
    virtual void on_refused(Now now, const Refused& refused) = 0;
    virtual NodeLoad load() { return {}; }  // asked after open(), on the reactor's thread
    // What it measures, told on the feed behind each heartbeat; nothing for one that measures nothing.
    virtual Registry* metrics() { return nullptr; }
  };

  // REQUIRES: everything referred to outlives the link; `brokers` is not empty.
  BusLink(SocketContext& context, Reactor& reactor, NodeIdentity identity, std::vector<std::string> brokers,
          Owner& owner);
  ~BusLink();
  BusLink(const BusLink&) = delete;
  BusLink& operator=(const BusLink&) = delete;

  // Opens the sockets. BadUsage when an address makes no sense.
  Status open();
  bool send(const Message& message);
  // Sends it to each broker that is connected and not among those asked, and adds them.
  void ask_each(const BrokerStatusRequest& request, std::set<std::size_t>& asked);
  // Sends it to each broker that said last that it does not lead.
  void ask_standbys(const SnapshotRequest& request);
  [[nodiscard]] bool bound() const;
  [[nodiscard]] bool leaderless() const;  // brokers are there, and nobody holds office
  [[nodiscard]] Epoch epoch() const;
  [[nodiscard]] const std::vector<std::string>& brokers() const;
  // HOST:PORT of the leader it is bound to.
  [[nodiscard]] std::string leader_address() const;
  [[nodiscard]] const NodeIdentity& identity() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
