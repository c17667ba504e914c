// Tells in a node's log that no broker answers it: a wrong address must not look like a quiet cluster.
//
// A warning once nobody has answered for limits::silence_told_after, again every limits::silence_told_every,
// and another one when a leader is reached after that. Why a broker refuses the node is its owner's to tell.
//
// Invariants
//  1. Nothing is told that is not over limits::silence_told_after old.
//  2. An end is told once, and only of a silence that was told.
//
// Thread rule: the thread of the reactor. Limits: limits/links.h.
#pragma once

#include <optional>

#include "shared/base/time.h"
#include "shared/io/bus_link.h"

namespace cidbus {

class BrokerSilence {
 public:
  enum class Word { None, Silent, Over };
  // `answered`: a broker answers now.
  [[nodiscard]] Word step(Now now, bool answered);
  // Of the next step while nobody answers.
  [[nodiscard]] std::optional<Monotonic> deadline() const;
  // When the silence began, that lasts or that is over.
  [[nodiscard]] WallTime since() const { return since_.wall; }

  // A broker refused the node, which is an answer.
  void on_refused() { refused_ = true; }
  // Steps at the end of every turn, by the link's word. REQUIRES: link and log outlive the reactor's turns.
  void watch(Reactor& reactor, const BusLink& link, Log& log);

 private:
  void tell(Word word, const BusLink& link, Log& log) const;

  bool refused_ = false;  // since the last step
  bool silent_ = false;
  bool told_ = false;  // of this silence
  Now since_{};
  Monotonic tell_at_{};
};

}  // namespace cidbus
