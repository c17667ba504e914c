// The entries of a leecher's outbox, as they stand in its file.
//
// Numbers are little-endian; a payload begins with its version, then its kind.
//
//   payload   := version:u8 kind:u8 body            version is 1
//   text8     := length:u8 bytes                    names
//   text      := length:u32 bytes
//   QUEUED    := item:u64 session:16 seq:u64 at:i64 priority:u8 tries:u8 delay:u64 deadline:u64
//                time_limit:u64 backoff:u64 type:text8 key:text work:the rest
//   HANDED_IN := item:u64 at:i64 task:u64
//   REFUSED   := item:u64 at:i64 cancelled:u8 reason:text
//   FORGOTTEN := item:u64
//   NUMBERED  := last:u64                           items up to this one have been named
//
// Times are milliseconds; an item is its number, without the bit that outbox_id.h sets.
//
// Thread rule: values; views live as long as the payload. Limits: base/limits/; checked before an entry is
// made.
#pragma once

#include <string_view>
#include <variant>

#include "shared/base/bytes.h"
#include "shared/core/task.h"

namespace cidbus {

struct QueuedEntry {
  std::uint64_t item = 0;
  SessionId session;
  std::uint64_t seq = 0;
  WallTime at;
  std::string_view type;
  TaskOptions options;  // with the key under which it will be handed in: never empty
  ByteView work;
};
struct HandedInEntry {
  std::uint64_t item = 0;
  WallTime at;
  TaskId task;
};
struct RefusedEntry {
  std::uint64_t item = 0;
  WallTime at;
  bool cancelled = false;
  std::string_view reason;
};
struct ForgottenEntry {
  std::uint64_t item = 0;
};
struct NumberedEntry {
  std::uint64_t last = 0;
};
using OutboxEntry = std::variant<QueuedEntry, HandedInEntry, RefusedEntry, ForgottenEntry, NumberedEntry>;

Bytes encode(const OutboxEntry& entry);
// False when the payload is not exactly one entry of this version.
[[nodiscard]] bool decode(ByteView payload, OutboxEntry& out);

}  // namespace cidbus
