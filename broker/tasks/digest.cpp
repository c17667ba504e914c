#include "broker/tasks/digest.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "broker/tasks/tables.h"
#include "shared/base/ids.h"

namespace cidbus {
namespace {

using Wide = unsigned __int128;

// What a part is of.
enum class Part : std::uint64_t {
  Task,
  Rare,
  Echo,
  Session,
  Type,
  Offer,
  Strict,
  Node,
  Name,
  Header,
  Config
};

constexpr std::uint64_t make_key(std::uint64_t number) {
  return mix_bits((number + 1) * 0x9e3779b97f4a7c15ULL);
}
template <std::uint64_t number>
constexpr std::uint64_t key = make_key(number);

constexpr std::uint64_t fold(std::uint64_t left, std::uint64_t right) {
  const Wide product = static_cast<Wide>(left) * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <std::uint64_t pair>
constexpr Wide product(std::uint64_t left, std::uint64_t right) {
  return static_cast<Wide>(left + key<2 * pair>) * (right + key<2 * pair + 1>);
}

// All loops unrolled and all keys constants: it is done eight times a task.
template <Part part, std::size_t count, std::size_t... pairs>
inline Digest hash(const std::array<std::uint64_t, count>& words, std::index_sequence<pairs...>) {
  const Wide sum = (product<pairs>(words[2 * pairs], words[2 * pairs + 1]) + ... +
                    Wide{key<100 + static_cast<std::uint64_t>(part)>});
  const auto low = static_cast<std::uint64_t>(sum);
  const auto high = static_cast<std::uint64_t>(sum >> 64);
  return {fold(low ^ key<200>, high ^ key<201>), fold(low ^ key<202>, std::rotl(high, 32) ^ key<203>)};
}

template <Part part, typename... Words>
inline Digest hash(Words... words) {
  constexpr std::size_t count = sizeof...(words);
  static_assert(count % 2 == 0 && count <= 100);
  return hash<part>(std::array<std::uint64_t, count>{static_cast<std::uint64_t>(words)...},
                    std::make_index_sequence<count / 2>());
}

std::uint64_t word_at(const void* bytes, std::size_t offset = 0) {
  std::uint64_t word = 0;
  std::memcpy(&word, static_cast<const std::uint8_t*>(bytes) + offset, sizeof word);
  return word;
}

std::uint64_t serial_of(const StateTables& tables, const Claim& claim) {
  return claim.session == 0 ? 0 : tables.refs[claim.session].serial;
}

}  // namespace

// Two rows of folded products (wyhash, https://github.com/wangyi-fudan/wyhash), 32 bytes a step. The last
// step reads the last 32 bytes, some of them twice; shorter ones are filled up with zeros.
std::uint64_t content_of(ContentKind what, ByteView bytes) {
  if (bytes.empty()) return 0;
  constexpr std::size_t step = 32;
  std::array<std::uint8_t, step> filled{};
  const std::uint8_t* last = filled.data();
  std::uint64_t one = make_key(300 + static_cast<std::uint64_t>(what));
  std::uint64_t other = one ^ bytes.size();
  const auto take = [&](const std::uint8_t* from) {
    one = fold(word_at(from) ^ key<400>, word_at(from + 8) ^ one);
    other = fold(word_at(from + 16) ^ key<401>, word_at(from + 24) ^ other);
  };
  if (bytes.size() < step) {
    std::memcpy(filled.data(), bytes.data(), bytes.size());
  } else {
    for (std::size_t at = 0; at + step < bytes.size(); at += step) take(bytes.data() + at);
    last = bytes.data() + bytes.size() - step;
  }
  take(last);
  return fold(one ^ key<402>, other ^ key<403>);
}

std::uint64_t content_of(const StateTables& tables, const TaskSlot& task) {
  const RareSlot& row = tables.rare(task);
  return content_of(ContentKind::Work, tables.arena.get(task.work, task.work_size)) +
         content_of(ContentKind::Result, tables.arena.get(task.result, task.result_size)) +
         content_of(ContentKind::Key, tables.key(row)) + content_of(ContentKind::Error, tables.error(row)) +
         content_of(ContentKind::History, tables.history(row));
}

namespace {

// Not inlined: what most tasks have not would cost registers.
[[gnu::noinline]] Digest digest_of_rare(TaskId task, const RareSlot& row) {
  return hash<Part::Rare>(task.value, row.not_before, row.deadline, row.time_limit, row.backoff,
                          row.finish_index);
}

}  // namespace

Digest digest_of_task(const StateTables& tables, const TaskSlot& task, std::uint64_t content) {
  static_assert(offsetof(TaskSlot, claim) == 32 && offsetof(TaskSlot, attempts) == 64 &&
                offsetof(TaskSlot, state) == 72 && offsetof(TaskSlot, unused) == 78);
  Digest digest = hash<Part::Task>(task.id.value, word_at(&task, 8), word_at(&task, 16), word_at(&task, 24),
                                   task.claim.seq, task.claim.rseq, serial_of(tables, task.claim), content,
                                   word_at(&task, 64), word_at(&task, 72));
  if (task.rare != 0) [[unlikely]]
    digest += digest_of_rare(task.id, tables.rares[task.rare]);
  return digest;
}

Digest digest_of_echo(const StateTables& tables, const EchoSlot& echo) {
  return hash<Part::Echo>(tables.tasks[echo.task].id.value, echo.claim.seq, echo.claim.rseq,
                          serial_of(tables, echo.claim));
}

Digest digest_of_session(const StateTables& tables, const SessionSlot& session) {
  return hash<Part::Session>(word_at(session.id.bytes.data()), word_at(session.id.bytes.data(), 8),
                             session.contact.milliseconds, session.contact_index, session.low_water,
                             session.high_seq, session.next_rseq, session.cursor, session.closing_place,
                             tables.refs[session.ref].serial);
}

Digest digest_of_type(std::uint16_t number, std::string_view name) {
  return hash<Part::Type>(number, content_of(ContentKind::Name, name));
}
Digest digest_of_offer(std::uint16_t type) { return hash<Part::Offer>(type, 0); }
Digest digest_of_strict(std::uint16_t type) { return hash<Part::Strict>(type, 0); }
Digest digest_of_node(std::uint16_t number, std::string_view name) {
  return hash<Part::Node>(number, content_of(ContentKind::Name, name));
}

Digest digest_of_name(WallTime at, ByteView record) {
  return hash<Part::Name>(at.milliseconds, content_of(ContentKind::Name, record));
}

Digest digest_of_header(const StateTables& tables) {
  return hash<Part::Header>(tables.applied.value, tables.time.milliseconds, tables.office.epoch.value,
                            content_of(ContentKind::Leader, tables.office.leader),
                            content_of(ContentKind::Endpoint, tables.office.endpoint), tables.next_kept_place,
                            tables.next_closing_place, 0);
}

Digest digest_of_config(const StateTables& tables) {
  Bytes book;
  tables.config.write(book);
  return hash<Part::Config>(content_of(ContentKind::Book, book), book.size());
}

Digest walked_task(const StateTables& tables, TaskHandle task) {
  const TaskSlot& slot = tables.tasks[task];
  Digest sum = digest_of_task(tables, slot, content_of(tables, slot));
  for (Handle echo = tables.rare(slot).first_echo; echo != 0; echo = tables.echoes[echo].next_echo)
    sum += digest_of_echo(tables, tables.echoes[echo]);
  return sum;
}

namespace {

Digest sum_of_names(const StateTables& tables) {
  Digest sum;
  for (std::uint16_t type = 1; type <= tables.types.size(); ++type) {
    sum += digest_of_type(type, tables.types.name(type));
    if (tables.offered[type]) sum += digest_of_offer(type);
    if (tables.strict[type]) sum += digest_of_strict(type);
  }
  for (std::uint16_t node = 1; node <= tables.nodes.size(); ++node)
    sum += digest_of_node(node, tables.nodes.name(node));
  return sum;
}

Digest sum_of_rows(const StateTables& tables) {
  Digest sum;
  tables.sessions.for_each(
      [&](Handle, const SessionSlot& session) { sum += digest_of_session(tables, session); });
  tables.tasks.for_each([&](Handle task, const TaskSlot&) { sum += walked_task(tables, task); });
  return sum;
}

}  // namespace

Digest walked_sum(const StateTables& tables) {
  Digest sum = sum_of_names(tables);
  sum += sum_of_rows(tables);
  return sum;
}

Digest walked_frame(const StateTables& tables) {
  Digest digest = sum_of_names(tables);
  digest += digest_of_config(tables);
  digest += tables.catalogue.walked_digest();
  digest += digest_of_header(tables);
  return digest;
}

Digest walked_digest(const StateTables& tables) {
  Digest digest = walked_frame(tables);
  digest += sum_of_rows(tables);
  return digest;
}

}  // namespace cidbus
