#include "shared/node/health.h"

#include <algorithm>
#include <array>

namespace cidbus {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t mebibyte = 1 << 20;
// DESIGN section 9 for what is in percent; a heartbeat goes out each second, and a node that says nothing for
// 5 s is dead to the leader.
constexpr double percent_warning = 80;
constexpr double percent_critical = 95;
constexpr seconds silent_warning(3);
constexpr seconds silent_critical(5);
constexpr std::uint64_t disk_warning = 2048 * mebibyte;
constexpr std::uint64_t disk_critical = 512 * mebibyte;
constexpr std::uint64_t lag_warning = 100'000;  // records
constexpr seconds oldest_warning(60);
constexpr seconds oldest_critical(600);
constexpr double failed_warning = 10;
constexpr double failed_critical = 50;

class Verdict {
 public:
  void say(HealthStatus status, std::string reason) {
    if (status != HealthStatus::Healthy) said_.emplace_back(status, std::move(reason));
  }
  // `warning` and `critical` are reached from below.
  template <typename Value>
  void above(Value value, Value warning, Value critical, const std::string& reason) {
    if (value >= warning) say(value >= critical ? HealthStatus::Critical : HealthStatus::Warning, reason);
  }
  Health health(std::size_t most) {
    std::stable_sort(said_.begin(), said_.end(),
                     [](const auto& left, const auto& right) { return left.first > right.first; });
    Health health;
    for (const auto& [status, reason] : said_) {
      health.status = std::max(health.status, status);
      if (health.reasons.size() < most) health.reasons.push_back(reason);
    }
    if (said_.size() > most) health.reasons.push_back("and " + std::to_string(said_.size() - most) + " more");
    return health;
  }

 private:
  std::vector<std::pair<HealthStatus, std::string>> said_;
};

std::string whole(double value) { return std::to_string(static_cast<std::int64_t>(value)); }

void judge_percent(Verdict& verdict, const char* what, const std::optional<double>& percent) {
  if (percent) {
    verdict.above(*percent, percent_warning, percent_critical,
                  std::string(what) + " at " + whole(*percent) + " %");
  }
}

void judge_disk(Verdict& verdict, const NodeSigns& signs) {
  judge_percent(verdict, "disk", signs.disk_percent);
  if (!signs.stores || signs.disk_percent) return;
  const std::uint64_t free = signs.load.disk_free_bytes;
  if (free >= disk_warning) return;
  verdict.say(free < disk_critical ? HealthStatus::Critical : HealthStatus::Warning,
              "room for only " + std::to_string(free / mebibyte) + " MiB of blocks");
}

void judge_group(Verdict& verdict, const GroupOverview& group) {
  if (group.empty()) return verdict.say(HealthStatus::Unknown, "no broker answered for itself");
  const std::size_t missing = group.brokers("").size() - group.reachable();
  if (group.leader() == nullptr) {
    verdict.say(HealthStatus::Critical, group.no_leader_text());
  } else if (group.reachable() < group.needed()) {
    verdict.say(HealthStatus::Critical, "no majority: " + group.quorum_text());
  } else if (missing != 0) {
    const std::size_t spare = group.reachable() - group.needed();
    verdict.say(HealthStatus::Warning,
                "of the brokers " + std::to_string(missing) + " cannot be reached; " +
                    (spare == 0 ? "no further one may fail" : std::to_string(spare) + " more may fail"));
  }
  for (const GroupOverview::Broker& broker : group.brokers("")) {
    if (!broker.duty) continue;
    if (broker.trust != StateTrust::Good)
      verdict.say(HealthStatus::Warning,
                  "broker " + broker.name + ": state " + std::string(to_text(broker.trust)));
    if (broker.lag.value_or(0) >= lag_warning)
      verdict.say(HealthStatus::Warning,
                  "broker " + broker.name + " lags by " + std::to_string(*broker.lag) + " records");
  }
}

void judge_nodes(Verdict& verdict, const ClusterSigns& signs) {
  if (!signs.nodes) return verdict.say(HealthStatus::Unknown, "no leader tells of nodes and tasks");
  std::size_t workers = 0;
  for (const NodeSigns& node : *signs.nodes) {
    if (node.state == MemberState::Left || node.role == Role::Master) continue;
    workers += node.role == Role::Worker && node.state == MemberState::Alive ? 1 : 0;
    const Health health = health_of(node);
    if (health.status == HealthStatus::Healthy) continue;
    verdict.say(std::min(health.status, HealthStatus::Warning),
                std::string(to_text(node.role)) + " " + node.name + ": " + health.reasons.front());
  }
  if (workers != 0) return;
  const std::uint64_t open = signs.tasks_open.value_or(0);
  if (open == 0) return verdict.say(HealthStatus::Warning, "there is no worker");
  verdict.say(HealthStatus::Critical, "there is no worker, and " + std::to_string(open) + " tasks wait");
}

}  // namespace

std::string_view to_text(HealthStatus status) {
  static constexpr std::array<std::string_view, 4> names{"healthy", "unknown", "warning", "critical"};
  return names[static_cast<std::size_t>(status)];
}

NodeSigns signs_of(const Member& member, WallTime now) {
  NodeSigns signs;
  signs.name = member.name;
  signs.role = member.role;
  signs.state = member.state;
  // Clocks of two machines: what lies ahead was heard just now.
  if (member.last_seen.milliseconds != 0)
    signs.silent = std::max(now - member.last_seen, std::chrono::milliseconds(0));
  const NodeLoad& load = member.load;
  signs.stores =
      !member.exchange.empty() && (load.slots != 0 || load.blocks != 0 || load.disk_free_bytes != 0);
  signs.load = load;
  return signs;
}

Health health_of(const NodeSigns& signs) {
  Verdict verdict;
  if (signs.state == MemberState::Dead) {
    verdict.say(HealthStatus::Critical, "dead: it has not been heard");
  } else if (signs.state == MemberState::Left) {
    verdict.say(HealthStatus::Unknown, "left");
  } else if (!signs.silent || signs.state == MemberState::Joining) {
    verdict.say(HealthStatus::Unknown, "not heard yet");
  } else {
    verdict.above<std::chrono::milliseconds>(
        *signs.silent, silent_warning, silent_critical,
        "silent for " + std::to_string(std::chrono::duration_cast<seconds>(*signs.silent).count()) + " s");
    if (signs.state == MemberState::Suspect && *signs.silent < silent_warning)
      verdict.say(HealthStatus::Unknown, "suspect: its connection broke, or this leader never heard it");
    judge_percent(verdict, "CPU", signs.cpu_percent);
    judge_percent(verdict, "memory", signs.memory_percent);
    judge_disk(verdict, signs);
  }
  return verdict.health(health_reasons);
}

Health health_of(const ClusterSigns& signs) {
  Verdict verdict;
  judge_group(verdict, signs.group);
  judge_nodes(verdict, signs);
  if (signs.oldest_task) {
    verdict.above(*signs.oldest_task, oldest_warning, oldest_critical,
                  "a task has waited for " + std::to_string(signs.oldest_task->count()) + " s");
  }
  if (signs.failed_percent) {
    verdict.above(*signs.failed_percent, failed_warning, failed_critical,
                  "of the tasks that ended " + whole(*signs.failed_percent) + " % failed");
  }
  return verdict.health(health_reasons);
}

}  // namespace cidbus
