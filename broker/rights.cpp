#include "broker/rights.h"

namespace cidbus {
namespace {

template <typename... Kinds>
bool is_one_of(const Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

}  // namespace

bool may_say(Role role, const Message& message) {
  if (is_one_of<Hello, Goodbye, Ping, Pong, TaskQuery, TaskList, SnapshotRequest, Find, FindContent,
                ConfigRequest, ProposalsRequest, MemberHistoryRequest, RoleQuery, Moves>(message))
    return true;
  if (is_one_of<Submit, SessionResume, SessionClose, ResultAck, Cancel>(message))
    return role != Role::Observer;
  if (is_one_of<Place, NameContent>(message)) return role != Role::Observer;
  if (is_one_of<HandoverRequest, Propose, RoleReport, RoleChange, RoleChangeAnswer>(message))
    return role == Role::Client;  // a node's agent is one
  if (is_one_of<CastVote>(message)) return role == Role::Client || role == Role::Worker;
  if (is_one_of<Credit, Renew, Progress, Complete, Announce>(message)) return role == Role::Worker;
  return false;  // what only brokers say, and what belongs to the block exchange or the feed
}

std::string key_refusal(const KeyHolder* holder, std::string_view sender, Role role) {
  if (holder == nullptr || holder->may_speak_as(sender, role)) return {};
  if (holder->roles.empty()) return "its key is not in the allow-list; add its line there";
  return "its key is for '" + holder->name + "' as " + to_text(holder->roles) + ", not for '" +
         std::string(sender) + "' as " + std::string(to_text(role)) + "; change its line in the allow-list";
}

}  // namespace cidbus
