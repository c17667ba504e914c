// I7 and the promise of the whole: what a client was told is accepted is applied by then, and is there, once,
// when everything has healed. And a read sees all that was accepted before it was asked.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "shared/base/ids.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class Acknowledged {
 public:
  void on_acknowledged(std::uint64_t submission, LogIndex index) {
    acknowledged_.emplace(submission, index);
    newest_ = std::max(newest_, index);
  }
  // Everything accepted so far: what a read asked now must see.
  [[nodiscard]] LogIndex newest() const { return newest_; }
  void on_read(LogIndex sees, LogIndex must_see) const {
    check(sees >= must_see, "reads see what was accepted", "up to ", sees.value, ", accepted were ",
          must_see.value);
  }
  // A broker's whole state at the end: submission -> index.
  void on_end(const std::unordered_map<std::uint64_t, LogIndex>& state) const {
    for (const auto& [submission, index] : acknowledged_) {
      const auto found = state.find(submission);
      check(found != state.end() && found->second == index, "accepted is kept", "submission ", submission,
            " was accepted as record ", index.value);
    }
  }
  [[nodiscard]] std::size_t count() const { return acknowledged_.size(); }

 private:
  std::unordered_map<std::uint64_t, LogIndex> acknowledged_;
  LogIndex newest_;
};

}  // namespace cidbus::sim
