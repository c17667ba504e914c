#include "shared/node/feed_tracker.h"

#include <algorithm>

namespace cidbus {
namespace {

constexpr std::size_t topics_a_node =
    2;  // heartbeats and metrics; brokers, of which there are few, have more

}  // namespace

FeedTracker::Verdict FeedTracker::on_feed(const Header& header, const Feed& feed) {
  ++turn_;
  const auto [place, fresh] =
      last_.emplace(Key{std::string(header.sender), feed.topic, header.incarnation}, Last{});
  Last& last = place->second;
  const std::uint64_t before = last.number;
  if (!fresh && feed.number <= before) return {Kind::Repeated, 0};
  last = {feed.number, turn_};
  if (fresh) {
    make_room();
    return {Kind::First, 0};
  }
  if (feed.number == before + 1) return {Kind::InOrder, 0};
  return {Kind::Gap, feed.number - before - 1};
}

void FeedTracker::make_room() {
  if (last_.size() <= topics_a_node * limits::members) return;
  last_.erase(std::min_element(last_.begin(), last_.end(), [](const auto& left, const auto& right) {
    return left.second.turn < right.second.turn;
  }));
}

}  // namespace cidbus
