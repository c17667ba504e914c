#include "tests/sim/committed_records.h"

#include <utility>
#include <vector>

#include "shared/base/ensure.h"

namespace cidbus::sim {

void CommittedRecords::on_batch(const BatchBytes& batch) {
  const ChainEnd end = peek_batch_header(*batch)->end();
  checkers_.log_matching.on_batch(end);
  ends_.emplace(Position{end.last.value, end.epoch.value}, end);
  batches_.emplace(std::pair(end.last.value, end.crc), batch);
  if (!ahead_ || ahead_->second.index != end.last || ahead_->second.epoch != end.epoch) return;
  const auto [epoch, position] = *std::exchange(ahead_, std::nullopt);
  on_applied(epoch, position);
}

void CommittedRecords::on_applied(Epoch epoch, const group::LogPosition& position) {
  const auto found = ends_.find(Position{position.index.value, position.epoch.value});
  if (found == ends_.end()) {
    ahead_.emplace(epoch, position);
    return;
  }
  checkers_.committed.on_applied(epoch, found->second);
  if (position.index > end_.last) read_up_to(found->second);
}

void CommittedRecords::read_up_to(const ChainEnd& end) {
  std::vector<BatchBytes> behind;  // newest first
  std::pair<std::uint64_t, std::uint32_t> at(end.last.value, end.crc);
  while (at != std::pair(end_.last.value, end_.crc)) {
    check(at.first > end_.last.value, "I4 committed never changes", "record ", end_.last.value,
          " is committed, and is not what record ", end.last.value, " stands on");
    const auto found = batches_.find(at);
    if (found == batches_.end()) return;
    behind.push_back(found->second);
    const BatchHeader header = *peek_batch_header(*found->second);
    at = {header.first.value - 1, header.previous};
  }
  for (auto batch = behind.rbegin(); batch != behind.rend(); ++batch) {
    const auto view = BatchView::parse(**batch);
    ENSURE(view.has_value());
    for (const RecordView& record : *view) reader_(record);
  }
  end_ = end;
}

}  // namespace cidbus::sim
