// The rows of the task state: what is kept of a task, of a submission's claim to its result, of a session.
//
// A task of a hundred bytes may wait ten million times over, so the common fields stand in 104 bytes and what
// few tasks have stands in a row of its own. Fields that only link rows into lists are rebuilt when a
// snapshot is loaded; all others are replicated.
//
// Thread rule: values. Limits: limits/tasks.h.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/tasks/slab.h"
#include "shared/base/ids.h"
#include "shared/core/task.h"

namespace cidbus {

using TaskHandle = Handle;
using SessionHandle = Handle;
using TypeNumber = std::uint16_t;  // from 1 in the order the state met them; 0: none
using NodeNumber = std::uint16_t;  // likewise

// A claim stands in its task (the handle is the task's) or, when a later submission gave the same key, in an
// EchoSlot (the handle is the echo's with this bit).
using ClaimHandle = Handle;
inline constexpr ClaimHandle echo_bit = 1U << 31;

// What one submission is owed. It ends when nothing is owed any more and its session has forgotten its seq.
struct Claim {
  std::uint64_t seq = 0;
  std::uint64_t rseq =
      0;                 // the session's number of the result, 0 until there is one; in the kept list: place
  Handle session = 0;    // SessionRef; 0 once the claim has ended
  ClaimHandle next = 0;  // link: next result of the session, or next task of the kept list
};

// Bits of TaskSlot::flags.
inline constexpr std::uint8_t flag_key_active = 1;  // its key answers repeats
inline constexpr std::uint8_t flag_kept = 2;        // nobody is owed anything: in the kept list

// The digest reads it by words, from `id` to `unused`: no place of a field may change.
struct TaskSlot {
  TaskId id;
  WallTime submitted_at;
  WallTime started_at;   // of the last attempt
  WallTime finished_at;  // 0 while open
  Claim claim;           // of the first submission
  std::uint64_t content =
      0;  // digest: of work, result, key, error and history: they are not read for it again
  std::uint32_t attempts = 0;
  TypeNumber type = 0;
  NodeNumber node = 0;                   // of the last attempt
  TaskState state = TaskState::Pending;  // never Processing: that is the leader's own knowledge
  std::uint8_t priority = default_priority;
  std::uint8_t tries = default_tries;
  std::uint8_t tries_used = 0;  // attempts that ended by Retry or TimedOut
  std::uint8_t lost = 0;        // attempts that ended with their worker; saturates
  std::uint8_t flags = 0;
  std::uint16_t unused = 0;
  Handle work = 0;
  std::uint32_t work_size = 0;
  Handle result = 0;
  std::uint32_t result_size = 0;
  Handle rare = 0;          // RareSlot; 0: all its fields have their defaults
  std::uint32_t place = 0;  // link: in the roll
};
static_assert(sizeof(TaskSlot) == 104, "the budget of a queued task is 160 bytes in all");

struct RareSlot {
  std::int64_t not_before = 0;  // milliseconds of record time; 0: none, as for the next three
  std::int64_t deadline = 0;
  std::int64_t time_limit = 0;  // milliseconds
  std::int64_t backoff = TaskOptions{}.backoff.count();
  Handle key = 0;
  std::uint32_t key_size = 0;
  Handle error = 0;
  std::uint32_t error_size = 0;
  Handle history = 0;  // of its attempts (shared/core/attempt_history.h)
  std::uint32_t history_size = 0;
  std::uint64_t finish_index = 0;  // LogIndex of the record that finished it; orders keys by age
  TaskHandle next_keyed = 0;       // link: next finished task whose key is active
  Handle first_echo = 0;
  std::uint32_t echoes = 0;
};

// A later submission with the key of a task that was there already: it is owed the same result.
struct EchoSlot {
  Claim claim;
  TaskHandle task = 0;
  Handle next_echo = 0;
};

// What claims hold of a session: outlives it while an open task may still look for it.
struct SessionRef {
  std::uint64_t serial = 0;  // LogIndex of its SESSION_OPEN: tells two sessions of one id apart
  SessionHandle body = 0;    // 0: the session is gone
  std::uint32_t claims = 0;  // claims that point here
};

struct SessionSlot {
  SessionId id;
  WallTime contact;                 // record time of the last contact
  std::uint64_t contact_index = 0;  // LogIndex of it; orders sessions by age
  std::uint64_t low_water = 1;      // seqs below are answered and forgotten; only grows
  std::uint64_t high_seq = 0;       // highest seq seen; only grows
  std::uint64_t next_rseq = 1;      // only grows
  std::uint64_t cursor = 0;         // results up to here are acknowledged or out of time; only grows
  std::uint64_t closing_place = 0;  // 0: open; else its place among sessions being cleared away
  Handle ref = 0;
  ClaimHandle owed_first = 0;  // link: results above cursor, in the order of rseq
  ClaimHandle owed_last = 0;
  std::uint32_t owed_count = 0;
  SessionHandle previous = 0;       // link: in the list by age
  SessionHandle next = 0;           // link: in the list by age, or of those being cleared away
  std::vector<ClaimHandle> window;  // link: claim of seq at seq % size (a power of two); 0: none
};

}  // namespace cidbus
