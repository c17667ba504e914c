#include "observer/core/series_names.h"

#include <algorithm>
#include <array>

#include "shared/base/glob.h"

namespace cidbus {
namespace {

constexpr std::array<std::string_view, 48> names{
    // of a node
    "silent_seconds", "slots", "slots_busy", "blocks", "block_bytes", "disk_free_bytes", "resident_bytes",
    "cpu_percent", "memory_percent", "disk_percent", "network_received_bytes_total",
    "network_sent_bytes_total",
    // of a broker
    "broker_reachable", "epoch", "journal_records", "journal_lag_records", "elections_total",
    "offices_taken_total", "offices_left_total", "messages_undeliverable_total", "credit",
    "commit_p99_seconds", "fsync_p99_seconds", "wait_p99_seconds", "run_p99_seconds", "dispatch_p99_seconds",
    "heartbeat_gap_p99_seconds",
    // of the cluster
    "leader_present", "brokers", "brokers_reachable", "quorum_held", "nodes_alive", "nodes_lost",
    "workers_alive", "tasks_pending", "tasks_assigned", "tasks_processing", "tasks_completed", "tasks_failed",
    "tasks_cancelled", "tasks_timeout", "tasks_accepted_total", "tasks_finished_total",
    "tasks_requeued_total", "results_stale_total", "messages_refused_total", "queue_oldest_seconds",
    "tasks_failed_percent"};

}  // namespace

std::span<const std::string_view> known_series() { return names; }

bool is_known_series(std::string_view pattern) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return matches_glob(pattern, name); });
}

}  // namespace cidbus
