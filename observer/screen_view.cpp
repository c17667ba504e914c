#include "observer/screen_view.h"

namespace cidbus {

Result<std::unique_ptr<ScreenView>> ScreenView::open(Reactor& reactor, std::function<void()> quit) {
  auto terminal = Terminal::open();
  if (!terminal) return tl::unexpected(terminal.error());
  return std::unique_ptr<ScreenView>(new ScreenView(reactor, std::move(*terminal), std::move(quit)));
}

ScreenView::ScreenView(Reactor& reactor, std::unique_ptr<Terminal> terminal, std::function<void()> quit)
    : reactor_(reactor), terminal_(std::move(terminal)), quit_(std::move(quit)) {
  reactor_.watch(terminal_->input(), [this](Now) {
    for (const std::string& key : terminal_->keys()) on_key(state_, key);
    if (state_.quit) {
      reactor_.unwatch(terminal_->input());
      return quit_();
    }
    draw_again();
  });
}

ScreenView::~ScreenView() {
  if (!state_.quit) reactor_.unwatch(terminal_->input());
}

void ScreenView::on_tick(const std::function<Board()>& board) {
  if (!state_.paused) board_ = board();
  draw_again();
}

void ScreenView::draw_again() {
  const Terminal::Size size = terminal_->size();
  terminal_->show(draw(board_, state_, size.width, size.height));
}

}  // namespace cidbus
