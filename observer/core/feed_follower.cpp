#include "observer/core/feed_follower.h"

#include <algorithm>
#include <utility>

namespace cidbus {
namespace {

bool is_state_event(const FeedEvent& event) {
  return std::holds_alternative<TaskEvent>(event) || std::holds_alternative<MemberEvent>(event);
}

}  // namespace

FeedFollower::Verdict FeedFollower::on_feed(const Header& header, const Feed& feed) {
  const FeedTracker::Verdict tracked = tracker_.on_feed(header, feed);
  Verdict verdict;
  if (tracked.kind == FeedTracker::Kind::Repeated) return verdict;
  if (tracked.kind == FeedTracker::Kind::Gap) {
    verdict.missed = tracked.missed;
    verdict.ask = feed.topic != FeedTopic::Metrics;  // those are whole each time
  }
  heard_of_ = std::max(heard_of_, feed.applied);
  const bool begins_late = begins_past_snapshot(header, feed);
  if (!attached_ && feed.topic != FeedTopic::Elections) {
    passed_over_ = std::max(passed_over_, feed.applied);
    return verdict;
  }
  verdict.is_new = true;
  verdict.ask = verdict.ask || begins_late;
  return verdict;
}

// From its first message on all that a publisher says is heard; what it said before is in a snapshot that is
// not older than that message.
bool FeedFollower::begins_past_snapshot(const Header& header, const Feed& feed) {
  if (feed.applied.value == 0) return false;
  if (heard_.size() >= limits::members) heard_.clear();
  const auto [place, is_new] = heard_.try_emplace(std::string(header.sender), header.incarnation);
  const bool is_first = is_new || std::exchange(place->second, header.incarnation) != header.incarnation;
  return is_first && feed.applied > shown_;
}

bool FeedFollower::is_news(const Feed& feed, const FeedEvent& event) const {
  if (!is_state_event(event) || feed.applied.value == 0) return true;
  // Members are not in the journal: they come and go between two of its records.
  return feed.applied > shown_ || (feed.applied == shown_ && std::holds_alternative<MemberEvent>(event));
}

bool FeedFollower::on_snapshot(const Snapshot& snapshot) {
  if (snapshot.applied < passed_over_) return false;
  attached_ = true;
  shown_ = snapshot.applied;
  heard_of_ = std::max(heard_of_, shown_);
  return true;
}

bool FeedFollower::on_standby_snapshot(const Snapshot& snapshot) {
  return snapshot.applied >= heard_of_ && on_snapshot(snapshot);
}

}  // namespace cidbus
