#include "broker/handover_check.h"

namespace cidbus {
namespace {

HandoverCheck refused(HandoverOutcome outcome, std::string reason) {
  return {false, outcome, std::move(reason), group::nobody};
}

// Why this follower cannot take over now; empty: it can.
std::string obstacle(const group::Group& group, Monotonic now, group::Seat seat) {
  const group::Replication::Follower& follower = group.replication().follower(seat);
  const std::string& name = group.config().at(seat).name;
  if (!follower.answers(now, group.config().timers)) return name + " does not answer the leader";
  if (follower.disk_full || follower.priority < 0)
    return name + " is not fit to lead: its disk is full or too slow, or it is stopping";
  if (follower.mode != group::Replication::Mode::Streaming)
    return name + " is behind by " + std::to_string(group.log().last().index.value - follower.durable.value) +
           " records";
  return {};
}

std::string names_of(const group::GroupConfig& config) {
  std::string names;
  for (const group::Member& member : config.members()) names += (names.empty() ? "" : ", ") + member.name;
  return names;
}

}  // namespace

HandoverCheck check_handover(const group::Group& group, Monotonic now, std::string_view to) {
  const group::GroupConfig& config = group.config();
  const auto seat = config.find(to);
  if (!to.empty() && !seat)
    return refused(HandoverOutcome::NoSuchBroker,
                   "no broker '" + std::string(to) + "' is in this group of " + names_of(config));
  if (seat == config.self()) return {};
  if (config.size() == 1)
    return refused(HandoverOutcome::NoSuchBroker, names_of(config) + " is alone: nobody can take its office");
  if (group.handing_over()) return refused(HandoverOutcome::NotReady, "a hand-over is under way");
  if (seat) {
    std::string why = obstacle(group, now, *seat);
    if (!why.empty()) return refused(HandoverOutcome::NotReady, std::move(why));
    return {true, HandoverOutcome::Done, {}, *seat};
  }
  std::string whys;
  for (std::size_t at = 0; at < config.size(); ++at) {
    if (static_cast<group::Seat>(at) == config.self()) continue;
    const std::string why = obstacle(group, now, static_cast<group::Seat>(at));
    if (why.empty()) return {true, HandoverOutcome::Done, {}, group::nobody};
    whys += (whys.empty() ? "" : "; ") + why;
  }
  return refused(HandoverOutcome::NotReady, std::move(whys));
}

}  // namespace cidbus
