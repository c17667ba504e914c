// What a task is: what is asked for, where it stands, what came of it. And the CID, the name of content.
//
// Thread rule: values. Limits, all told by a fault: a type's and a parameter's name is 1 to 64 of
// A-Z a-z 0-9 . _ -; 256 inputs, 64 parameters, 256 KiB of both; results of 64 KiB (larger ones belong into
// content).
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cidbus/result.h"

namespace cidbus::v1 {

// The name of content, made from its bytes (https://github.com/multiformats/cid); the same as in IPFS.
// Compared by its text: the CIDs of one content in versions 0 and 1 differ.
class Cid {
 public:
  // BadData for what is none: "Qm…", or version 1 in base32, base36, base58btc or base64url.
  static Result<Cid> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  friend bool operator==(const Cid&, const Cid&) = default;
  friend auto operator<=>(const Cid&, const Cid&) = default;

 private:
  explicit Cid(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A task's number in the cluster; never used again.
class TaskId {
 public:
  TaskId() = default;  // no task
  explicit TaskId(std::uint64_t number) : number_(number) {}
  // As the command prints it, such as t4kq7. BadUsage for what is none.
  static Result<TaskId> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t number() const { return number_; }
  friend bool operator==(const TaskId&, const TaskId&) = default;
  friend auto operator<=>(const TaskId&, const TaskId&) = default;

 private:
  std::uint64_t number_ = 0;
};

// The first three are open, the others final.
enum class TaskState : std::uint8_t { Pending, Assigned, Processing, Completed, Failed, Cancelled, Timeout };

constexpr bool is_final(TaskState state) { return state >= TaskState::Completed; }
std::string_view to_text(TaskState state);  // "pending", …

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

// What is asked for. A zero duration means: none.
struct TaskRequest {
  std::string type;
  std::vector<Cid> inputs = {};
  NamedTexts parameters = {};               // a name once; kept in this order
  int priority = 5;                         // 0 to 9, 9 first
  int retries = 3;                          // attempts after the first, 0 to 99
  std::chrono::milliseconds delay{0};       // not before this long after it was accepted
  std::chrono::milliseconds deadline{0};    // given up this long after it was accepted: state Timeout
  std::chrono::milliseconds time_limit{0};  // of one attempt
  std::string key = {};  // submitted twice under one key, it is one task; at most 256 bytes, kept for a day
  // The trace it belongs to (https://www.w3.org/TR/trace-context-1/#traceparent-header); empty for none.
  std::string traceparent = {};
};

// What a completed task answers.
struct TaskResult {
  std::vector<Cid> cids = {};
  NamedTexts values = {};
};

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;  // the zero of it: not yet

struct Task {
  TaskId id;
  std::string type;
  TaskState state = TaskState::Pending;
  std::uint32_t attempts = 0;
  std::vector<Cid> inputs;
  TaskResult result;   // empty unless Completed
  std::string error;   // of the last attempt that failed; empty when none did
  std::string worker;  // of the last attempt; empty before the first
  std::string key;
  std::string traceparent;  // as submitted; empty: it belongs to no trace
  WallTime submitted_at{};
  WallTime started_at{};
  WallTime finished_at{};
};

}  // namespace cidbus::v1

template <>
struct std::hash<cidbus::v1::Cid> {
  std::size_t operator()(const cidbus::v1::Cid& cid) const noexcept {
    return std::hash<std::string>()(cid.text());
  }
};

template <>
struct std::hash<cidbus::v1::TaskId> {
  std::size_t operator()(cidbus::v1::TaskId task) const noexcept {
    return std::hash<std::uint64_t>()(task.number());
  }
};
