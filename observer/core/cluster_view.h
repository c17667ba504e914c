// The cluster as an observer sees it: put together from snapshots, the feed, and what brokers answer for
// themselves; the one source of what is shown, kept in history, judged and alerted on.
//
// It keeps what it was last told, with the time when: nothing is made up, and whoever asks decides what is
// too old to count. Brokers answer in rounds; a round that is over stands until the next one is.
//
// Invariants
//  1. A node is in the table from when anybody named it until it has been gone for long (limits below).
//  2. Counters of the leader are as it said; a new leader's begin anew, which Figures::rate bears.
//  3. sample() tells a series only while its number is known.
//
// Thread rule: pure; one owner. Limits: limits/observer.h; limits::members nodes.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "observer/core/sample.h"
#include "shared/core/message.h"
#include "shared/node/group_overview.h"

namespace cidbus {

struct NodeView {
  std::string name;
  Role role = Role::Client;
  MemberState state = MemberState::Joining;
  Incarnation incarnation;
  std::string exchange;
  NodeLoad load;
  bool told_load = false;  // a heartbeat came, or the leader had one
  WallTime joined_at;
  WallTime last_heard;  // by the observer's clock, or by the leader's where only it has heard; 0: never
};
constexpr bool is_gone(MemberState state) { return state == MemberState::Left || state == MemberState::Dead; }

struct TaskView {
  TaskId task;
  std::string type;
  TaskState state = TaskState::Pending;
  std::string worker;
  std::uint32_t attempts = 0;
  WallTime time;
};
// Since the observer attached, as far as the feed told single tasks.
struct TypeView {
  std::array<std::uint64_t, task_state_count> events{};  // times that a task came into this state
};
struct ElectionView {
  WallTime time;
  std::string publisher;
  ElectionWord word = ElectionWord::Election;
  std::string to;
  Epoch epoch;
  LogIndex last;
};

class ClusterView {
 public:
  void on_snapshot(WallTime now, const Snapshot& snapshot);
  // Of a broker that does not lead, while none does that can be reached.
  void on_standby_snapshot(WallTime now, const Snapshot& snapshot);
  void on_event(WallTime now, std::string_view publisher, const FeedEvent& event);
  void on_bound() {
    bound_ = true;
    unbound_at_ = {};
  }
  void on_unbound(WallTime now) {
    bound_ = false;
    unbound_at_ = now;
  }
  // Of the round under way; whether it is complete. Its answers count from then on, or from end_round() on.
  bool on_status(WallTime now, const BrokerStatus& status);
  void end_round(WallTime now);

  // Calls `take` with a sample of each number that is known now. Views live during the call.
  void sample(WallTime now, const std::function<void(const Sample&)>& take);

  [[nodiscard]] const std::string& cluster() const { return cluster_; }
  [[nodiscard]] const std::string& leader() const { return leader_; }
  [[nodiscard]] const std::string& leader_endpoint() const { return leader_endpoint_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  // Spoken to, so that what it says is news.
  [[nodiscard]] bool bound() const { return bound_; }
  // When the leader was lost; 0: there is one, or never was.
  [[nodiscard]] WallTime unbound_at() const { return unbound_at_; }
  // The feed speaks. While it does not, it is the observer that hears nothing.
  [[nodiscard]] bool hears(WallTime now) const;
  [[nodiscard]] const std::map<std::string, NodeView>& nodes() const { return nodes_; }
  // Of the last round; empty when no broker answered.
  [[nodiscard]] const GroupOverview& group() const { return group_; }
  [[nodiscard]] WallTime group_time() const { return group_time_; }
  // By state, as the leader last counted them; empty before.
  [[nodiscard]] const std::vector<std::uint64_t>& tasks_by_state() const { return tasks_by_state_; }
  [[nodiscard]] const std::optional<CountersEvent>& counters() const { return counters_; }
  [[nodiscard]] std::optional<std::uint64_t> blocks_indexed() const { return blocks_indexed_; }
  // The newest last.
  [[nodiscard]] const std::deque<TaskView>& tasks() const { return tasks_; }
  [[nodiscard]] const std::deque<ElectionView>& elections() const { return elections_; }
  // "(others)" holds the types that found no place.
  [[nodiscard]] const std::map<std::string, TypeView>& types() const { return types_; }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  // task events that nobody was told

 private:
  struct Ended {  // tasks, in one second
    std::int64_t second = 0;
    std::uint64_t well = 0;
    std::uint64_t badly = 0;
  };

  void on(WallTime now, std::string_view publisher, const HeartbeatEvent& event);
  void on(WallTime now, std::string_view publisher, const LeaderEvent& event);
  void on(WallTime now, std::string_view publisher, const MemberEvent& event);
  void on(WallTime now, std::string_view publisher, const TaskEvent& event);
  void on(WallTime now, std::string_view publisher, const SkippedEvent& event);
  void on(WallTime now, std::string_view publisher, const CountersEvent& event);
  void on(WallTime now, std::string_view publisher, const ElectionEvent& event);
  void on(WallTime, std::string_view, const ProposalEvent&) {}  // nothing to measure
  void on(WallTime, std::string_view, const MetricsEvent&) {}   // of each node alone
  NodeView& node(std::string_view name);
  void take(const Member& member);
  void take(const Snapshot& snapshot);
  void doubt_unlisted(const Snapshot& snapshot);
  void forget_departed(WallTime now);
  void count_end(WallTime now, TaskState state);
  void sample_nodes(WallTime now, const std::function<void(const Sample&)>& take) const;
  void sample_tasks(WallTime now, const std::function<void(const Sample&)>& take);
  void sample_group(WallTime now, const std::function<void(const Sample&)>& take) const;

  std::string cluster_;
  std::string leader_;
  std::string leader_endpoint_;
  Epoch epoch_;
  bool bound_ = false;
  WallTime unbound_at_;
  std::map<std::string, NodeView> nodes_;
  GroupOverview group_;
  WallTime group_time_;  // when its round was over; 0: none was
  GroupOverview round_;  // under way
  WallTime feed_heard_;  // anything; 0: never
  std::vector<std::uint64_t> tasks_by_state_;
  std::optional<CountersEvent> counters_;
  std::optional<std::uint64_t> blocks_indexed_;
  std::deque<TaskView> tasks_;
  std::deque<ElectionView> elections_;
  std::map<std::string, TypeView> types_;
  std::deque<Ended> ended_;  // of the last minute
  std::uint64_t skipped_ = 0;
};

}  // namespace cidbus
