// A progress bar on standard error, when that is a terminal; nothing at all otherwise.
//
//   adding  [=========>          ]  47 %  4.7 GiB of 10.0 GiB  312.0 MiB/s
//
// Drawn at most ten times a second, so that it costs nothing; cleared at the end, so that what is left on the
// screen is the answer.
//
// Thread rule: one owner. Limits: the terminal's width.
#pragma once

#include <optional>
#include <string>

#include "client/command/environment.h"
#include "shared/base/bytes.h"
#include "shared/base/time.h"

namespace cidbus {

// The line, at most `columns` wide. `total` 0: not known.
std::string progress_line(std::string_view what, ByteCount done, ByteCount total, Duration elapsed,
                          std::uint32_t columns);

class ProgressBar {
 public:
  ProgressBar(Environment& environment, std::string what, Monotonic now);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(Monotonic now, ByteCount done, ByteCount total);
  void clear();

 private:
  Environment& environment_;
  const std::string what_;
  const Monotonic started_;
  std::optional<Monotonic> drawn_;  // last; nothing is on the screen before
};

}  // namespace cidbus
