// The terminal as a place for lines: raw keys in, lines out, and everything as it was at the end.
//
// Plain ANSI sequences rather than ncurses: the pure screen gives whole lines, so that all that is needed of
// a terminal is to go to a row, write, and erase the rest, which every terminal since the VT100 takes.
// ncurses would own the screen a second time, and waits for a slow terminal.
//
// Invariants
//  1. Nothing here waits: what a slow terminal does not take stays here, and frames are left out meanwhile.
//  2. Only lines that changed are written.
//  3. The terminal has its modes, its screen and its cursor back when this is destroyed.
//
// Thread rule: one owner. Limits: one frame waits.
#pragma once

#include <termios.h>

#include <memory>
#include <string>
#include <vector>

#include "observer/core/screen.h"
#include "shared/base/result.h"
#include "shared/io/log.h"

namespace cidbus {

// Whether standard input and output are a terminal that understands more than lines.
bool is_screen_possible();

class Terminal {
 public:
  // Failed when it is none.
  static Result<std::unique_ptr<Terminal>> open();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Readable when something was typed.
  [[nodiscard]] int input() const;
  std::vector<std::string> keys();
  struct Size {
    std::size_t width = 80;
    std::size_t height = 24;
    friend bool operator==(const Size&, const Size&) = default;
  };
  [[nodiscard]] Size size() const;
  void show(const std::vector<Line>& lines);

 private:
  Terminal(int output, const termios& before);
  void flush();

  const int output_;  // the terminal once more, without waiting: others share standard output
  const termios before_;
  const bool colours_;
  Size size_;
  std::vector<std::string> shown_;
  std::string waiting_;
};

// For the time that the screen is the terminal's: what would be logged would stand across it.
class NoLog : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
};

}  // namespace cidbus
