// What happens in a run, for people: faults by kind, rare branches by name, and, when asked for, every step
// that matters with its time.
//
// Invariants: 1. writing it down changes nothing: a run with a trace is the run without.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <string_view>

#include "tests/sim/base/timeline.h"

namespace cidbus::sim {

class Chronicle {
 public:
  // `trace`: where the steps are written; null for nowhere.
  Chronicle(const Timeline& timeline, std::ostream* trace) : timeline_(timeline), trace_(trace) {}

  void fault(const std::string& kind) { fault(kind, {}); }
  void fault(const std::string& kind, std::string_view where);
  void mark(const std::string& name) { ++marks_[name]; }
  // A line of a broker's log: some of them are marks.
  void log_line(std::string_view broker, std::string_view line);
  void say(std::string_view who, std::string_view what);
  [[nodiscard]] bool is_told() const { return trace_ != nullptr; }

  [[nodiscard]] const std::map<std::string, std::uint64_t>& faults() const { return faults_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& marks() const { return marks_; }

 private:
  const Timeline& timeline_;
  std::ostream* trace_;
  std::map<std::string, std::uint64_t> faults_;
  std::map<std::string, std::uint64_t> marks_;
};

}  // namespace cidbus::sim
