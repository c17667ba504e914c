#include "broker/tasks/records.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "shared/base/ensure.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::uint8_t node_version = 2;
constexpr std::uint8_t logged_version = 2;  // of REQUEUE and RESULT that carry a log

// Bits of SUBMIT's `present`.
enum Present : std::uint8_t { HasDelay = 1, HasDeadline = 2, HasTimeLimit = 4, HasBackoff = 8, HasKey = 16 };
constexpr std::uint8_t all_present = 31;

ByteWriter begin(Bytes& out) {
  out.push_back(record_version);
  return ByteWriter(out);
}
ByteReader begin(ByteView payload, bool& known) {
  ByteReader reader(payload);
  known = reader.number<std::uint8_t>() == record_version;
  return reader;
}

void write_name(ByteWriter& writer, std::string_view name) {
  ENSURE(name.size() <= 0xff, "length", name.size());
  writer.number(static_cast<std::uint8_t>(name.size()));
  writer.raw(as_bytes(name));
}
std::string_view read_name(ByteReader& reader) { return as_text(reader.raw(reader.number<std::uint8_t>())); }

void write_names(ByteWriter& writer, const std::vector<std::string_view>& names) {
  ENSURE(names.size() <= limits::task_types, "names", names.size());
  writer.number(static_cast<std::uint16_t>(names.size()));
  for (const std::string_view name : names) write_name(writer, name);
}
void read_names(ByteReader& reader, std::vector<std::string_view>& names) {
  names.clear();
  const auto count = reader.number<std::uint16_t>();
  for (unsigned i = 0; i < count && !reader.failed(); ++i) names.push_back(read_name(reader));
}

void write_session(ByteWriter& writer, const SessionId& session) { writer.raw(session.bytes); }
SessionId read_session(ByteReader& reader) {
  SessionId session;
  const ByteView bytes = reader.raw(session.bytes.size());
  std::copy(bytes.begin(), bytes.end(), session.bytes.begin());
  return session;
}

// 2^55 ms are a million years: no sum of a record time and a duration overflows.
constexpr std::int64_t longest = std::int64_t{1} << 55;
template <typename Chosen>
void write_duration(ByteWriter& writer, Chosen duration) {
  writer.varint(static_cast<std::uint64_t>(std::clamp<std::int64_t>(duration.count(), 0, longest)));
}
template <typename Chosen>
Chosen read_duration(ByteReader& reader) {
  return Chosen(static_cast<std::int64_t>(std::min<std::uint64_t>(reader.varint(), longest)));
}

// The fixed part of the records a task costs, put together here and appended at once: they are written a
// million times a second.
class Head {
 public:
  explicit Head(std::uint8_t version = record_version) { number(version); }
  template <typename Integer>
  void number(Integer value) {
    std::memcpy(bytes_.data() + size_, &value, sizeof(value));
    size_ += sizeof(value);
  }
  void raw(ByteView bytes) {
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // How LEASE, REQUEUE and RESULT begin.
  template <typename Record>
  void attempt(const Record& record) {
    number(record.task.value);
    number(record.run);
    number(record.attempt);
  }
  ByteWriter append_to(Bytes& out) const {
    out.insert(out.end(), bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    return ByteWriter(out);
  }

 private:
  std::array<std::uint8_t, 64> bytes_;
  std::size_t size_ = 0;
};

std::uint8_t version_for(ByteView log) { return log.empty() ? record_version : logged_version; }
// The reader behind the version of a record that may carry a log.
ByteReader begin_logged(ByteView payload, std::uint8_t& version) {
  ByteReader reader(payload);
  version = reader.number<std::uint8_t>();
  return reader;
}
bool is_known(std::uint8_t version) { return version == record_version || version == logged_version; }

template <typename Record>
void read_attempt(ByteReader& reader, Record& record) {
  record.task.value = reader.number<std::uint64_t>();
  record.run = reader.number<std::uint8_t>();
  record.attempt = reader.number<std::uint32_t>();
}

std::uint8_t present_of(const TaskOptions& options) {
  unsigned present = 0;
  if (options.delay.count() > 0) present |= HasDelay;
  if (options.deadline.count() > 0) present |= HasDeadline;
  if (options.time_limit.count() > 0) present |= HasTimeLimit;
  if (options.backoff != TaskOptions{}.backoff) present |= HasBackoff;
  if (!options.key.empty()) present |= HasKey;
  return static_cast<std::uint8_t>(present);
}

}  // namespace

std::string_view to_text(RecordType type) {
  switch (type) {
    case RecordType::Open:
      return "OPEN";
    case RecordType::Node:
      return "NODE";
    case RecordType::Handover:
      return "HANDOVER";
    case RecordType::SessionOpen:
      return "SESSION_OPEN";
    case RecordType::SessionRenew:
      return "SESSION_RENEW";
    case RecordType::SessionClose:
      return "SESSION_CLOSE";
    case RecordType::Submit:
      return "SUBMIT";
    case RecordType::Lease:
      return "LEASE";
    case RecordType::Requeue:
      return "REQUEUE";
    case RecordType::Result:
      return "RESULT";
    case RecordType::Cancel:
      return "CANCEL";
    case RecordType::Expire:
      return "EXPIRE";
    case RecordType::ResultAck:
      return "RESULT_ACK";
    case RecordType::Name:
      return "NAME";
    case RecordType::Propose:
      return "PROPOSE";
    case RecordType::Vote:
      return "VOTE";
    case RecordType::Decide:
      return "DECIDE";
  }
  return "unknown";
}

std::string_view to_text(RequeueReason reason) {
  constexpr std::array<std::string_view, 6> names{"retry",       "timed out",     "handed back",
                                                  "worker lost", "lease expired", "not running"};
  return names[static_cast<std::size_t>(reason)];
}

void encode(const OpenRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  writer.number(record.epoch.value);
  write_name(writer, record.leader);
  writer.sized(record.endpoint);
}
bool decode(ByteView payload, OpenRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.epoch.value = reader.number<std::uint64_t>();
  out.leader = read_name(reader);
  out.endpoint = reader.sized_text();
  return known && reader.complete();
}

void encode(const HandoverRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  write_name(writer, record.successor);
}

void encode(const NodeRecord& record, Bytes& out) {
  out.push_back(node_version);
  ByteWriter writer(out);
  writer.number(record.number);
  write_name(writer, record.name);
  write_names(writer, record.types);
  write_names(writer, record.strict_types);
}
bool decode(ByteView payload, HandoverRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.successor = read_name(reader);
  return known && reader.complete();
}

bool decode(ByteView payload, NodeRecord& out) {
  ByteReader reader(payload);
  const auto version = reader.number<std::uint8_t>();
  out.number = reader.number<std::uint16_t>();
  out.name = read_name(reader);
  read_names(reader, out.types);
  out.strict_types.clear();
  if (version == node_version) read_names(reader, out.strict_types);
  return (version == 1 || version == node_version) && reader.complete() && out.number != 0;
}

void encode(const SessionRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  write_session(writer, record.session);
}
bool decode(ByteView payload, SessionRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.session = read_session(reader);
  return known && reader.complete();
}

void encode(const SubmitRecord& record, Bytes& out) {
  const TaskOptions& options = record.options;
  const std::uint8_t present = present_of(options);
  Head head;
  head.raw(record.session.bytes);
  head.number(record.seq);
  head.number(record.low_water);
  head.number(present);
  head.number(options.priority);
  head.number(options.tries);
  ByteWriter writer = head.append_to(out);
  write_name(writer, record.type);
  if (present & HasDelay) write_duration(writer, options.delay);
  if (present & HasDeadline) write_duration(writer, options.deadline);
  if (present & HasTimeLimit) write_duration(writer, options.time_limit);
  if (present & HasBackoff) write_duration(writer, options.backoff);
  if (present & HasKey) writer.sized(options.key);
  writer.raw(record.work);
}
bool decode(ByteView payload, SubmitRecord& out) {
  using std::chrono::milliseconds;
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.session = read_session(reader);
  out.seq = reader.number<std::uint64_t>();
  out.low_water = reader.number<std::uint64_t>();
  const auto present = reader.number<std::uint8_t>();
  out.options = TaskOptions{};
  out.options.priority = reader.number<std::uint8_t>();
  out.options.tries = reader.number<std::uint8_t>();
  out.type = read_name(reader);
  if (present & HasDelay) out.options.delay = read_duration<milliseconds>(reader);
  if (present & HasDeadline) out.options.deadline = read_duration<milliseconds>(reader);
  if (present & HasTimeLimit) out.options.time_limit = read_duration<milliseconds>(reader);
  if (present & HasBackoff) out.options.backoff = read_duration<milliseconds>(reader);
  if (present & HasKey) out.options.key = reader.sized_text();
  out.work = reader.rest();
  return known && !reader.failed() && present <= all_present && out.seq != 0 && !out.type.empty() &&
         out.options.priority <= 9 && out.options.tries >= 1;
}

void encode(const LeaseRecord& record, Bytes& out) {
  Head head;
  head.attempt(record);
  head.number(record.node);
  head.append_to(out);
}
bool decode(ByteView payload, LeaseRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  read_attempt(reader, out);
  out.node = reader.number<std::uint16_t>();
  return known && reader.complete() && out.node != 0;
}

void encode(const RequeueRecord& record, Bytes& out) {
  Head head(version_for(record.log));
  head.attempt(record);
  head.number(static_cast<std::uint8_t>(record.reason));
  head.number(static_cast<std::uint8_t>(record.costs_try));
  ByteWriter writer = head.append_to(out);
  write_duration(writer, record.delay);
  writer.sized(record.error);
  if (!record.log.empty()) writer.sized(record.log);
}
bool decode(ByteView payload, RequeueRecord& out) {
  std::uint8_t version = 0;
  ByteReader reader = begin_logged(payload, version);
  read_attempt(reader, out);
  const auto reason = reader.number<std::uint8_t>();
  const auto costs_try = reader.number<std::uint8_t>();
  out.reason = static_cast<RequeueReason>(reason);
  out.costs_try = costs_try != 0;
  out.delay = read_duration<std::chrono::milliseconds>(reader);
  out.error = reader.sized_text();
  out.log = version == logged_version ? reader.sized() : ByteView{};
  return is_known(version) && reader.complete() &&
         reason <= static_cast<std::uint8_t>(RequeueReason::NotRunning) && costs_try <= 1;
}

void encode(const ResultRecord& record, Bytes& out) {
  Head head(version_for(record.log));
  head.attempt(record);
  head.number(static_cast<std::uint8_t>(record.outcome));
  head.number(record.node);
  ByteWriter writer = head.append_to(out);
  write_duration(writer, record.elapsed);
  writer.sized(record.error);
  if (!record.log.empty()) writer.sized(record.log);
  writer.raw(record.result);
}
bool decode(ByteView payload, ResultRecord& out) {
  std::uint8_t version = 0;
  ByteReader reader = begin_logged(payload, version);
  read_attempt(reader, out);
  const auto outcome = reader.number<std::uint8_t>();
  out.outcome = static_cast<Outcome>(outcome);
  out.node = reader.number<std::uint16_t>();
  out.elapsed = read_duration<std::chrono::microseconds>(reader);
  out.error = reader.sized_text();
  out.log = version == logged_version ? reader.sized() : ByteView{};
  out.result = reader.rest();
  return is_known(version) && !reader.failed() && outcome <= static_cast<std::uint8_t>(Outcome::HandedBack);
}

void encode(const TaskRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  writer.number(record.task.value);
}
bool decode(ByteView payload, TaskRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.task.value = reader.number<std::uint64_t>();
  return known && reader.complete();
}

void encode(const ResultAckRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  write_session(writer, record.session);
  writer.number(record.cursor);
}
bool decode(ByteView payload, ResultAckRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.session = read_session(reader);
  out.cursor = reader.number<std::uint64_t>();
  return known && reader.complete();
}

void encode(const NameRecord& record, Bytes& out) {
  ByteWriter writer = begin(out);
  write_name(writer, as_text(record.cid));
  write_name(writer, record.name);
  ENSURE(record.tags.size() <= 0xff, "tags", record.tags.size());
  writer.number(static_cast<std::uint8_t>(record.tags.size()));
  for (const auto& [key, value] : record.tags) {
    write_name(writer, key);
    write_name(writer, value);
  }
}
bool decode(ByteView payload, NameRecord& out) {
  bool known = false;
  ByteReader reader = begin(payload, known);
  out.cid = as_bytes(read_name(reader));
  out.name = read_name(reader);
  out.tags.clear();
  const auto count = reader.number<std::uint8_t>();
  for (unsigned i = 0; i < count && !reader.failed(); ++i) {
    const std::string_view key = read_name(reader);
    out.tags.emplace_back(key, read_name(reader));
  }
  return known && reader.complete() && !out.name.empty();
}

}  // namespace cidbus
