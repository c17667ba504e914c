#include "observer/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace cidbus {
namespace {

constexpr const char* enter = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr const char* leave = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr std::size_t least_width = 20;
constexpr std::size_t least_height = 5;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool is_screen_possible() {
  const std::string kind = variable("TERM");
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && !kind.empty() && kind != "dumb";
}

Terminal::Terminal(int output, const termios& before)
    : output_(output), before_(before), colours_(variable("NO_COLOR").empty()) {}

Result<std::unique_ptr<Terminal>> Terminal::open() {
  termios before{};
  if (tcgetattr(STDIN_FILENO, &before) != 0)
    return fault(FaultKind::Failed, std::string("standard input is no terminal: ") + std::strerror(errno));
  const int output = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (output < 0)
    return fault(FaultKind::Failed, std::string("the terminal cannot be opened: ") + std::strerror(errno));
  termios raw = before;
  cfmakeraw(&raw);
  raw.c_oflag |= OPOST;  // the modes are those of the terminal, and others may write to it
  raw.c_cc[VMIN] = 0;    // reading does not wait
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::unique_ptr<Terminal> terminal(new Terminal(output, before));
  terminal->waiting_ = enter;
  terminal->flush();
  return terminal;
}

Terminal::~Terminal() {
  waiting_ += leave;
  flush();
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  ::close(output_);
}

int Terminal::input() const { return STDIN_FILENO; }

std::vector<std::string> Terminal::keys() {
  std::array<char, 1024> bytes{};
  const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count == 0 || (count < 0 && errno == EIO)) return {"\x03"};  // the terminal is gone
  return count < 0 ? std::vector<std::string>() : keys_in({bytes.data(), static_cast<std::size_t>(count)});
}

Terminal::Size Terminal::size() const {
  winsize found{};
  if (ioctl(output_, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0) return {};
  return {std::max<std::size_t>(found.ws_col, least_width),
          std::max<std::size_t>(found.ws_row, least_height)};
}

void Terminal::flush() {
  while (!waiting_.empty()) {
    const ssize_t written = ::write(output_, waiting_.data(), waiting_.size());
    if (written <= 0) return;
    waiting_.erase(0, static_cast<std::size_t>(written));
  }
}

void Terminal::show(const std::vector<Line>& lines) {
  flush();
  if (!waiting_.empty()) return;
  if (const Size now = size(); now != size_) {
    size_ = now;
    shown_.clear();
    waiting_ += "\x1b[2J";
  }
  shown_.resize(lines.size());
  for (std::size_t row = 0; row < lines.size(); ++row) {
    std::string text = styled_text(lines[row], colours_);
    if (text == shown_[row]) continue;
    waiting_ += "\x1b[" + std::to_string(row + 1) + ";1H" + text + "\x1b[K";
    shown_[row] = std::move(text);
  }
  flush();
}

}  // namespace cidbus
