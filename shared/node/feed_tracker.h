// Whether a feed arrives without gaps: each publisher numbers its messages by topic, from 1 (DESIGN section
// 4).
//
// PUB/SUB loses what a subscriber cannot take and everything from before it came; the numbers show both, and
// the subscriber asks for a snapshot when they do.
//
// Invariant: a message is InOrder exactly when it is the successor of the last one of its publisher,
// incarnation, topic. Lives of a publisher count apart: what one of them said, and comes late by another way,
// is still known once the next has spoken. Brokers would pass the two back and forth for ever.
//
// Thread rule: pure; one owner. Limits: 2 topics of limits::members publishers; the one silent longest is
// forgotten first.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shared/base/limits/tasks.h"
#include "shared/core/message.h"

namespace cidbus {

class FeedTracker {
 public:
  enum class Kind { First, InOrder, Gap, Repeated };
  struct Verdict {
    Kind kind = Kind::InOrder;
    std::uint64_t missed = 0;  // messages, when it is a gap
  };

  Verdict on_feed(const Header& header, const Feed& feed);

 private:
  struct Key {
    std::string publisher;
    FeedTopic topic = FeedTopic::Heartbeats;
    Incarnation incarnation;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Last {
    std::uint64_t number = 0;
    std::uint64_t turn = 0;  // of the last message, for forgetting
  };

  void make_room();

  std::map<Key, Last> last_;
  std::uint64_t turn_ = 0;
};

}  // namespace cidbus
