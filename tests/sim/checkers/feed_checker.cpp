#include "tests/sim/checkers/feed_checker.h"

#include "shared/base/ensure.h"

namespace cidbus::sim {

void FeedChecker::begin_life() {
  numbers_.clear();
  applied_ = {};
  told_.clear();
  office_ = {};
  skipped_ = false;
}

void FeedChecker::on_frame(FeedTopic topic, ByteView frame) {
  const auto envelope = decoder_.decode(frame);
  ENSURE(envelope.has_value(), "the feed cannot be read");
  const auto& feed = std::get<Feed>(envelope->message);
  ENSURE(feed.topic == topic && feed.number == ++numbers_[topic], to_text(topic), feed.number,
         numbers_[topic]);
  if (topic == FeedTopic::Tasks || topic == FeedTopic::Members) {
    ENSURE(feed.applied >= applied_, "the feed goes back", feed.applied.value, applied_.value);
    applied_ = feed.applied;
  }
  for (const FeedEvent& event : feed.events) on_event(event);
}

void FeedChecker::on_event(const FeedEvent& event) {
  if (const auto* task = std::get_if<TaskEvent>(&event)) {
    told_[task->task] = task->state;
    ++task_events_;
  } else if (std::holds_alternative<SkippedEvent>(event)) {
    skipped_ = true;
  } else if (const auto* leader = std::get_if<LeaderEvent>(&event); leader && leader->epoch > office_) {
    office_ = leader->epoch;
    told_.clear();
    skipped_ = false;
  } else if (const auto* counters = std::get_if<CountersEvent>(&event)) {
    refused_messages_ = counters->refused_messages;
  }
}

void FeedChecker::check(const StateMachine& state) const {
  if (skipped_) return;
  for (const auto& [id, told] : told_) {
    const TaskHandle task = state.find(id);
    const TaskState is = task == 0 ? told : state.info(task).state;
    ENSURE(told == is && (task != 0 || is_final(told)), to_text(id), "was told", to_text(told), "is",
           to_text(is));
  }
}

}  // namespace cidbus::sim
