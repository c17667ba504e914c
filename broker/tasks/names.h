// Names under small numbers, given once and kept: task types and workers.
//
// Thread rule: one owner. Limits: 65,535; the leader refuses new ones at limits::task_types and
// limits::workers.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/base/ensure.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {

class NameTable {
 public:
  // 0 when the name is not there.
  [[nodiscard]] std::uint16_t find(std::string_view name) const {
    if (last_ != 0 && names_[last_ - 1U] == name) return last_;
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) return 0;
    last_ = found->second;
    return last_;
  }
  // REQUIRES: the name is not there. Numbers are given from 1, without gaps.
  std::uint16_t add(std::string_view name) {
    ENSURE(names_.size() < 0xffff);
    names_.emplace_back(name);
    const auto number = static_cast<std::uint16_t>(names_.size());
    ENSURE(numbers_.emplace(names_.back(), number).second, name);
    return number;
  }
  // The view lives as long as the table; empty for 0.
  [[nodiscard]] std::string_view name(std::uint16_t number) const {
    return number == 0 ? std::string_view{} : std::string_view(names_[number - 1U]);
  }
  [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(names_.size()); }

 private:
  std::deque<std::string> names_;  // a deque: names stay where the map's views look
  std::unordered_map<std::string_view, std::uint16_t> numbers_;
  mutable std::uint16_t last_ = 0;  // most records name the same type as the one before
};

}  // namespace cidbus
