// The terminal view of an observer: keys and size of the terminal, the pure screen, and the newest board.
//
// Thread rule: the thread of the reactor it is attached to. Limits: those of Screen and Terminal.
#pragma once

#include <functional>
#include <memory>

#include "observer/core/screen.h"
#include "observer/terminal.h"
#include "shared/io/reactor.h"

namespace cidbus {

class ScreenView {
 public:
  // Failed when there is no terminal. `quit` is called when somebody wants to leave. REQUIRES: the reactor
  // outlives it.
  static Result<std::unique_ptr<ScreenView>> open(Reactor& reactor, std::function<void()> quit);
  ~ScreenView();
  ScreenView(const ScreenView&) = delete;
  ScreenView& operator=(const ScreenView&) = delete;

  // The board is asked for unless it stands still.
  void on_tick(const std::function<Board()>& board);
  // Draws what changed, also the terminal's size. A few times a second.
  void draw_again();

 private:
  ScreenView(Reactor& reactor, std::unique_ptr<Terminal> terminal, std::function<void()> quit);

  Reactor& reactor_;
  std::unique_ptr<Terminal> terminal_;
  std::function<void()> quit_;
  ScreenState state_;
  Board board_;
};

}  // namespace cidbus
