// What the part of roles must know of the cluster, as the leader knows it (RoleFacts).
#include <algorithm>

#include "broker/leadership.h"

namespace cidbus {

std::vector<RoleFacts::Node> Leadership::nodes() const {
  std::vector<RoleFacts::Node> nodes;
  const group::Group& group = ground_.replica.group();
  for (std::size_t at = 0; at < group.config().size(); ++at) {
    const auto seat = static_cast<group::Seat>(at);
    nodes.push_back({group.config().at(seat).name, Role::Master,
                     answers(seat) ? MemberState::Alive : MemberState::Dead,
                     seat == group.config().self() ? ground_.started_at : WallTime{}});
  }
  for (const auto& [name, node] : membership_.nodes())
    nodes.push_back({name, node.role, node.state, node.joined_at});
  return nodes;
}

bool Leadership::is_of_group(std::string_view name) const {
  return ground_.options.group.find(name).has_value();
}

bool Leadership::answers(group::Seat seat) const {
  const group::Group& group = ground_.replica.group();
  return seat == group.config().self() ||
         group.replication().follower(seat).answers(now_.monotonic, group.config().timers);
}

std::string Leadership::loss_of(std::string_view broker, const std::vector<std::string_view>& away) const {
  const group::GroupConfig& config = ground_.options.group;
  std::size_t others = 0;
  for (std::size_t at = 0; at < config.size(); ++at) {
    const auto seat = static_cast<group::Seat>(at);
    const std::string& name = config.at(seat).name;
    const bool stays = name != broker && std::find(away.begin(), away.end(), name) == away.end();
    if (stays && answers(seat)) ++others;
  }
  const std::size_t needed = config.size() / 2 + 1;
  if (others >= needed) return {};
  return "'" + std::string(broker) + "' is a broker that the quorum needs: without it " +
         std::to_string(others) + " of " + std::to_string(config.size()) + " would answer, and " +
         std::to_string(needed) + " must";
}

}  // namespace cidbus
