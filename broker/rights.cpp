#include "broker/rights.h"

namespace cidbus {
namespace {

template <typename... Kinds>
bool is_one_of(const Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

}  // namespace

bool may_say(Role role, const Message& message) {
  if (is_one_of<Hello, Goodbye, Ping, Pong, TaskQuery, TaskList, SnapshotRequest, Find>(message)) return true;
  if (is_one_of<Submit, SessionResume, SessionClose, ResultAck, Cancel>(message))
    return role != Role::Observer;
  if (is_one_of<Place>(message)) return role != Role::Observer;
  if (is_one_of<Credit, Renew, Progress, Complete, Announce>(message)) return role == Role::Worker;
  return false;  // what only brokers say, and what belongs to the block exchange or the feed
}

}  // namespace cidbus
