// The nodes that a broker has heard while it did not lead: of a cluster without a leader, all that is known.
//
// Nodes that look for a leader say hello to every broker, once a second at least; of the others it knows what
// the feed says that it passes on.
//
// Invariants
//  1. Nobody is called dead: who is silent here may well speak to somebody else, and is suspect.
//  2. When a node joined is not told: that is its leader's to know.
//  3. Who was silent for ten minutes is not named any more.
//
// Thread rule: pure; one owner. Limits: those of Membership.
#pragma once

#include <vector>

#include "broker/cluster/membership.h"

namespace cidbus {

class HeardNodes {
 public:
  void on_hello(Now now, const Header& from, const Hello& hello);
  // What another broker says, or passes on of a node.
  void on_feed(Now now, const Feed& feed);

  // In the order of names; views live until the next call of anything.
  [[nodiscard]] std::vector<Member> members(Now now);

 private:
  void on(Now now, const HeartbeatEvent& beat);
  void on(Now now, const MemberEvent& event);
  void hear(Now now, std::string_view name, Incarnation incarnation, const Hello& hello);

  Membership nodes_;
};

}  // namespace cidbus
