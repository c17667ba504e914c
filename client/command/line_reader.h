// Lines of a descriptor, one at a time, without ever waiting: the owner says when there is something to read.
//
// Thread rule: one owner. Limits: a line is at most as long as told; of a longer one only that it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cidbus {

class LineReader {
 public:
  struct Line {
    std::string_view text;  // without its end; valid until the next call
    bool too_long = false;
  };

  LineReader(int descriptor, std::size_t most) : descriptor_(descriptor), most_(most) {}

  // Reads once. REQUIRES: the descriptor is readable. False when that failed, with errno.
  bool fill();
  // Nothing when no whole line is there; the last one needs no end.
  std::optional<Line> next();
  [[nodiscard]] bool at_end() const { return ended_ && place_ == held_.size(); }
  [[nodiscard]] bool has_ended() const { return ended_; }  // the descriptor; lines may be left

 private:
  int descriptor_;
  std::size_t most_;
  std::string held_;
  std::size_t place_ = 0;  // of the first byte in held_ that was not given out
  bool skipping_ = false;  // the rest of a line that was too long
  bool ended_ = false;
};

}  // namespace cidbus
