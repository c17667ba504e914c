// What a broker publishes of itself: numbered messages by topic, and no more task events than people can use.
//
// Invariants
//  1. Numbers of a topic count from 1 without gaps.
//  2. Task events go out only while somebody subscribes, at most a rate of them a second; what was left
//     out is counted in a `skipped` event.
//
// Thread rule: pure; one owner. Limits: limits::task_events a second, or as set.
#pragma once

#include <array>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "shared/base/limits/brokers.h"
#include "shared/base/time.h"
#include "shared/core/message.h"

namespace cidbus {

class FeedPublisher {
 public:
  using Publish = std::function<void(const Feed&)>;
  explicit FeedPublisher(Publish publish) : publish_(std::move(publish)) {}

  // A subscription as an XPUB hands it over: 1 or 0, then the prefix of topics. False when it is none, or too
  // many are there.
  bool on_subscription(ByteView frame);

  // Every subscriber was cut; those who return subscribe again.
  void forget_subscriptions() { subscriptions_.clear(); }

  // So many single task events a second at most.
  void set_rate(std::uint32_t events_a_second) { rate_ = events_a_second; }

  // Sent at once.
  void send(Now now, FeedTopic topic, LogIndex applied, FeedEvent event);
  // Gathered until flush(). Views in it must live until then.
  void add_task_event(Now now, const TaskEvent& event);
  void flush(Now now, LogIndex applied);
  [[nodiscard]] bool wanted(FeedTopic topic) const;
  // By somebody who is no broker: brokers subscribe with the whole of feed_frame().
  [[nodiscard]] bool wanted_by_others(FeedTopic topic) const;

 private:
  void send_events(Now now, FeedTopic topic, LogIndex applied, std::vector<FeedEvent> events);

  Publish publish_;
  std::set<std::string> subscriptions_;  // prefixes; XPUB tells the first and the last of each
  std::array<std::uint64_t, feed_topic_count> numbers_{};
  std::vector<FeedEvent> task_events_;
  std::uint64_t skipped_ = 0;
  Monotonic second_began_{};
  std::uint32_t events_this_second_ = 0;
  std::uint32_t rate_ = limits::task_events;
};

}  // namespace cidbus
