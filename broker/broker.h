// The driver: frames and completions in, records and frames out, in order. It decides nothing that a pure
// room can.
//
// A turn: the server hands in what has arrived, then calls end_turn(), which applies what is committed, lets
// the rooms send what the turn collected, and hands the disk what gathered. Answers that need a record come
// out of applying it, so nothing can be told before it is committed (CONSENSUS R4, I7).
//
// The simulation hosts this very class with its own ports (tests/sim).
//
// Invariants
//  1. A frame is answered or acted on, never dropped in silence; what is refused is counted.
//  2. A peer to which something could not be delivered, or that is silent for the node timeout, is
//     forgotten; it says hello again.
//  3. Clients and workers are served only while in office.
//
// Thread rule: one owner, no clock, no socket, no file. Limits: limits/brokers.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker_ports.h"
#include "broker/journal/disk.h"
#include "broker/recovery.h"
#include "shared/core/key_holder.h"
#include "shared/io/log.h"
#include "shared/metrics/registry.h"

namespace cidbus {

struct BrokerOptions {
  std::string cluster;
  group::GroupConfig group;  // says who this broker is, and where others reach it
  Incarnation incarnation;   // of the process
  DiskIncarnation disk;      // of its data folder
  std::uint64_t seed = 0;
  ByteCount snapshot_after = 1ULL << 30;  // journal bytes since the last snapshot (CONSENSUS section 6)
  bool votes_by_hand = false;             // its owner decides what it is to vote for
};

class Broker {
 public:
  // Goes on from what was recovered. All referred to outlives the broker, whose metrics are not read after
  // it.
  Broker(Now now, BrokerOptions options, Recovered recovered, BrokerPorts& ports, Disk& disk,
         Registry& metrics, Log& log);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Its first turn: a broker alone asks for its vote to be persisted, and takes office when that is done.
  std::optional<Monotonic> start(Now now) { return end_turn(now); }

  // `holder`: of the key a message came with; null where no keys are in use. Gives the work it was, in the
  // units of frame_work.h: the caller stops reading at limits::work_a_turn.
  std::size_t on_frame(Now now, ByteView routing_id, ByteView frame, const KeyHolder* holder = nullptr);
  // From a node's PUB.
  void on_feed_frame(Now now, ByteView topic, ByteView frame, const KeyHolder* holder = nullptr);
  // A key was taken from the allow-list, or is for something else: who lives by it is gone. All subscribers
  // of the feed were cut.
  void on_keys_taken(Now now, const std::function<const KeyHolder*(std::string_view key)>& holder_of);
  void on_connection_refused();                // on the bus, for its key or for having none
  void on_subscription(ByteView frame);        // from the XPUB
  void on_peer_feed(Now now, ByteView frame);  // from another broker's XPUB
  void on_connection_broke(Now now);           // of some peer on the bus; nobody knows whose
  // From another broker of the group: the head, and the batches behind it.
  void on_mesh(Now now, ByteView head, std::vector<group::SharedBatch> behind);
  void on_link(Now now, group::Seat broker, bool up);  // its control connection

  // Hands office to this broker, or, for nobody, to the best one; one that does not lead does nothing.
  void hand_over(Now now, group::Seat successor);
  // It will be stopped: it hands over its office, or resigns, and does not stand any more. Done once it is
  // not in office.
  void prepare_to_stop(Now now);

  // REQUIRES: not DiskFailed, which ends the process (CONSENSUS R6).
  void on_disk(Now now, DiskCompletion completion);

  // When it wants to be called at the latest; nothing while only input can change anything.
  std::optional<Monotonic> end_turn(Now now);

  // Why it is of no use to anybody now, for people; empty when it leads or follows.
  [[nodiscard]] std::string trouble(Monotonic now) const;
  [[nodiscard]] bool serving() const;
  [[nodiscard]] std::size_t peers() const;  // connections that have said hello
  [[nodiscard]] const StateMachine& state() const;
  [[nodiscard]] const group::Group& group() const;

 private:
  class Driver;
  std::unique_ptr<Driver> driver_;
};

}  // namespace cidbus
