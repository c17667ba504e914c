#include <algorithm>

#include "broker/tasks/snapshot.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {
namespace {

auto bad(std::string_view what) {
  return fault(FaultKind::BadData, "the snapshot of the tasks is damaged: " + std::string(what));
}

bool is_state_of_a_row(std::uint8_t state) {
  return state < task_state_count && static_cast<TaskState>(state) != TaskState::Processing;
}

}  // namespace

SnapshotLoader::SnapshotLoader(StateMachine& state) : state_(state), tables_(state.tables()) {
  ENSURE(tables_.applied.value == 0 && tables_.tasks.size() == 0 && tables_.sessions.size() == 0);
}

Status SnapshotLoader::load(ByteView chunk) {
  if (!cut_.empty()) {
    cut_.insert(cut_.end(), chunk.begin(), chunk.end());
    chunk = cut_;
  }
  ByteReader rows(chunk);
  ByteView left = chunk;
  while (!rows.at_end()) {
    const auto kind = rows.number<std::uint8_t>();
    const ByteView row = rows.sized();
    if (rows.failed()) break;  // its end is in the next chunk
    if (Status loaded = load_row(kind, ByteReader(row)); !loaded) return loaded;
    left = rows.rest();
  }
  cut_ = to_bytes(left);
  return {};
}

Status SnapshotLoader::load_row(std::uint8_t kind, ByteReader row) {
  bool good = false;
  switch (static_cast<RowKind>(kind)) {
    case RowKind::Header:
      good = load_header(row);
      break;
    case RowKind::Session:
      good = load_session(row);
      break;
    case RowKind::Task:
      good = load_task(row);
      break;
    case RowKind::Name:
      good = load_name(row);
      break;
    case RowKind::Config:
      good = load_config(row);
      break;
    case RowKind::End:
      expected_tasks_ = row.number<std::uint64_t>();
      expected_sessions_ = row.number<std::uint64_t>();
      if (!row.at_end()) {
        digest_.low = row.number<std::uint64_t>();
        digest_.high = row.number<std::uint64_t>();
      }
      good = row.complete();
      break;
  }
  return good ? Status{} : bad("a row does not decode");
}

bool SnapshotLoader::load_header(ByteReader reader) {
  const auto version = reader.number<std::uint8_t>();
  if (header_ || version == 0 || version > snapshot_version) return false;
  version_ = version;
  tables_.applied.value = reader.number<std::uint64_t>();
  tables_.time.milliseconds = reader.number<std::int64_t>();
  tables_.office.epoch.value = reader.number<std::uint64_t>();
  tables_.office.leader = reader.sized_text();
  tables_.office.endpoint = reader.sized_text();
  tables_.next_kept_place = reader.number<std::uint64_t>();
  tables_.next_closing_place = reader.number<std::uint64_t>();
  const auto types = reader.number<std::uint16_t>();
  for (unsigned i = 0; i < types && !reader.failed(); ++i) {
    const auto declared = reader.number<std::uint8_t>();
    const std::string_view name = reader.sized_text();
    if (tables_.types.find(name) != 0) return false;
    tables_.types.add(name);
    tables_.offered.push_back((declared & type_is_offered) != 0);
    tables_.strict.push_back((declared & type_is_strict) != 0);
  }
  const auto nodes = reader.number<std::uint16_t>();
  for (unsigned i = 0; i < nodes && !reader.failed(); ++i) {
    const std::string_view name = reader.sized_text();
    if (tables_.nodes.find(name) != 0) return false;
    tables_.nodes.add(name);
  }
  if (version >= 4) expected_names_ = reader.number<std::uint32_t>();
  expects_config_ = version >= snapshot_version_with_config;
  header_ = reader.complete();
  return header_;
}

Handle SnapshotLoader::ref_of(std::uint64_t serial) {
  if (serial == last_serial_) return last_ref_;
  Handle& ref = refs_[serial];
  if (ref == 0) {
    ref = tables_.refs.take();
    tables_.refs[ref].serial = serial;
  }
  last_serial_ = serial;
  last_ref_ = ref;
  return ref;
}

bool SnapshotLoader::load_session(ByteReader reader) {
  const SessionHandle session = tables_.sessions.take();
  SessionSlot& slot = tables_.sessions[session];
  const ByteView id = reader.raw(slot.id.bytes.size());
  std::copy(id.begin(), id.end(), slot.id.bytes.begin());
  const auto serial = reader.number<std::uint64_t>();
  slot.contact.milliseconds = reader.number<std::int64_t>();
  slot.contact_index = reader.number<std::uint64_t>();
  slot.low_water = reader.number<std::uint64_t>();
  slot.high_seq = reader.number<std::uint64_t>();
  slot.next_rseq = reader.number<std::uint64_t>();
  slot.cursor = reader.number<std::uint64_t>();
  slot.closing_place = reader.number<std::uint64_t>();
  if (!reader.complete() || serial == 0) return false;
  if (slot.next_rseq == 0 || slot.cursor >= slot.next_rseq || slot.low_water == 0) return false;
  slot.ref = ref_of(serial);
  if (tables_.refs[slot.ref].body != 0) return false;
  tables_.refs[slot.ref].body = session;
  return true;
}

bool SnapshotLoader::load_name(ByteReader reader) {
  const WallTime at{reader.number<std::int64_t>()};
  NameRecord record;
  const bool good = !reader.failed() && decode(reader.rest(), record) && !record.cid.empty();
  if (!good || tables_.catalogue.find(record.name)) return false;
  tables_.catalogue.set(record, at);
  return true;
}

bool SnapshotLoader::load_config(ByteReader reader) {
  return std::exchange(expects_config_, false) && tables_.config.read(reader.rest());
}

bool SnapshotLoader::load_claim(ByteReader& reader, Claim& claim) {
  const auto serial = reader.number<std::uint64_t>();
  claim.seq = reader.number<std::uint64_t>();
  claim.rseq = reader.number<std::uint64_t>();
  if (reader.failed()) return false;
  if (serial == 0) return true;
  claim.session = ref_of(serial);
  ++tables_.refs[claim.session].claims;
  return true;
}

bool SnapshotLoader::load_task(ByteReader reader) {
  const TaskHandle task = tables_.tasks.take();
  TaskSlot& slot = tables_.tasks[task];
  slot.id.value = reader.number<std::uint64_t>();
  slot.submitted_at.milliseconds = reader.number<std::int64_t>();
  slot.started_at.milliseconds = reader.number<std::int64_t>();
  slot.finished_at.milliseconds = reader.number<std::int64_t>();
  slot.attempts = reader.number<std::uint32_t>();
  slot.type = reader.number<std::uint16_t>();
  slot.node = reader.number<std::uint16_t>();
  const auto state = reader.number<std::uint8_t>();
  slot.state = static_cast<TaskState>(state);
  slot.priority = reader.number<std::uint8_t>();
  slot.tries = reader.number<std::uint8_t>();
  slot.tries_used = reader.number<std::uint8_t>();
  slot.lost = reader.number<std::uint8_t>();
  slot.flags = reader.number<std::uint8_t>();
  if (!is_state_of_a_row(state) || slot.priority > 9 || slot.id.value == 0) return false;
  if (!load_claim(reader, slot.claim)) return false;
  const ByteView work = reader.sized();
  const ByteView result = reader.sized();
  if (reader.failed() || tables_.find_task(slot.id) != 0) return false;
  slot.work = tables_.arena.put(work);
  slot.work_size = static_cast<std::uint32_t>(work.size());
  slot.result = tables_.arena.put(result);
  slot.result_size = static_cast<std::uint32_t>(result.size());
  const auto rare = reader.number<std::uint8_t>();
  if (rare > 2 || (rare != 0 && !load_rare(reader, task))) return false;
  if (rare == 2 && !load_history(reader, tables_.rares[slot.rare])) return false;
  slot.content = content_of(tables_, slot);
  tables_.by_id.insert(hash_run(slot.id.value), task);
  ids_.emplace_back(slot.id.value, task);
  return reader.complete();
}

bool SnapshotLoader::load_rare(ByteReader& reader, TaskHandle task) {
  RareSlot& row = tables_.make_rare(tables_.tasks[task]);
  row.not_before = reader.number<std::int64_t>();
  row.deadline = reader.number<std::int64_t>();
  row.time_limit = reader.number<std::int64_t>();
  row.backoff = reader.number<std::int64_t>();
  row.finish_index = reader.number<std::uint64_t>();
  const ByteView key = reader.sized();
  const ByteView error = reader.sized();
  const auto echoes = reader.number<std::uint32_t>();
  row.key = tables_.arena.put(key);
  row.key_size = static_cast<std::uint32_t>(key.size());
  row.error = tables_.arena.put(error);
  row.error_size = static_cast<std::uint32_t>(error.size());
  Handle* link = &row.first_echo;
  for (; row.echoes < echoes && !reader.failed(); ++row.echoes) {
    const Handle echo = tables_.echoes.take();
    tables_.echoes[echo].task = task;
    if (!load_claim(reader, tables_.echoes[echo].claim)) return false;
    *link = echo;
    link = &tables_.echoes[echo].next_echo;
  }
  return !reader.failed();
}

bool SnapshotLoader::load_history(ByteReader& reader, RareSlot& row) {
  const ByteView history = reader.sized();
  if (history.empty() || history.size() > limits::history_bytes || !decode_history(history)) return false;
  row.history = tables_.arena.put(history);
  row.history_size = static_cast<std::uint32_t>(history.size());
  return true;
}

Status SnapshotLoader::finish() {
  if (!header_) return bad("it has no header");
  if (!cut_.empty()) return bad("its last row is cut off");
  if (tables_.tasks.size() != expected_tasks_ || tables_.sessions.size() != expected_sessions_ ||
      tables_.catalogue.size() != expected_names_ || expects_config_) {
    return bad("rows are missing");
  }
  if (!enter_sessions()) return bad("its sessions contradict each other");
  if (!enter_tasks()) return bad("its tasks contradict each other");
  if (!link_owed()) return bad("its results contradict each other");
  if (!link_finished()) return bad("its finished tasks contradict each other");
  refs_.clear();
  tables_.sum = walked_sum(tables_);
  if (version_ >= snapshot_version_with_digest && tables_.digest() != digest_)
    return bad("what was loaded is not what was written");
  state_.follow_config();
  return {};
}

bool SnapshotLoader::enter_sessions() {
  Ordered by_age;
  Ordered closing;
  tables_.sessions.for_each([&](Handle session, const SessionSlot& slot) {
    if (slot.closing_place == 0) {
      by_age.emplace_back(slot.contact_index, session);
    } else {
      closing.emplace_back(slot.closing_place, session);
    }
  });
  std::sort(by_age.begin(), by_age.end());
  std::sort(closing.begin(), closing.end());
  WallTime last_contact{};
  for (const auto& [place, session] : by_age) {
    const SessionSlot& slot = tables_.sessions[session];
    if (tables_.find_session(slot.id) != 0 || slot.contact < last_contact) return false;
    last_contact = slot.contact;
    tables_.by_session.insert(tables_.hash_session(slot.id), session);
    tables_.append_by_age(session);
  }
  for (const auto& [place, session] : closing) tables_.append_closing(session);
  return true;
}

bool SnapshotLoader::enter_tasks() {
  std::sort(ids_.begin(), ids_.end());
  if (!ids_.empty() && ids_.back().first > tables_.applied.value) return false;
  for (const auto& [id, task] : ids_) {
    if (!enter_task(task)) return false;
  }
  Ordered().swap(ids_);
  return true;
}

bool SnapshotLoader::enter_task(TaskHandle task) {
  const TaskSlot& slot = tables_.tasks[task];
  const RareSlot& row = tables_.rare(slot);
  const bool final = is_final(slot.state);
  const bool keyed = (slot.flags & flag_key_active) != 0;
  const bool kept = (slot.flags & flag_kept) != 0;
  if (slot.type == 0 || slot.type > tables_.types.size() || slot.node > tables_.nodes.size()) return false;
  const bool held = keyed || slot.claim.session != 0 || row.echoes > 0;
  if (final != (slot.finished_at.milliseconds != 0) || (!final && slot.claim.session == 0)) return false;
  if ((keyed || row.echoes > 0) && row.key_size == 0) return false;
  if ((slot.flags & ~(flag_key_active | flag_kept)) != 0 || kept != (final && !held)) return false;
  tables_.roll.enter(task);
  if (keyed) {
    const std::string_view key = tables_.key(row);
    if (tables_.find_key(key) != 0) return false;
    tables_.by_key.insert(tables_.hash_key(key), task);
    if (final) keyed_.emplace_back(row.finish_index, task);
  }
  if (kept) {
    kept_.emplace_back(slot.claim.rseq, task);
    return true;
  }
  if (final) tables_.held_bytes += tables_.bytes_of(slot);
  if (!enter_claim(task)) return false;
  for (Handle echo = row.first_echo; echo != 0; echo = tables_.echoes[echo].next_echo) {
    if (tables_.echoes[echo].claim.session == 0 || !enter_claim(echo | echo_bit)) return false;
  }
  return true;
}

bool SnapshotLoader::enter_claim(ClaimHandle handle) {
  const Claim& claim = tables_.claim(handle);
  const SessionHandle session = tables_.session_of(claim);
  const bool final = is_final(tables_.tasks[tables_.task_of(handle)].state);
  if (claim.session == 0) return true;
  if (session == 0) return !final;
  SessionSlot& slot = tables_.sessions[session];
  if (claim.rseq >= slot.next_rseq || claim.seq > slot.high_seq) return false;
  const bool owed = claim.rseq > slot.cursor;
  const bool in_window = tables_.is_in_window(claim);
  if ((claim.rseq != 0 && !final) || (final && !owed && !in_window)) return false;
  if (final && claim.rseq == 0 && slot.closing_place == 0) return false;
  if (owed) owed_.emplace_back(claim.rseq, handle);
  if (!in_window) return true;
  if (claim.seq - slot.low_water >= limits::session_window) return false;
  if (tables_.window_claim(slot, claim.seq) != 0) return false;
  tables_.put_in_window(slot, claim.seq, handle);
  return true;
}

// Every session is owed exactly the results after its cursor: for a session that is being cleared away, too.
bool SnapshotLoader::link_owed() {
  std::sort(owed_.begin(), owed_.end());
  for (const auto& [rseq, claim] : owed_) {
    SessionSlot& slot = tables_.sessions[tables_.session_of(tables_.claim(claim))];
    if (rseq != slot.cursor + slot.owed_count + 1) return false;
    tables_.append_owed(slot, claim);
  }
  bool whole = true;
  tables_.sessions.for_each([&](Handle, const SessionSlot& slot) {
    const bool has_window = slot.closing_place == 0 && slot.high_seq >= slot.low_water;
    whole = whole && slot.cursor + slot.owed_count + 1 == slot.next_rseq;
    whole = whole && (!has_window || tables_.window_claim(slot, slot.high_seq) != 0);
  });
  Ordered().swap(owed_);
  return whole;
}

bool SnapshotLoader::link_finished() {
  std::sort(kept_.begin(), kept_.end());
  std::sort(keyed_.begin(), keyed_.end());
  std::uint64_t last_place = 0;
  for (const auto& [place, task] : kept_) {
    if (place <= last_place || place >= tables_.next_kept_place) return false;
    last_place = place;
    tables_.append_kept(task);
  }
  for (const auto& [index, task] : keyed_) tables_.append_keyed(task);
  Ordered().swap(kept_);
  Ordered().swap(keyed_);
  return true;
}

}  // namespace cidbus
