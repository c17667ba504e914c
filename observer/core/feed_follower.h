// Follows the feed without a gap: what is news, what a snapshot already holds, and when one must be asked
// for.
//
// PUB/SUB loses, several brokers pass the same feed on, and leaders change. So a snapshot is asked for at the
// start, after each bind to a leader, after a gap in a publisher's numbers, and when what a publisher says
// first is past the last snapshot; an event whose journal index the last snapshot covers is no news. While no
// leader is there, a broker that does not lead tells how far it is: no snapshot of a leader is older, nor is
// the first of the next one.
//
// Invariants
//  1. No event is news before the first snapshot, but for what brokers say of who leads.
//  2. A snapshot older than a state event that was passed over before it does not serve; one of a broker
//     that does not lead does not either, when it is older than anything that was heard.
//  3. What is news never goes behind the last snapshot; of members, which are not in the journal, what
//     has its index is news.
//
// Thread rule: pure; one owner. Limits: those of FeedTracker; limits::members publishers.
#pragma once

#include <map>
#include <string>

#include "shared/node/feed_tracker.h"

namespace cidbus {

class FeedFollower {
 public:
  struct Verdict {
    bool is_new = false;       // false: heard before, or from before the first snapshot
    bool ask = false;          // for a snapshot
    std::uint64_t missed = 0;  // messages of this publisher and topic
  };
  Verdict on_feed(const Header& header, const Feed& feed);
  // Of a feed that is new: whether this event of it is no part of the last snapshot.
  [[nodiscard]] bool is_news(const Feed& feed, const FeedEvent& event) const;
  // Whether it serves; if not, another one must be asked for.
  bool on_snapshot(const Snapshot& snapshot);
  // Of a broker that does not lead. If it does not serve, a later one may.
  bool on_standby_snapshot(const Snapshot& snapshot);
  [[nodiscard]] bool attached() const { return attached_; }

 private:
  bool begins_past_snapshot(const Header& header, const Feed& feed);

  FeedTracker tracker_;
  std::map<std::string, Incarnation> heard_;  // who has said how far its journal is applied
  LogIndex shown_;                            // covered by the last snapshot
  LogIndex passed_over_;                      // of the feed, before the first snapshot: it must cover this
  LogIndex heard_of_;                         // the newest that the feed or a snapshot told of; only grows
  bool attached_ = false;
};

}  // namespace cidbus
