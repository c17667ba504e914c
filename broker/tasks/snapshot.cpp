#include "broker/tasks/snapshot.h"

#include <cstring>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

// Writes the row's head, and its length once the body is known.
class RowWriter {
 public:
  RowWriter(Bytes& out, RowKind kind) : out_(out), writer_(out) {
    writer_.number(static_cast<std::uint8_t>(kind));
    writer_.number(std::uint32_t{0});
    begin_ = out.size();
  }
  ~RowWriter() {
    const auto length = static_cast<std::uint32_t>(out_.size() - begin_);
    std::memcpy(out_.data() + begin_ - sizeof(length), &length, sizeof(length));
  }
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;
  ByteWriter* operator->() { return &writer_; }

 private:
  Bytes& out_;
  ByteWriter writer_;
  std::size_t begin_;
};

void write_claim(RowWriter& row, const StateTables& tables, const Claim& claim) {
  row->number(claim.session == 0 ? std::uint64_t{0} : tables.refs[claim.session].serial);
  row->number(claim.seq);
  row->number(claim.rseq);
}

void write_rare(RowWriter& row, const StateTables& tables, const RareSlot& rare) {
  row->number(rare.not_before);
  row->number(rare.deadline);
  row->number(rare.time_limit);
  row->number(rare.backoff);
  row->number(rare.finish_index);
  row->sized(tables.key(rare));
  row->sized(tables.error(rare));
  row->number(rare.echoes);
  for (Handle echo = rare.first_echo; echo != 0; echo = tables.echoes[echo].next_echo) {
    write_claim(row, tables, tables.echoes[echo].claim);
  }
  if (rare.history_size > 0) row->sized(tables.history(rare));
}

void write_end_row(std::uint64_t tasks, std::uint64_t sessions, const Digest& digest, Bytes& out) {
  RowWriter row(out, RowKind::End);
  row->number(tasks);
  row->number(sessions);
  row->number(digest.low);
  row->number(digest.high);
}

}  // namespace

void write_header_row(const StateTables& tables, Bytes& out) {
  RowWriter row(out, RowKind::Header);
  row->number(snapshot_version);
  row->number(tables.applied.value);
  row->number(tables.time.milliseconds);
  row->number(tables.office.epoch.value);
  row->sized(tables.office.leader);
  row->sized(tables.office.endpoint);
  row->number(tables.next_kept_place);
  row->number(tables.next_closing_place);
  row->number(tables.types.size());
  for (std::uint16_t type = 1; type <= tables.types.size(); ++type) {
    const unsigned offered = tables.offered[type] ? type_is_offered : 0;
    const unsigned strict = tables.strict[type] ? type_is_strict : 0;
    row->number(static_cast<std::uint8_t>(offered | strict));
    row->sized(tables.types.name(type));
  }
  row->number(tables.nodes.size());
  for (std::uint16_t node = 1; node <= tables.nodes.size(); ++node) row->sized(tables.nodes.name(node));
  row->number(static_cast<std::uint32_t>(tables.catalogue.size()));
}

void write_name_rows(const StateTables& tables, Bytes& out) {
  Bytes payload;
  tables.catalogue.for_each_row([&](WallTime at, const NameRecord& record) {
    payload.clear();
    encode(record, payload);
    RowWriter row(out, RowKind::Name);
    row->number(at.milliseconds);
    row->raw(payload);
  });
}

void write_config_row(const StateTables& tables, Bytes& out) {
  RowWriter row(out, RowKind::Config);
  tables.config.write(out);
}

void write_session_row(const StateTables& tables, SessionHandle session, Bytes& out) {
  const SessionSlot& slot = tables.sessions[session];
  RowWriter row(out, RowKind::Session);
  row->raw(slot.id.bytes);
  row->number(tables.refs[slot.ref].serial);
  row->number(slot.contact.milliseconds);
  row->number(slot.contact_index);
  row->number(slot.low_water);
  row->number(slot.high_seq);
  row->number(slot.next_rseq);
  row->number(slot.cursor);
  row->number(slot.closing_place);
}

void write_task_row(const StateTables& tables, TaskHandle task, Bytes& out) {
  const TaskSlot& slot = tables.tasks[task];
  RowWriter row(out, RowKind::Task);
  row->number(slot.id.value);
  row->number(slot.submitted_at.milliseconds);
  row->number(slot.started_at.milliseconds);
  row->number(slot.finished_at.milliseconds);
  row->number(slot.attempts);
  row->number(slot.type);
  row->number(slot.node);
  row->number(static_cast<std::uint8_t>(slot.state));
  row->number(slot.priority);
  row->number(slot.tries);
  row->number(slot.tries_used);
  row->number(slot.lost);
  row->number(slot.flags);
  write_claim(row, tables, slot.claim);
  row->sized(tables.arena.get(slot.work, slot.work_size));
  row->sized(tables.arena.get(slot.result, slot.result_size));
  const bool has_history = tables.rare(slot).history_size > 0;
  row->number(static_cast<std::uint8_t>(slot.rare == 0 ? 0 : has_history ? 2 : 1));
  if (slot.rare != 0) write_rare(row, tables, tables.rares[slot.rare]);
}

// ---- the walk

void SnapshotWalk::Visited::begin(std::size_t handle_bound) {
  bound = static_cast<Handle>(handle_bound);
  marks.assign((handle_bound + 63) / 64, 0);
}

bool SnapshotWalk::Visited::take(Handle handle) {
  if (handle < cursor || handle >= bound) return false;
  std::uint64_t& word = marks[handle / 64];
  const std::uint64_t bit = std::uint64_t{1} << (handle % 64);
  if ((word & bit) != 0) return false;
  word |= bit;
  return true;
}

void SnapshotWalk::Visited::skip(Handle handle) {
  if (handle < bound) marks[handle / 64] |= std::uint64_t{1} << (handle % 64);
}

SnapshotWalk::SnapshotWalk(StateMachine& state)
    : tables_(state.tables()),
      index_(tables_.applied),
      task_count_(tables_.tasks.size()),
      session_count_(tables_.sessions.size()),
      expected_(tables_.digest()) {
  ENSURE(tables_.watcher == nullptr);
  tables_.watcher = this;
  tasks_.begin(tables_.tasks.handle_bound());
  sessions_.begin(tables_.sessions.handle_bound());
  write_header_row(tables_, first_);
  write_name_rows(tables_, first_);
  write_config_row(tables_, first_);
  // All but the rows of tasks and sessions, which follow.
  digest_ = walked_frame(tables_);
}

SnapshotWalk::~SnapshotWalk() {
  if (tables_.watcher == this) tables_.watcher = nullptr;
}

void SnapshotWalk::put_task(TaskHandle task, Bytes& out) {
  write_task_row(tables_, task, out);
  digest_ += walked_task(tables_, task);
}

void SnapshotWalk::put_session(SessionHandle session, Bytes& out) {
  write_session_row(tables_, session, out);
  digest_ += digest_of_session(tables_, tables_.sessions[session]);
}

void SnapshotWalk::before_task(TaskHandle task) {
  if (tasks_.take(task)) put_task(task, first_);
}

void SnapshotWalk::before_session(SessionHandle session) {
  if (sessions_.take(session)) put_session(session, first_);
}

template <typename Rows, typename Write>
bool SnapshotWalk::walk(const Rows& slab, Visited& visited, std::size_t& rows, std::size_t most_bytes,
                        Bytes& out, Write&& write) {
  while (visited.cursor < visited.bound) {
    const Handle handle = slab.live_from(visited.cursor);
    if (handle == 0 || handle >= visited.bound) {
      visited.cursor = visited.bound;
      break;
    }
    if (rows == 0 || out.size() >= most_bytes) return false;
    visited.cursor = handle;
    if (visited.take(handle)) {
      write(handle);
      --rows;
    }
    visited.cursor = handle + 1;
  }
  return true;
}

bool SnapshotWalk::slice(std::size_t rows, std::size_t bytes, Bytes& out) {
  if (done_) return true;
  const std::size_t most_bytes = out.size() + bytes;
  out.insert(out.end(), first_.begin(), first_.end());
  first_.clear();
  const auto write_session = [&](SessionHandle session) { put_session(session, out); };
  const auto write_task = [&](TaskHandle task) { put_task(task, out); };
  if (!walk(tables_.sessions, sessions_, rows, most_bytes, out, write_session)) return false;
  if (!walk(tables_.tasks, tasks_, rows, most_bytes, out, write_task)) return false;
  ENSURE(digest_ == expected_, "rows of the state are not what was written into them; record", index_.value);
  write_end_row(task_count_, session_count_, digest_, out);
  done_ = true;
  tables_.watcher = nullptr;
  return true;
}

}  // namespace cidbus
