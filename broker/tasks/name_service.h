// The leader's part of names of content: it proposes them, answers once they are applied, and finds them.
//
// Invariants: 1. a name is told as given after its record was applied (I7). 2. What does not fit is refused
// with the reason, and nothing is dropped for it.
//
// Thread rule: one owner. Limits: limits::names_on_the_way; the catalogue's.
#pragma once

#include <deque>
#include <string>

#include "broker/tasks/output.h"
#include "broker/tasks/state_machine.h"

namespace cidbus {

class NameService {
 public:
  explicit NameService(Output& output) : output_(output) {}

  // REQUIRES: the state outlives the service.
  void take_office(const StateMachine& state) { state_ = &state; }
  // NameContent and FindContent; false for any other. Whoever asks before
  // the office is taken is sent to look for a leader.
  bool on_message(Peer peer, const Message& message);
  // Who asked is gone; what was proposed stays so.
  void on_peer_gone(Peer peer);
  // After every record or batch of records, in order.
  void on_applied(LogIndex applied);
  // False: names are refused with this reason until true; taking one off goes on.
  void admit(bool admitted, std::string_view reason) { refusal_ = admitted ? "" : reason; }

 private:
  struct OnTheWay {
    LogIndex index;
    Peer peer = Peer::Nobody;
    RequestId request;
    std::string name;
    std::uint64_t cost = 0;
  };
  void on_name(Peer peer, const NameContent& wanted);
  void on_find(Peer peer, const FindContent& question);

  Output& output_;
  const StateMachine* state_ = nullptr;
  std::string refusal_;
  std::deque<OnTheWay> on_the_way_;
  std::uint64_t coming_ = 0;  // what those will take
};

}  // namespace cidbus
