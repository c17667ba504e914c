#include "broker/consensus/catch_up.h"

#include "broker/consensus/following.h"
#include "broker/consensus/rules.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {

void CatchUp::begin(Monotonic now, const Timers& timers, const LogWindow& log, Epoch epoch, Seat from,
                    Effects& out) {
  from_ = from;
  deadline_ = now + timers.suspicion;
  out.notice(NoticeKind::CatchingUp, from, epoch);
  out.send(from, epoch, Fetch{log.last(), {}});
}

CatchUp::Progress CatchUp::on_data(Monotonic now, const Timers& timers, LogWindow& log, LogIndex commit,
                                   Epoch epoch, Seat from, const FetchData& data, Effects& out) {
  if (from != from_ || data.of_holes) return Progress::Nothing;
  const bool better = holds(Rule::AdoptOnlyBetter) ? data.last > log.last() : data.last != log.last();
  if (!better || data.freed) {
    stop();
    return Progress::Done;
  }
  deadline_ = now + timers.suspicion;
  if (!log.has(data.prev)) {
    out.send(from, epoch, Fetch{log.highest_at_or_below(data.prev), {}});
    return Progress::GoesOn;
  }
  const LogPosition before = log.last();
  const bool taken = take_batches(log, commit, epoch, from, data.prev, data.batches, out);
  if (!taken || log.last() == before || log.last() >= data.last) {
    stop();
    return Progress::Done;
  }
  out.send(from, epoch, Fetch{log.last(), {}});
  return Progress::GoesOn;
}

void answer_fetch(const LogWindow& log, Epoch epoch, Seat to, const Fetch& fetch, Effects& out) {
  const LogPosition common = log.has(fetch.after) ? fetch.after : log.highest_at_or_below(fetch.after);
  FetchData data{common, log.whole(), false, common.index > fetch.after.index, {}, 0, false};
  const bool has_more = !data.freed && common.index < data.last.index;
  if (has_more && !log.collect(common.index, limits::append_batches, limits::append_bytes, data.batches)) {
    out.add(ReadBatches{ReadFor::Fetching, to, next(common.index), limits::append_bytes});
    return;
  }
  out.send(to, epoch, std::move(data));
}

void answer_read(const LogWindow& log, Epoch epoch, Seat to, LogIndex from, std::vector<SharedBatch> batches,
                 Effects& out) {
  const LogIndex before{from.value - 1};
  if (before < log.base().index || before > log.last().index) return;
  out.send(
      to, epoch,
      FetchData{
          {log.epoch_at(before), before}, log.whole(), false, batches.empty(), std::move(batches), 0, false});
}

}  // namespace cidbus::group
