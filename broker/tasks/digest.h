// The digest of the state, kept up to date by every change (CONSENSUS R7): a sum of one hash for each thing
// in it, so that a change takes out the hash of what was there and adds that of what is there now.
//
// A sum does not depend on the order in which its parts were added, and a part can be taken out of it again.
// So brokers that hold the same rows have the same digest, whatever their handles, hash seeds and histories,
// and nothing is walked to know it. What goes in is what is replicated, by what it is replicated as: sessions
// by their serials, never a handle, nor the leader's own marks.
//
// A part is hashed without being written down first: its numbers, in pairs, each under a key of its own, make
// 128-bit products that are summed and then mixed (NH of UMAC, RFC 4418, for the first half). Bytes of any
// length (work, result, key, error, history) stand in it as the sum of one hash each, `content`, which the
// row of a task remembers: they are read when they come and when they go, and not at each change.
//
// Keys are constants: nobody gains by two states that look alike, since everybody's state follows from the
// same records. What it finds is memory that forgot, a disk that lied, programs that mean different things by
// a record.
//
// Invariants: 1. Digests are the same on every broker and for ever, as they stand in snapshots; another way
// to make them is another snapshot_version.
//
// Thread rule: functions of their arguments. Limits: none.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "broker/tasks/slots.h"
#include "shared/base/bytes.h"

namespace cidbus {

struct StateTables;

struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  Digest& operator+=(const Digest& other) {
    low += other.low;
    high += other.high;
    return *this;
  }
  Digest& operator-=(const Digest& other) {
    low -= other.low;
    high -= other.high;
    return *this;
  }
  friend bool operator==(const Digest&, const Digest&) = default;
};

// What a hash of bytes is of, so that the same bytes as work and as result differ.
enum class ContentKind : std::uint8_t { Work, Result, Key, Error, History, Name, Leader, Endpoint, Book };
std::uint64_t content_of(ContentKind what, ByteView bytes);  // 0 of none
inline std::uint64_t content_of(ContentKind what, std::string_view text) {
  return content_of(what, as_bytes(text));
}
// Of all the bytes of a task, by reading them: what its row remembers, if all is well.
std::uint64_t content_of(const StateTables& tables, const TaskSlot& task);

// The parts. `content`: of the task's bytes.
Digest digest_of_task(const StateTables& tables, const TaskSlot& task, std::uint64_t content);
Digest digest_of_echo(const StateTables& tables, const EchoSlot& echo);
Digest digest_of_session(const StateTables& tables, const SessionSlot& session);
Digest digest_of_type(std::uint16_t number, std::string_view name);
Digest digest_of_offer(std::uint16_t type);   // some worker has offered the type
Digest digest_of_strict(std::uint16_t type);  // or has declared it strict
Digest digest_of_node(std::uint16_t number, std::string_view name);
Digest digest_of_name(WallTime at, ByteView record);
// Of what stands there once: applied, time, office, places.
Digest digest_of_header(const StateTables& tables);
Digest digest_of_config(const StateTables& tables);

// By walking over every row, and reading all bytes: what StateTables::sum holds together with the rows being
// edited, and what StateTables::digest() is, if all is well.
Digest walked_sum(const StateTables& tables);
Digest walked_frame(const StateTables& tables);  // of all but tasks and sessions
Digest walked_digest(const StateTables& tables);
// A task as a walk finds it: its row, its bytes and its echoes.
Digest walked_task(const StateTables& tables, TaskHandle task);

}  // namespace cidbus
