#include "observer/core/cluster_view.h"

#include <algorithm>

#include "shared/base/limits/observer.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {
namespace {

constexpr const char* other_types = "(others)";
constexpr std::int64_t failure_window_seconds = 60;
constexpr std::chrono::milliseconds feed_silence(3000);  // the leader speaks four times a second
constexpr std::uint64_t failures_tell_from = 10;         // tasks ended; of fewer, a share says little

template <typename Items>
void keep_newest(Items& items, std::size_t most) {
  while (items.size() > most) items.pop_front();
}

// Observers and clients only look, or ask: they come and go, and one must not stand for a node that is lost.
bool is_missed(Role role) { return role == Role::Worker || role == Role::Gateway || role == Role::Leecher; }

double number(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

NodeView& ClusterView::node(std::string_view name) {
  const auto [place, fresh] = nodes_.try_emplace(std::string(name));
  if (fresh) place->second.name = name;
  return place->second;
}

void ClusterView::take(const Member& member) {
  if (nodes_.size() >= limits::members && !nodes_.contains(std::string(member.name))) return;
  NodeView& known = node(member.name);
  known.role = member.role;
  known.state = member.state;
  known.incarnation = member.incarnation;
  known.exchange = member.exchange;
  if (member.joined_at.milliseconds != 0) known.joined_at = member.joined_at;
  known.last_heard = std::max(known.last_heard, member.last_seen);
  if (known.told_load) return;  // heartbeats are newer
  known.load = member.load;
  known.told_load = member.load.slots != 0 || member.load.blocks != 0 || member.load.disk_free_bytes != 0;
}

void ClusterView::forget_departed(WallTime now) {
  const std::chrono::milliseconds kept = limits::watched_departed_time;
  std::erase_if(nodes_, [&](const auto& entry) {
    return is_gone(entry.second.state) && now - entry.second.last_heard > kept;
  });
  std::vector<std::pair<WallTime, std::string>> gone;
  for (const auto& [name, known] : nodes_)
    if (is_gone(known.state)) gone.emplace_back(known.last_heard, name);
  if (gone.size() <= limits::watched_departed) return;
  std::sort(gone.begin(), gone.end());
  gone.resize(gone.size() - limits::watched_departed);
  for (const auto& [time, name] : gone) nodes_.erase(name);
}

// An earlier leader told of them, and this one has not heard them yet. Brokers answer for themselves.
void ClusterView::doubt_unlisted(const Snapshot& snapshot) {
  for (auto place = nodes_.begin(); place != nodes_.end();) {
    NodeView& known = place->second;
    const bool listed = std::any_of(snapshot.members.begin(), snapshot.members.end(),
                                    [&](const Member& member) { return member.name == known.name; });
    if (!listed && !is_gone(known.state)) known.state = MemberState::Suspect;
    place = !listed && known.role == Role::Master ? nodes_.erase(place) : std::next(place);
  }
}

void ClusterView::take(const Snapshot& snapshot) {
  cluster_ = snapshot.cluster;
  leader_ = snapshot.leader;
  for (const BrokerInfo& broker : snapshot.brokers) {
    if (!broker.leader) continue;
    leader_endpoint_ = broker.endpoint;
    epoch_ = std::max(epoch_, broker.epoch);
  }
  tasks_by_state_ = snapshot.tasks_by_state;
}

void ClusterView::on_snapshot(WallTime now, const Snapshot& snapshot) {
  take(snapshot);
  for (const Member& member : snapshot.members) take(member);
  doubt_unlisted(snapshot);
  blocks_indexed_ = snapshot.blocks_indexed;
  forget_departed(now);
}

// Each broker has heard other nodes, so that nobody is doubted for not being named; and what is known of a
// node stands until a broker has heard it since.
void ClusterView::on_standby_snapshot(WallTime now, const Snapshot& snapshot) {
  take(snapshot);
  for (const Member& member : snapshot.members) {
    const auto known = nodes_.find(std::string(member.name));
    if (known == nodes_.end() || member.last_seen > known->second.last_heard) take(member);
  }
  forget_departed(now);
}

void ClusterView::on_event(WallTime now, std::string_view publisher, const FeedEvent& event) {
  feed_heard_ = now;
  std::visit([&](const auto& value) { on(now, publisher, value); }, event);
}

void ClusterView::on(WallTime now, std::string_view, const HeartbeatEvent& event) {
  const auto place = nodes_.find(std::string(event.name));
  if (place == nodes_.end()) return;  // the leader names it first
  NodeView& known = place->second;
  if (known.incarnation != event.incarnation && is_gone(known.state)) return;
  known.load = event.load;
  known.told_load = true;
  known.last_heard = now;
}

void ClusterView::on(WallTime, std::string_view, const LeaderEvent& event) {
  if (event.epoch < epoch_) return;
  leader_ = event.leader;
  leader_endpoint_ = event.endpoint;
  epoch_ = event.epoch;
}

void ClusterView::on(WallTime now, std::string_view, const MemberEvent& event) {
  take(event.member);
  const auto place = nodes_.find(std::string(event.member.name));
  if (place != nodes_.end() && event.member.state == MemberState::Alive) place->second.last_heard = now;
  forget_departed(now);
}

void ClusterView::on(WallTime now, std::string_view, const TaskEvent& event) {
  std::string type(event.type);
  if (types_.size() >= limits::watched_task_types && !types_.contains(type)) type = other_types;
  ++types_[type].events[static_cast<std::size_t>(event.state)];
  if (is_final(event.state)) count_end(now, event.state);
  tasks_.push_back(
      {event.task, std::string(event.type), event.state, std::string(event.worker), event.attempts, now});
  keep_newest(tasks_, limits::watched_tasks);
}

void ClusterView::count_end(WallTime now, TaskState state) {
  const std::int64_t second = now.milliseconds / 1000;
  if (ended_.empty() || ended_.back().second != second) ended_.push_back({second, 0, 0});
  const bool badly = state == TaskState::Failed || state == TaskState::Timeout;
  ++(badly ? ended_.back().badly : ended_.back().well);
  keep_newest(ended_, failure_window_seconds);
}

void ClusterView::on(WallTime, std::string_view, const SkippedEvent& event) { skipped_ += event.count; }
void ClusterView::on(WallTime, std::string_view, const CountersEvent& event) {
  tasks_by_state_ = event.tasks_by_state;
  counters_ = event;
}

void ClusterView::on(WallTime now, std::string_view publisher, const ElectionEvent& event) {
  elections_.push_back(
      {now, std::string(publisher), event.word, std::string(event.to), event.epoch, event.last});
  keep_newest(elections_, limits::watched_elections);
}

bool ClusterView::on_status(WallTime now, const BrokerStatus& status) {
  round_.add(status);
  if (!round_.complete()) return false;
  end_round(now);
  return true;
}

void ClusterView::end_round(WallTime now) {
  group_ = round_;
  group_time_ = now;
  round_.begin_round();
}

bool ClusterView::hears(WallTime now) const { return now - feed_heard_ <= feed_silence; }

void ClusterView::sample(WallTime now, const std::function<void(const Sample&)>& take) {
  sample_nodes(now, take);
  sample_tasks(now, take);
  sample_group(now, take);
}

void ClusterView::sample_nodes(WallTime now, const std::function<void(const Sample&)>& take) const {
  if (!hears(now)) return;
  std::uint64_t alive = 0;
  std::uint64_t brokers = 0;
  std::uint64_t workers = 0;
  std::uint64_t lost = 0;
  for (const auto& [name, known] : nodes_) {
    const auto tell = [&](std::string_view series, double value) { take({name, series, now, value}); };
    if (known.state == MemberState::Left) continue;  // in order, so nobody misses it
    const bool lives = known.state == MemberState::Alive;
    alive += lives && is_missed(known.role) ? 1 : 0;
    brokers += lives && known.role == Role::Master ? 1 : 0;
    workers += lives && known.role == Role::Worker ? 1 : 0;
    lost += known.state == MemberState::Dead || known.state == MemberState::Suspect ? 1 : 0;
    if (known.role == Role::Master) continue;  // it answers for itself, in the rounds
    if (known.last_heard.milliseconds != 0) {
      const auto silent = std::max<std::int64_t>((now - known.last_heard).count(), 0);
      tell("silent_seconds", static_cast<double>(silent) / 1000);
    }
    if (!lives || !known.told_load) continue;
    const NodeLoad& load = known.load;
    if (load.resident_bytes != 0) tell("resident_bytes", number(load.resident_bytes));
    if (known.role == Role::Worker) {
      tell("slots", load.slots);
      tell("slots_busy", load.busy);
    }
    if (known.exchange.empty()) continue;
    tell("blocks", number(load.blocks));
    tell("block_bytes", number(load.block_bytes));
    tell("disk_free_bytes", number(load.disk_free_bytes));
  }
  if (cluster_.empty()) return;
  // The leader names no broker but itself; those that do not lead answer for themselves.
  take({"", "nodes_alive", now, number(alive + (group_.empty() ? brokers : group_.reachable()))});
  take({"", "nodes_lost", now, number(lost)});
  take({"", "workers_alive", now, number(workers)});
}

void ClusterView::sample_tasks(WallTime now, const std::function<void(const Sample&)>& take) {
  const auto tell = [&](std::string_view series, std::uint64_t value) {
    take({"", series, now, number(value)});
  };
  if (bound_) {
    for (std::size_t at = 0; at < tasks_by_state_.size() && at < task_state_count; ++at)
      tell("tasks_" + std::string(to_text(static_cast<TaskState>(at))), tasks_by_state_[at]);
  }
  if (bound_ && counters_) {
    tell("tasks_accepted_total", counters_->accepted);
    tell("tasks_finished_total", counters_->finished);
    tell("tasks_requeued_total", counters_->requeued);
    tell("results_stale_total", counters_->stale_results);
    tell("messages_refused_total", counters_->refused_messages);
  }
  while (!ended_.empty() && ended_.front().second <= now.milliseconds / 1000 - failure_window_seconds)
    ended_.pop_front();
  std::uint64_t well = 0;
  std::uint64_t badly = 0;
  for (const Ended& ended : ended_) {
    well += ended.well;
    badly += ended.badly;
  }
  if (cluster_.empty()) return;
  const bool tells = well + badly >= failures_tell_from;
  take({"", "tasks_failed_percent", now, tells ? 100 * number(badly) / number(well + badly) : 0});
}

void ClusterView::sample_group(WallTime now, const std::function<void(const Sample&)>& take) const {
  const auto tell = [&](std::string_view series, double value) { take({"", series, now, value}); };
  tell("leader_present", bound_ ? 1 : 0);
  if (group_.empty()) return;
  const auto brokers = group_.brokers("");
  tell("brokers", number(brokers.size()));
  tell("brokers_reachable", number(group_.reachable()));
  tell("quorum_held", group_.reachable() >= group_.needed() ? 1 : 0);
  for (const GroupOverview::Broker& broker : brokers) {
    take({broker.name, "broker_reachable", now, broker.duty ? 1.0 : 0.0});
    if (broker.lag) take({broker.name, "journal_lag_records", now, number(*broker.lag)});
    if (!broker.duty) continue;
    take({broker.name, "epoch", now, number(broker.epoch.value)});
    take({broker.name, "journal_records", now, number(broker.last.value)});
  }
}

}  // namespace cidbus
