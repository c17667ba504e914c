#include "broker/cluster/heard_nodes.h"

namespace cidbus {
namespace {

constexpr std::chrono::milliseconds silent_named = std::chrono::minutes(10);

}  // namespace

void HeardNodes::on_hello(Now now, const Header& from, const Hello& hello) {
  hear(now, from.sender, from.incarnation, hello);
}

void HeardNodes::on_feed(Now now, const Feed& feed) {
  for (const FeedEvent& event : feed.events) {
    if (const auto* beat = std::get_if<HeartbeatEvent>(&event)) on(now, *beat);
    if (const auto* member = std::get_if<MemberEvent>(&event)) on(now, *member);
  }
}

void HeardNodes::on(Now now, const HeartbeatEvent& beat) {
  if (nodes_.heartbeat(now, beat.name, beat.incarnation, beat.load)) return;
  const Membership::Node* const known = nodes_.find(beat.name);
  const bool has_left = known != nullptr && known->state == MemberState::Left;
  if (has_left && known->incarnation == beat.incarnation) return;  // sent before the goodbye
  Hello hello;
  hello.role = beat.role;
  hello.load = beat.load;
  hear(now, beat.name, beat.incarnation, hello);
}

void HeardNodes::on(Now now, const MemberEvent& event) {
  const Member& member = event.member;
  if (member.state == MemberState::Left) return nodes_.goodbye(now, member.name, member.incarnation);
  if (member.state != MemberState::Alive) return;  // its silence tells
  Hello hello;
  hello.role = member.role;
  hello.load = member.load;
  hello.exchange = member.exchange;
  hello.labels = member.labels;
  hear(now, member.name, member.incarnation, hello);
}

// Of two that claim one name the newer one is told of; which of them may have it is the leader's to say.
void HeardNodes::hear(Now now, std::string_view name, Incarnation incarnation, const Hello& hello) {
  if (hello.role == Role::Client || hello.role == Role::Master) return;
  const bool other_is_gone = true;
  nodes_.hello(now, name, incarnation, hello, other_is_gone);
  nodes_.heard(now, name, incarnation);
}

std::vector<Member> HeardNodes::members(Now now) {
  static_cast<void>(nodes_.take_changes(now));  // lets time pass
  std::vector<Member> members;
  for (const auto& [name, node] : nodes_.nodes()) {
    if (now.wall - node.last_seen > silent_named) continue;
    Member member = member_of(name, node);
    if (member.state == MemberState::Dead) member.state = MemberState::Suspect;
    member.joined_at = {};
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace cidbus
