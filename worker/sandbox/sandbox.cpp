#include "worker/sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "shared/base/ensure.h"
#include "shared/base/limits/programs.h"
#include "shared/content/quote.h"
#include "worker/sandbox/group_memory.h"
#include "worker/sandbox/launch.h"
#include "worker/sandbox/pipe_write.h"
#include "worker/sandbox/tail.h"

namespace cidbus {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int signal_base = 128;  // bubblewrap tells a death by signal N as exit code 128 + N, as shells do

void set_non_blocking(const FileDescriptor& file) {
  ::fcntl(file.number(), F_SETFL, ::fcntl(file.number(), F_GETFL) | O_NONBLOCK);
}

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000));
}

bool wait_readable(int descriptor, Clock::time_point end) {
  while (Clock::now() < end) {
    pollfd wanted{descriptor, POLLIN, 0};
    if (::poll(&wanted, 1, milliseconds_until(end)) > 0) return true;
  }
  return false;
}

// What there is in the pipe before the deadline, to its end.
std::string read_to_end(const FileDescriptor& pipe, Clock::time_point end) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (wait_readable(pipe.number(), end)) {
    const ssize_t size = ::read(pipe.number(), buffer.data(), buffer.size());
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

std::optional<pid_t> child_in(std::string_view about) {
  constexpr std::string_view field = "\"child-pid\":";
  const std::size_t place = about.find(field);
  if (place == std::string_view::npos) return std::nullopt;
  const std::size_t digits = about.find_first_of("0123456789", place + field.size());
  pid_t child = 0;
  if (digits == std::string_view::npos) return std::nullopt;
  std::from_chars(about.data() + digits, about.data() + about.size(), child);
  return child > 0 ? std::optional(child) : std::nullopt;
}

FileDescriptor open_folder(pid_t child, const char* folder) {
  const std::string path = "/proc/" + std::to_string(child) + "/root" + folder;
  return FileDescriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// By number: glibc 2.36 declares its wrappers without C linkage.
FileDescriptor open_process(pid_t process) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}
void kill_process(const FileDescriptor& process) {
  ::syscall(SYS_pidfd_send_signal, process.number(), SIGKILL, nullptr, 0);
}

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, text.find_last_not_of(" \n\r\t") + 1));
  for (char& letter : line) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  return line;
}

}  // namespace

struct Sandbox::State {
  State(SandboxLimits given_limits, SandboxHooks given_hooks, LaunchedSandbox given)
      : limits(given_limits), hooks(std::move(given_hooks)), launched(std::move(given)) {}
  ~State() { kill(); }

  Status await_walls();
  void pump(int descriptor_events, bool& writable);
  void read_pipe(FileDescriptor& pipe, bool is_output);
  void check_limits();
  void stop(SandboxEnd::How how);
  void kill();
  void reap(int options);

  SandboxLimits limits;
  SandboxHooks hooks;
  LaunchedSandbox launched;
  FileDescriptor first_process;  // process 1 of the sandbox, as a pidfd; its death is that of all
  FileDescriptor work;
  std::optional<GroupMemory> memory;
  Clock::time_point deadline = Clock::time_point::max();
  Clock::time_point look_at{};                 // when its memory is looked at next
  std::optional<int> exit_code;                // of bubblewrap, once it is reaped
  std::optional<SandboxEnd::How> stopped_for;  // by us, before its end
  Tail output{limits::log_tail_bytes};
  Tail errors{limits::log_tail_bytes};
};

// The walls stand when the gate says so; whatever bubblewrap says instead is why they do not.
Status Sandbox::State::await_walls() {
  const auto end = Clock::now() + limits::sandbox_start_time;
  const auto child = child_in(read_to_end(launched.about, end));
  char said = 0;
  const bool ready =
      child && wait_readable(launched.ready.number(), end) && ::read(launched.ready.number(), &said, 1) == 1;
  if (ready) {
    first_process = open_process(*child);
    work = open_folder(*child, "/task");
    FileDescriptor processes = open_folder(*child, "/proc");
    if (first_process.is_open() && work.is_open() && processes.is_open()) {
      memory.emplace(std::move(processes));
      set_non_blocking(launched.input);
      set_non_blocking(launched.output);
      set_non_blocking(launched.errors);
      return {};
    }
  }
  const std::string why = ready ? std::string("its folder cannot be opened: ") + std::strerror(errno)
                                : one_line(read_to_end(launched.errors, end));
  return fault(FaultKind::TryAgain,
               "the sandbox cannot be built: " + (why.empty() ? std::string("it took too long") : why));
}

void Sandbox::State::read_pipe(FileDescriptor& pipe, bool is_output) {
  std::array<char, 65536> buffer;
  const ssize_t size = ::read(pipe.number(), buffer.data(), buffer.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    pipe = FileDescriptor();
    return;
  }
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  if (!is_output) return errors.add(text);
  if (!hooks.on_output) return output.add(text);
  if (!stopped_for && !hooks.on_output(as_bytes(text))) stop(SandboxEnd::How::TooMuchOutput);
}

void Sandbox::State::check_limits() {
  if (stopped_for) return;
  if (hooks.cancelled && hooks.cancelled()) return stop(SandboxEnd::How::Cancelled);
  if (Clock::now() >= deadline) return stop(SandboxEnd::How::TimedOut);
  if (Clock::now() < look_at) return;
  if (memory->exceeds(limits.memory)) return stop(SandboxEnd::How::TooMuchMemory);
  look_at = Clock::now() + limits::sandbox_watch_period;
}

void Sandbox::State::stop(SandboxEnd::How how) {
  stopped_for = how;
  kill();
}

void Sandbox::State::kill() {
  if (first_process.is_open()) kill_process(first_process);
  if (exit_code) return;
  ::kill(launched.bubblewrap, SIGKILL);  // not reaped, so the number is still its own
  reap(0);
}

void Sandbox::State::reap(int options) {
  int status = 0;
  if (exit_code || ::waitpid(launched.bubblewrap, &status, options) != launched.bubblewrap) return;
  exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

// One look at all there is: waits at most a watch period. `writable`: in, whether standard input matters.
void Sandbox::State::pump(int input_events, bool& writable) {
  std::array<pollfd, 3> polled{{{launched.input.number(), static_cast<short>(input_events), 0},
                                {launched.output.number(), POLLIN, 0},
                                {launched.errors.number(), POLLIN, 0}}};
  if (input_events == 0) polled[0].fd = -1;
  ::poll(polled.data(), polled.size(), static_cast<int>(milliseconds(limits::sandbox_watch_period).count()));
  writable = polled[0].revents != 0;
  if (polled[1].revents != 0) read_pipe(launched.output, true);
  if (polled[2].revents != 0) read_pipe(launched.errors, false);
  reap(WNOHANG);
}

Sandbox::Sandbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sandbox::~Sandbox() = default;
Sandbox::Sandbox(Sandbox&&) noexcept = default;

Result<Sandbox> Sandbox::start(const SandboxProgram& program, SandboxHooks hooks) {
  ENSURE(!program.command.empty() && program.command.front().starts_with('/'));
  auto launched = launch_sandbox(program);
  if (!launched) return tl::unexpected(launched.error());
  auto state = std::make_unique<State>(program.limits, std::move(hooks), std::move(*launched));
  if (Status walls = state->await_walls(); !walls) return tl::unexpected(walls.error());
  return Sandbox(std::move(state));
}

std::string Sandbox::folder() const { return "/proc/self/fd/" + std::to_string(state_->work.number()); }

// A file system of another user namespace takes no file of a user that it does not know, root included.
Status Sandbox::as_program_user(const std::function<Status()>& work) const {
  const bool root = ::geteuid() == 0;
  if (root) {
    ::setfsgid(nobody);
    ::setfsuid(nobody);
  }
  Status done = work();
  if (root) {
    ::setfsuid(0);
    ::setfsgid(0);
  }
  return done;
}

void Sandbox::begin() {
  state_->deadline = Clock::now() + state_->limits.time;
  const ssize_t written = write_to_pipe(state_->launched.gate, as_bytes("\n"));
  static_cast<void>(written);  // it is dead already, then: finish() tells
  state_->launched.gate = FileDescriptor();
}

bool Sandbox::feed(ByteView bytes) {
  while (!bytes.empty()) {
    bool writable = false;
    state_->pump(POLLOUT, writable);
    state_->check_limits();
    if (state_->exit_code || state_->stopped_for) return false;
    if (!writable) continue;
    const ssize_t size = write_to_pipe(state_->launched.input, bytes);
    if (size > 0) bytes = bytes.subspan(static_cast<std::size_t>(size));
    if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
  }
  return true;
}

SandboxEnd Sandbox::finish() {
  State& state = *state_;
  state.launched.input = FileDescriptor();
  bool unused = false;
  while (!state.exit_code) {
    state.pump(0, unused);
    if (!state.exit_code) state.check_limits();
  }
  state.kill();  // what it left running
  const auto end = Clock::now() + limits::sandbox_end_time;
  wait_readable(state.first_process.number(), end);
  while ((state.launched.output.is_open() || state.launched.errors.is_open()) && Clock::now() < end) {
    state.pump(0, unused);
  }
  SandboxEnd ended{state.stopped_for.value_or(SandboxEnd::How::Exited), *state.exit_code,
                   std::string(state.output.text()), std::string(state.errors.text())};
  if (!state.stopped_for && ended.number > signal_base && ended.number < signal_base + NSIG) {
    ended.how = SandboxEnd::How::Signalled;
    ended.number -= signal_base;
  }
  return ended;
}

Status check_sandbox(const SandboxProgram& program) {
  SandboxProgram trial = program;
  trial.command = {"/usr/bin/true"};
  trial.limits = {};
  auto sandbox = Sandbox::start(trial, {});
  if (!sandbox) return tl::unexpected(sandbox.error());
  sandbox->begin();
  const SandboxEnd end = sandbox->finish();
  if (end.how == SandboxEnd::How::Exited && end.number == 0) return {};
  return fault(FaultKind::TryAgain,
               "a trial of the sandbox " + describe(end, trial.limits) + ": " + one_line(end.errors));
}

std::string describe(const SandboxEnd& end, const SandboxLimits& limits) {
  switch (end.how) {
    case SandboxEnd::How::Exited:
      return "exited with " + std::to_string(end.number);
    case SandboxEnd::How::Signalled:
      return "was killed by signal " + std::to_string(end.number) + " (" + ::strsignal(end.number) + ")";
    case SandboxEnd::How::TimedOut:
      return "ran longer than its limit of " + std::to_string(limits.time.count()) + " ms";
    case SandboxEnd::How::TooMuchMemory:
      return "took more memory than its limit of " + std::to_string(limits.memory) + " bytes";
    case SandboxEnd::How::TooMuchOutput:
      return "wrote more than the " + std::to_string(limits.space) + " bytes of its space";
    case SandboxEnd::How::Cancelled:
      return "was stopped";
  }
  return "ended";
}

}  // namespace cidbus
