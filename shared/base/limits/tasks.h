// Tasks, sessions, and what a broker holds of them: where each of them stops. What limits are for: README.md,
// here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::size_t payload_bytes = 256 << 10;  // a task's inputs and parameters, encoded
inline constexpr std::size_t result_bytes = 64 << 10;    // a result's CIDs and inline values, encoded
inline constexpr std::size_t inputs = 256;               // input CIDs of a task
inline constexpr std::size_t parameters = 64;            // parameters of a task
inline constexpr std::size_t task_types = 4096;          // distinct task types a cluster has seen
inline constexpr std::size_t workers = 16384;            // distinct worker names a cluster has seen
inline constexpr std::size_t members = 4000;      // nodes in the membership table, departed ones included
inline constexpr std::size_t tasks = 50'000'000;  // tasks held by a broker, in any state
inline constexpr std::size_t sessions = 100'000;  // open sessions
inline constexpr std::size_t finished_kept =
    100'000;  // finished tasks kept for `task show` once their results are acknowledged
inline constexpr std::uint64_t finished_kept_bytes = 256ULL << 20;  // likewise, in bytes
inline constexpr std::uint64_t session_window =
    16384;  // seqs a session may be ahead of its low_water; a client's unanswered submissions
inline constexpr std::uint64_t results_kept_bytes =
    1ULL << 30;  // results and keys kept for clients; past it submissions are refused
inline constexpr std::size_t log_bytes = 8 << 10;  // what an attempt leaves behind of its output, encoded
inline constexpr std::size_t attempts_logged = 4;  // of a task, the last ones
inline constexpr std::size_t history_bytes =
    attempts_logged * (log_bytes + (5 << 10));  // of a task, encoded: logs, errors, and what stands around
inline constexpr unsigned tries_max = 100;
inline constexpr unsigned lost_attempts = 20;  // attempts that may end with their worker; then the task fails
inline constexpr std::size_t echoes_a_task = 1024;  // later submissions with its key that are owed its result
inline constexpr std::uint64_t task_state_bytes = 16ULL << 30;  // memory of the task state
inline constexpr std::uint64_t window_bytes = 512ULL << 20;     // of it, for what sessions know by seq
inline constexpr std::size_t submissions_on_the_way = 65'536;   // proposed, not yet applied
inline constexpr std::uint64_t submission_bytes_on_the_way = 64ULL << 20;  // likewise
inline constexpr std::uint64_t results_pushed = 8192;             // to a session, not yet acknowledged
inline constexpr std::uint64_t result_bytes_pushed = 8ULL << 20;  // likewise, about
inline constexpr std::size_t waiters = 100'000;            // questions that wait for a task to be final
inline constexpr std::size_t cancels_on_the_way = 65'536;  // proposed, not yet applied
inline constexpr std::uint32_t tasks_a_worker = 4000;      // granted to or held by one worker; fits one hello

}  // namespace cidbus::limits
