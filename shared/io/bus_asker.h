// Asks the leader a question and waits for the answer: the simple way to use the bus from one thread.
//
// Used by the command, by the gateway's and the worker's content threads. It has a reactor and sockets of its
// own, made at the first question. A question that may be asked twice is asked again whenever the leader
// changes or stays silent.
//
// Invariants
//  1. ask() returns by its deadline: the answer to this request, or a fault.
//  2. A fault for a cluster that cannot be reached names every address tried.
//
// Thread rule: one thread at a time. Limits: one question at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/core/message.h"
#include "shared/io/bus_link.h"

namespace cidbus {

class BusAsker {
 public:
  // Once `stopped` says true, on any thread, no call waits over a second.
  BusAsker(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers,
           std::function<bool()> stopped = {});
  ~BusAsker();
  BusAsker(BusAsker&&) noexcept;
  BusAsker& operator=(BusAsker&&) noexcept;

  // A number for the next request, unique in this asker.
  RequestId next_request();
  // Sends `question` until `take` is given an answer that it says is the one (true). Views in it live during
  // the call of `take` only. Refused answers end it as a fault. Unavailable when no broker answered by the
  // deadline, TimedOut when one is there but this answer did not come.
  Status ask(const Message& question, Monotonic deadline, const std::function<bool(const Message&)>& take);
  // Asks every broker there is for its status, the group's as they are learned, and hands each answer to
  // `take`, until that says that these are all (true), or the deadline. Views in it live during the call.
  Status ask_brokers(Monotonic deadline, const std::function<bool(const BrokerStatus&)>& take);
  // The highest epoch seen.
  [[nodiscard]] Epoch epoch() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "no broker reachable at 127.0.0.1:9096, 127.0.0.1:9196: ...; start one or give --brokers"
Fault no_broker_fault(const std::vector<std::string>& brokers, std::string_view reason);

// What the brokers said to our hellos, and whether it is of use to go on.
class HelloRefusals {
 public:
  void on_bound() { for_good_ = 0; }
  void on_refused(Now now, const Refused& refused);
  // Every broker has refused us for what we are (cluster, version, rights), and none has taken us in since.
  // Of rights that takes a while: a broker that starts or ends breaks connections off as one does to which
  // we are nobody.
  [[nodiscard]] bool final(Monotonic now, const std::vector<std::string>& brokers) const;
  // NotAllowed when they refused us for what we are, Unavailable otherwise; both name every address.
  [[nodiscard]] Fault fault(const BusLink& link) const;

 private:
  std::string reason_;
  std::size_t for_good_ = 0;  // in a row
  Monotonic since_{};         // the first of them
  bool of_rights_ = false;    // the last of them
};

}  // namespace cidbus
