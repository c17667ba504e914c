#include "client/command/progress_bar.h"

#include <algorithm>

#include "client/command/values.h"

namespace cidbus {
namespace {

constexpr Duration between_drawings = std::chrono::milliseconds(100);
constexpr std::size_t bar_most = 30;

std::string bar(ByteCount done, ByteCount total, std::size_t width) {
  const auto filled = static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(total) *
                                               static_cast<double>(width));
  std::string text = "[" + std::string(filled, '=');
  if (filled < width) text += '>' + std::string(width - filled - 1, ' ');
  return text + "]";
}

}  // namespace

std::string progress_line(std::string_view what, ByteCount done, ByteCount total, Duration elapsed,
                          std::uint32_t columns) {
  done = total == 0 ? done : std::min(done, total);
  std::string amount = readable_bytes(done);
  if (total != 0) {
    const auto percent = static_cast<int>(static_cast<double>(done) / static_cast<double>(total) * 100);
    amount = std::to_string(percent) + " %  " + amount + " of " + readable_bytes(total);
  }
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds >= 0.5)
    amount += "  " + readable_bytes(static_cast<ByteCount>(static_cast<double>(done) / seconds)) + "/s";
  std::string line(what);
  const std::size_t taken = line.size() + 2 + 2 + amount.size() + 2;
  const std::size_t width = columns > taken + 1 ? std::min<std::size_t>(columns - taken - 1, bar_most) : 0;
  if (total != 0 && width >= 5) line += "  " + bar(done, total, width);
  line += "  " + amount;
  return line.substr(0, columns > 1 ? columns - 1 : 0);
}

ProgressBar::ProgressBar(Environment& environment, std::string what, Monotonic now)
    : environment_(environment), what_(std::move(what)), started_(now) {}

void ProgressBar::show(Monotonic now, ByteCount done, ByteCount total) {
  if (!environment_.err_is_terminal) return;
  if (now - drawn_.value_or(started_) < between_drawings) return;
  drawn_ = now;
  const std::string line =
      "\r\x1b[K" + progress_line(what_, done, total, now - started_, environment_.columns);
  static_cast<void>(environment_.err.write(as_bytes(line)));  // a bar that cannot be seen is no fault
}

void ProgressBar::clear() {
  if (drawn_) static_cast<void>(environment_.err.write(as_bytes("\r\x1b[K")));
  drawn_.reset();
}

}  // namespace cidbus
