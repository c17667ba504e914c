#include "client/command/line_reader.h"

#include <unistd.h>

#include <cerrno>

namespace cidbus {
namespace {

constexpr std::size_t read_bytes = 64 << 10;

}  // namespace

bool LineReader::fill() {
  held_.erase(0, place_);
  place_ = 0;
  const std::size_t before = held_.size();
  held_.resize(before + read_bytes);
  const ssize_t count = read(descriptor_, held_.data() + before, read_bytes);
  held_.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count == 0) ended_ = true;
  return count >= 0 || errno == EINTR || errno == EAGAIN;
}

std::optional<LineReader::Line> LineReader::next() {
  while (true) {
    const std::size_t end = held_.find('\n', place_);
    const bool whole = end != std::string::npos || (ended_ && place_ < held_.size());
    const std::size_t length = (end == std::string::npos ? held_.size() : end) - place_;
    if (!whole && length <= most_) return std::nullopt;
    const std::string_view text = std::string_view(held_).substr(place_, length);
    const bool skipped = skipping_;
    const bool too_long = length > most_;
    place_ += length + (end != std::string::npos ? 1 : 0);
    skipping_ = !whole;  // the line goes on beyond what is there
    if (skipped) {
      if (!whole) return std::nullopt;
      continue;
    }
    if (too_long) return Line{{}, true};
    return Line{text.ends_with('\r') ? text.substr(0, text.size() - 1) : text, false};
  }
}

}  // namespace cidbus
