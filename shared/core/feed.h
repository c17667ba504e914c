// The feed: what observers and nodes hear without asking. It loses; numbers make a loss visible.
//
// Thread rule: values. Limits and invariants: message.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/core/config_messages.h"
#include "shared/core/metric_sample.h"
#include "shared/core/node.h"
#include "shared/core/task.h"

namespace cidbus {

enum class FeedTopic : std::uint8_t {
  Heartbeats,
  Leader,
  Members,
  Tasks,
  Counters,
  Elections,
  Config,
  Metrics
};
inline constexpr std::size_t feed_topic_count = 8;
std::string_view to_text(FeedTopic topic);
// What stands before a message on a broker's feed: the topic's name and a full stop. Brokers subscribe to
// each other's with it, all others without: so a broker knows whether anybody but brokers listens.
std::string_view feed_frame(FeedTopic topic);

struct HeartbeatEvent {
  std::string_view name;
  Role role = Role::Client;
  Incarnation incarnation;
  NodeLoad load;
};
struct LeaderEvent {
  std::string_view leader;
  std::string_view endpoint;
  Epoch epoch;
};
struct MemberEvent {
  Member member;
};
struct TaskEvent {
  TaskId task;
  std::string_view type;
  TaskState state = TaskState::Pending;
  std::string_view worker;
  std::uint32_t attempts = 0;
};
struct SkippedEvent {
  std::uint64_t count = 0;  // task events left out since the last one sent
};
struct CountersEvent {
  std::vector<std::uint64_t> tasks_by_state;  // now
  std::uint64_t accepted = 0;                 // since the broker started; these only grow
  std::uint64_t finished = 0;
  std::uint64_t requeued = 0;
  std::uint64_t stale_results = 0;
  std::uint64_t refused_messages = 0;
};
// What a broker said to another one of its group about who leads, told by the one that said it.
enum class ElectionWord : std::uint8_t {
  Election,     // may I stand?
  Ok,           // I outrank you, and stand myself
  Aye,          // I would vote for you
  Nay,          // the leader is alive, or your journal is stale
  VoteRequest,  // I stand, in this epoch
  Vote,         // you have my vote
  NoVote,       // you have not
  Coordinator,  // I hold the office of this epoch; to all
  Handover,     // take my office
  Resign        // I leave mine
};
std::string_view to_text(ElectionWord word);
struct ElectionEvent {
  ElectionWord word = ElectionWord::Election;
  std::string_view to;  // empty: all
  Epoch epoch;
  LogIndex last;  // the newest record of who says it
  Epoch last_epoch;
  std::int32_t priority = 0;  // of who says it; -1 while it is unfit. With `last` and its name: its rank
};
// A proposal was made or decided; without its votes.
struct ProposalEvent {
  Proposal proposal;
};
// All that its publisher measures, whole each time: who comes late, or misses one, knows everything with the
// next.
struct MetricsEvent {
  Role role = Role::Client;
  std::vector<MetricSample> samples;
};
using FeedEvent = std::variant<HeartbeatEvent, LeaderEvent, MemberEvent, TaskEvent, SkippedEvent,
                               CountersEvent, ElectionEvent, ProposalEvent, MetricsEvent>;

struct Feed {
  FeedTopic topic = FeedTopic::Heartbeats;
  std::uint64_t number = 0;  // of (publisher's incarnation, topic), from 1, without gaps
  LogIndex applied;          // state events: the journal index they follow from; 0 otherwise
  WallTime time;
  std::vector<FeedEvent> events;
};

}  // namespace cidbus
