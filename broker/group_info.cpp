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

std::vector<NodeAddress> addresses_of(const group::GroupConfig& config) {
  std::vector<NodeAddress> addresses;
  for (const group::Member& member : config.members())
    addresses.push_back({member.name, config.size() == 1 ? std::string_view() : member.endpoint});
  return addresses;
}

namespace {

struct Say {
  using Word = std::optional<ElectionWord>;
  Word operator()(const group::ElectionMessage&) const { return ElectionWord::Election; }
  Word operator()(const group::Ok&) const { return ElectionWord::Ok; }
  Word operator()(const group::Aye&) const { return ElectionWord::Aye; }
  Word operator()(const group::Nay&) const { return ElectionWord::Nay; }
  Word operator()(const group::VoteRequest&) const { return ElectionWord::VoteRequest; }
  Word operator()(const group::Vote& said) const {
    return said.granted ? ElectionWord::Vote : ElectionWord::NoVote;
  }
  Word operator()(const group::HandoverMessage&) const { return ElectionWord::Handover; }
  Word operator()(const group::Resign&) const { return ElectionWord::Resign; }
  template <typename Other>
  Word operator()(const Other&) const {
    return std::nullopt;
  }
};

}  // namespace

std::optional<ElectionWord> election_word(const group::GroupMessage& message) {
  return std::visit(Say{}, message);
}

std::string to_text(const group::Notice& notice, const group::GroupConfig& config) {
  static constexpr std::array<std::string_view, 20> words = {
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
      "is brought up by",
      "has the whole journal of its group",
      "finds another state at",
      "has another state than the group, so it waits for that of",
      "took the state of",
      "has another state than the group again, though it took that of another broker; compare the versions "
      "of "
      "the programs. It does not stand for office. Its leader is"};
  std::string text(words[static_cast<std::size_t>(notice.kind)]);
  if (notice.seat != group::nobody) text += " " + config.at(notice.seat).name;
  if (notice.kind == group::NoticeKind::Refilled || notice.kind >= group::NoticeKind::StateDiffers)
    text += " up to entry " + std::to_string(notice.number);
  return text + ", epoch " + std::to_string(notice.epoch.value);
}

LogLevel level_of(group::NoticeKind kind) {
  using group::NoticeKind;
  switch (kind) {
    case NoticeKind::StateDiffersAgain:
      return LogLevel::Error;
    case NoticeKind::Refilled:
    case NoticeKind::TailDropped:
    case NoticeKind::Repaired:
    case NoticeKind::StateDiffers:
    case NoticeKind::StateQuarantined:
    case NoticeKind::StateReplaced:
      return LogLevel::Warning;
    default:
      return LogLevel::Debug;
  }
}

}  // namespace cidbus
