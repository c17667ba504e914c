#include "leecher/core/outbox_entry.h"

#include <algorithm>

#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr std::uint8_t version = 1;
enum class Kind : std::uint8_t { Queued = 1, HandedIn, Refused, Forgotten, Numbered };

void put(ByteWriter& out, milliseconds time) { out.number(static_cast<std::uint64_t>(time.count())); }
milliseconds get_time(ByteReader& in) { return milliseconds(in.number<std::int64_t>()); }

void head(ByteWriter& out, Kind kind) {
  out.number(version);
  out.number(static_cast<std::uint8_t>(kind));
}

void put(ByteWriter& out, const QueuedEntry& entry) {
  head(out, Kind::Queued);
  out.number(entry.item);
  out.raw(entry.session.bytes);
  out.number(entry.seq);
  out.number(entry.at.milliseconds);
  out.number(entry.options.priority);
  out.number(entry.options.tries);
  put(out, entry.options.delay);
  put(out, entry.options.deadline);
  put(out, entry.options.time_limit);
  put(out, entry.options.backoff);
  out.number(static_cast<std::uint8_t>(entry.type.size()));
  out.raw(as_bytes(entry.type));
  out.sized(entry.options.key);
  out.raw(entry.work);
}
void put(ByteWriter& out, const HandedInEntry& entry) {
  head(out, Kind::HandedIn);
  out.number(entry.item);
  out.number(entry.at.milliseconds);
  out.number(entry.task.value);
}
void put(ByteWriter& out, const RefusedEntry& entry) {
  head(out, Kind::Refused);
  out.number(entry.item);
  out.number(entry.at.milliseconds);
  out.number(static_cast<std::uint8_t>(entry.cancelled));
  out.sized(entry.reason);
}
void put(ByteWriter& out, const ForgottenEntry& entry) {
  head(out, Kind::Forgotten);
  out.number(entry.item);
}
void put(ByteWriter& out, const NumberedEntry& entry) {
  head(out, Kind::Numbered);
  out.number(entry.last);
}

QueuedEntry get_queued(ByteReader& in) {
  QueuedEntry entry;
  entry.item = in.number<std::uint64_t>();
  const ByteView session = in.raw(entry.session.bytes.size());
  std::copy(session.begin(), session.end(), entry.session.bytes.begin());
  entry.seq = in.number<std::uint64_t>();
  entry.at = {in.number<std::int64_t>()};
  entry.options.priority = in.number<std::uint8_t>();
  entry.options.tries = in.number<std::uint8_t>();
  entry.options.delay = get_time(in);
  entry.options.deadline = get_time(in);
  entry.options.time_limit = get_time(in);
  entry.options.backoff = get_time(in);
  entry.type = as_text(in.raw(in.number<std::uint8_t>()));
  entry.options.key = in.sized_text();
  entry.work = in.raw(in.rest().size());
  return entry;
}

bool makes_sense(const QueuedEntry& entry) {
  return entry.item != 0 && is_valid_name(entry.type) && !entry.options.key.empty() &&
         entry.options.key.size() <= limits::key_length && entry.work.size() <= limits::payload_bytes &&
         entry.options.tries > 0;
}

}  // namespace

Bytes encode(const OutboxEntry& entry) {
  Bytes bytes;
  ByteWriter out(bytes);
  std::visit([&out](const auto& one) { put(out, one); }, entry);
  return bytes;
}

bool decode(ByteView payload, OutboxEntry& out) {
  ByteReader in(payload);
  if (in.number<std::uint8_t>() != version) return false;
  switch (static_cast<Kind>(in.number<std::uint8_t>())) {
    case Kind::Queued: {
      const QueuedEntry entry = get_queued(in);
      out = entry;
      return in.complete() && makes_sense(entry);
    }
    case Kind::HandedIn: {
      const auto item = in.number<std::uint64_t>();
      const WallTime at{in.number<std::int64_t>()};
      out = HandedInEntry{item, at, {in.number<std::uint64_t>()}};
      return in.complete();
    }
    case Kind::Refused: {
      const auto item = in.number<std::uint64_t>();
      const WallTime at{in.number<std::int64_t>()};
      const bool cancelled = in.number<std::uint8_t>() != 0;
      out = RefusedEntry{item, at, cancelled, in.sized_text()};
      return in.complete();
    }
    case Kind::Forgotten:
      out = ForgottenEntry{in.number<std::uint64_t>()};
      return in.complete();
    case Kind::Numbered:
      out = NumberedEntry{in.number<std::uint64_t>()};
      return in.complete();
  }
  return false;
}

}  // namespace cidbus
