#include "broker/consensus/following.h"

#include <algorithm>

#include "broker/consensus/rules.h"
#include "shared/base/ensure.h"

namespace cidbus::group {
namespace {

// The own records behind `position` differ from what the group has: no majority held them.
void cut_behind(LogWindow& log, LogIndex commit, Epoch office, const LogPosition& position, std::uint32_t crc,
                Effects& out) {
  ENSURE(position.index >= commit, "committed records would be cut behind", position.index.value, "commit",
         commit.value, "by epoch", office.value);
  out.notice(NoticeKind::Cut, nobody, office, position.index.value + 1);
  log.cut_after(position, crc);
  out.add(CutFrom{next(position.index)});
}

}  // namespace

bool take_batches(LogWindow& log, LogIndex commit, Epoch office, Seat from, const LogPosition& prev,
                  const std::vector<SharedBatch>& batches, Effects& out) {
  LogPosition before = prev;
  for (const SharedBatch& batch : batches) {
    const auto header = peek_batch_header(*batch);
    const bool continues = header && header->first == next(before.index) && header->epoch >= before.epoch &&
                           header->epoch <= office;
    if (!continues) {
      out.notice(NoticeKind::Contradicted, from, office, before.index.value);
      return false;
    }
    const LogPosition end = position_of(header->end());
    if (!log.has(end)) {
      if (log.last().index > before.index) cut_behind(log, commit, office, before, header->previous, out);
      if (!header->follows(log.end())) {
        out.notice(NoticeKind::Contradicted, from, office, before.index.value);
        return false;
      }
      log.append(batch);
      out.add(WriteBatch{batch, office});
    }
    before = end;
  }
  return true;
}

LogIndex Following::durable(const LogWindow& log) const {
  const LogIndex on_disk =
      holds(Rule::AckAfterSync) ? std::min(log.durable(), log.whole().index) : log.last().index;
  return holds(Rule::AckWhatMatches) ? std::min(on_disk, match_) : on_disk;
}

void Following::ack(const LogWindow& log, Epoch epoch, Seat leader, const OwnDisk& disk, Effects& out) {
  acked_ = durable(log);
  out.send(leader, epoch,
           AppendAck{true, disk.full, answers_, std::max(match_, acked_), acked_, {}, disk.provisional});
}

void Following::on_append(LogWindow& log, LogIndex commit, Epoch epoch, Seat leader, const Append& append,
                          const OwnDisk& disk, Effects& out) {
  if (!log.has(append.prev)) {
    const LogIndex held = durable(log);
    out.send(leader, epoch,
             AppendAck{false, disk.full, append.prev.index, std::max(match_, held), held,
                       log.highest_at_or_below(append.prev), disk.provisional});
    return;
  }
  const LogPosition before = log.last();
  if (!take_batches(log, commit, epoch, leader, append.prev, append.batches, out)) return;
  LogIndex equal = append.prev.index;
  if (!append.batches.empty()) equal = peek_batch_header(*append.batches.back())->last();
  match_ = std::max(match_, equal);
  answers_ = append.prev.index;
  const bool wrote = log.last() != before;
  if (!wrote || durability_ == Durability::Memory || durable(log) > acked_)
    ack(log, epoch, leader, disk, out);
}

void Following::on_leader_at(const LogWindow& log, const LogPosition& last) {
  if (log.has(last)) match_ = std::max(match_, last.index);
}

void Following::on_durable(const LogWindow& log, Epoch epoch, Seat leader, const OwnDisk& disk,
                           Effects& out) {
  if (durability_ != Durability::Memory && durable(log) > acked_) ack(log, epoch, leader, disk, out);
}

}  // namespace cidbus::group
