#include "broker/feed_publisher.h"

#include <algorithm>
#include <utility>

#include "shared/base/limits/messages.h"
#include "shared/base/limits/words.h"

namespace cidbus {

bool FeedPublisher::on_subscription(ByteView frame) {
  if (frame.empty() || frame[0] > 1 || frame.size() > limits::name_length + 1) return false;
  const std::string prefix(as_text(frame.subspan(1)));
  if (frame[0] == 0) {
    subscriptions_.erase(prefix);
    return true;
  }
  if (subscriptions_.size() >= limits::subscriptions) return false;
  subscriptions_.insert(prefix);
  return true;
}

bool FeedPublisher::wanted(FeedTopic topic) const {
  return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                     [&](const std::string& prefix) { return feed_frame(topic).starts_with(prefix); });
}

bool FeedPublisher::wanted_by_others(FeedTopic topic) const {
  return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                     [&](const std::string& prefix) { return to_text(topic).starts_with(prefix); });
}

void FeedPublisher::send(Now now, FeedTopic topic, LogIndex applied, FeedEvent event) {
  send_events(now, topic, applied, {std::move(event)});
}

void FeedPublisher::send_events(Now now, FeedTopic topic, LogIndex applied, std::vector<FeedEvent> events) {
  Feed feed;
  feed.topic = topic;
  feed.number = ++numbers_.at(static_cast<std::size_t>(topic));
  feed.applied = applied;
  feed.time = now.wall;
  feed.events = std::move(events);
  publish_(feed);
}

void FeedPublisher::add_task_event(Now now, const TaskEvent& event) {
  if (subscriptions_.empty() || !wanted(FeedTopic::Tasks)) return;
  if (now.monotonic - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now.monotonic;
    events_this_second_ = 0;
  }
  if (events_this_second_ >= rate_) {
    ++skipped_;
    return;
  }
  ++events_this_second_;
  task_events_.emplace_back(event);
}

void FeedPublisher::flush(Now now, LogIndex applied) {
  if (task_events_.empty() && (skipped_ == 0 || now.monotonic - second_began_ < std::chrono::seconds(1)))
    return;
  if (skipped_ != 0) task_events_.insert(task_events_.begin(), SkippedEvent{std::exchange(skipped_, 0)});
  for (std::size_t sent = 0; sent < task_events_.size(); sent += limits::items_a_message) {
    const auto end = std::min(task_events_.size(), sent + limits::items_a_message);
    send_events(now, FeedTopic::Tasks, applied,
                {task_events_.begin() + static_cast<std::ptrdiff_t>(sent),
                 task_events_.begin() + static_cast<std::ptrdiff_t>(end)});
  }
  task_events_.clear();
}

}  // namespace cidbus
