#include "observer/core/feed_follower.h"

#include <algorithm>

namespace cidbus {
namespace {

bool is_of_state(FeedTopic topic) { return topic == FeedTopic::Tasks || topic == FeedTopic::Members; }
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
    verdict.ask = true;
  }
  if (!attached_ && feed.topic != FeedTopic::Elections) {
    passed_over_ = std::max(passed_over_, feed.applied);
    return verdict;
  }
  verdict.is_new = true;
  if (tracked.kind == FeedTracker::Kind::First && feed.number > 1 && is_of_state(feed.topic))
    verdict.ask = true;  // it has said things before that were not heard
  return verdict;
}

bool FeedFollower::is_news(const Feed& feed, const FeedEvent& event) const {
  return !is_state_event(event) || feed.applied.value == 0 || feed.applied > shown_;
}

bool FeedFollower::on_snapshot(const Snapshot& snapshot) {
  if (snapshot.applied < passed_over_) return false;
  attached_ = true;
  shown_ = snapshot.applied;
  return true;
}

}  // namespace cidbus
