// I3: a new leader's log contains all that was committed before its epoch.
// I4: committed records never change.
//
// What is committed is known from what brokers apply; the first one to apply a batch says what stands there.
#pragma once

#include <map>

#include "broker/consensus/log_window.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class Committed {
 public:
  // A broker in `epoch` applied the batch that ends here.
  void on_applied(Epoch epoch, const ChainEnd& end) {
    const auto [found, is_new] = batches_.try_emplace(end.last, Batch{end, epoch});
    if (is_new) return;
    check(found->second.end == end, "I4 committed never changes", "record ", end.last.value, " of epoch ",
          found->second.end.epoch.value, " is now of epoch ", end.epoch.value);
    found->second.epoch = std::min(found->second.epoch, epoch);
  }
  // A leader said that everything up to here is committed.
  void on_leader_commit(Epoch epoch, const group::LogPosition& position) {
    const auto [found, is_new] = by_leaders_.emplace(position.index, Promise{position, epoch});
    check(is_new || found->second.position == position, "I4 committed never changes", "record ",
          position.index.value, " committed in epochs ", found->second.position.epoch.value, " and ",
          position.epoch.value);
    if (!is_new) found->second.by = std::min(found->second.by, epoch);
    highest_ = std::max(highest_, position.index);
  }
  void on_office(Epoch epoch, const group::LogWindow& log) {
    for (const auto& [index, promise] : by_leaders_) {
      if (promise.by >= epoch) continue;
      if (index < log.base().index) continue;
      check(log.has(promise.position), "I3 leader completeness", "the leader of epoch ", epoch.value,
            " lacks record ", index.value, " of epoch ", promise.position.epoch.value,
            ", committed in epoch ", promise.by.value, "; it holds ", log.base().index.value, "/",
            log.base().epoch.value, " to ", log.last().index.value, "/", log.last().epoch.value);
    }
    prune();
  }
  [[nodiscard]] LogIndex highest() const { return highest_; }

 private:
  struct Batch {
    ChainEnd end;
    Epoch epoch;
  };
  struct Promise {
    group::LogPosition position;
    Epoch by;  // the lowest epoch whose leader said so
  };
  // By I2 the highest promise of each lowest epoch stands for all below it.
  void prune() {
    std::map<Epoch, LogIndex> highest;
    for (const auto& [index, promise] : by_leaders_) highest[promise.by] = index;
    std::erase_if(by_leaders_, [&](const auto& entry) { return highest[entry.second.by] != entry.first; });
  }
  std::map<LogIndex, Batch> batches_;
  std::map<LogIndex, Promise> by_leaders_;
  LogIndex highest_;
};

}  // namespace cidbus::sim
