#include "tests/sim/checkers/feed_checker.h"

#include "shared/base/ensure.h"

namespace cidbus::sim {

void FeedChecker::begin_life(const std::string& broker) {
  broker_ = broker;
  heard_.clear();
}

FeedChecker::Publisher FeedChecker::on_frame(FeedTopic topic, ByteView frame) {
  const auto envelope = decoder_.decode(frame);
  ENSURE(envelope.has_value(), "the feed cannot be read");
  const auto& feed = std::get<Feed>(envelope->message);
  const std::string sender(envelope->header.sender);
  ENSURE(feed.topic == topic, to_text(topic));
  Heard& heard = heard_[sender];
  if (heard.incarnation != envelope->header.incarnation)
    heard = {envelope->header.incarnation, {}, {}, {}, {}, {}};
  std::uint64_t& number = heard.numbers[topic];
  const bool own = sender == broker_;
  ENSURE(own ? feed.number == number + 1 : feed.number > number, sender, to_text(topic), feed.number, number);
  const bool gap = number != 0 && feed.number != number + 1;
  number = feed.number;
  if (own && (topic == FeedTopic::Tasks || topic == FeedTopic::Members)) {
    ENSURE(feed.applied >= heard.applied, "the feed goes back", feed.applied.value, heard.applied.value);
    heard.applied = feed.applied;
  }
  if (topic == FeedTopic::Tasks) on_tasks(heard, envelope->header, feed, gap);
  if (own && topic == FeedTopic::Tasks) task_events_ += feed.events.size();
  return own ? Publisher::Itself : Publisher::Other;
}

void FeedChecker::on_tasks(Heard& heard, const Header& header, const Feed& feed, bool gap) {
  if (header.epoch > heard.office) {
    heard.office = header.epoch;
    heard.told.clear();
    heard.missed = false;
  }
  heard.missed = heard.missed || gap;
  for (const FeedEvent& event : feed.events) {
    if (const auto* task = std::get_if<TaskEvent>(&event)) heard.told[task->task] = task->state;
    if (std::holds_alternative<SkippedEvent>(event)) heard.missed = true;
  }
}

void FeedChecker::check(const std::string& leader, Epoch epoch, const StateMachine& state) const {
  const auto heard = heard_.find(leader);
  if (heard == heard_.end() || heard->second.office != epoch || heard->second.missed) return;
  for (const auto& [id, told] : heard->second.told) {
    const TaskHandle task = state.find(id);
    const TaskState is = task == 0 ? told : state.info(task).state;
    ENSURE(told == is && (task != 0 || is_final(told)), broker_, to_text(id), "was told", to_text(told), "is",
           to_text(is));
  }
}

}  // namespace cidbus::sim
