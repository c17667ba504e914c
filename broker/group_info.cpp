#include "broker/group_info.h"

#include <array>

namespace cidbus {

std::vector<BrokerInfo> brokers_of(const group::Group& group, LogIndex applied) {
  std::vector<BrokerInfo> brokers;
  for (std::size_t at = 0; at < group.config().size(); ++at) {
    const auto seat = static_cast<group::Seat>(at);
    const group::Member& member = group.config().at(seat);
    BrokerInfo info{member.name, member.endpoint, seat == group.leader(), group.epoch(), {}, {}, {}, {}};
    if (seat == group.config().self()) {
      info.last = group.log().last().index;
      info.durable = group.log().durable();
      info.commit = group.commit();
      info.applied = applied;
    } else if (group.in_office()) {
      const auto& follower = group.replication().follower(seat);
      info.last = follower.match;
      info.durable = follower.durable;
      info.commit = std::min(group.commit(), follower.match);
    }
    brokers.push_back(info);
  }
  return brokers;
}

std::string to_text(const group::Notice& notice, const group::GroupConfig& config) {
  static constexpr std::array<std::string_view, 16> words = {
      "asks whether it may stand",
      "holds back for",
      "says aye to",
      "objects to",
      "stands for election",
      "votes for",
      "catches up from",
      "cuts its own",
      "stood still",
      "hands its office to",
      "was not taken over from by",
      "is contradicted by",
      "refilled a damaged batch of its journal",
      "dropped the damaged end of its journal, which nobody holds",
      "lost its journal and is brought up by",
      "has its journal again"};
  std::string text(words[static_cast<std::size_t>(notice.kind)]);
  if (notice.seat != group::nobody) text += " " + config.at(notice.seat).name;
  return text + ", epoch " + std::to_string(notice.epoch.value);
}

}  // namespace cidbus
