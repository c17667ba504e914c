// A program of a stranger, run so that it can hurt nobody but itself.
//
// bubblewrap makes the walls: namespaces of its own for users, processes, network (none at all), IPC, mounts
// and the host's name; the system's /usr read-only and nothing else of this machine but what `read_only`
// names; no capability, no new privileges, no further user namespace. It can write to /task, a file system in
// memory of `space` bytes that nobody else sees, and a little to /tmp and /dev/shm. A worker that is root
// gives root up for it first: nobody's limit on processes holds for root.
//
// The life of one: start() builds the walls and stops before the program's first instruction, so that inputs
// can be put into folder(); begin() lets it go; feed() gives it standard input; finish() waits. However it
// ends, every process in it is dead before finish() returns (or dies as soon as the kernel lets go of it),
// and folder() still holds what it wrote.
//
// Invariants
//  1. No process of the sandbox outlives finish() or the object, nor the worker (the kernel kills it then).
//  2. What it writes is bounded by `space`, what it runs by `processes`, and its memory by `memory`: each
//     process by the kernel, all together by looking every limits::sandbox_watch_period.
//  3. Nothing of the program's is followed by the worker outside of folder().
//
// Thread rule: one thread, and the same one for all calls: the program dies with the thread that started it.
// Limits: SandboxLimits; limits::log_tail_bytes kept of what it says.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/result.h"

namespace cidbus {

struct SandboxLimits {
  ByteCount memory = 512 << 20;  // of all its processes together; what lies in /task counts apart
  ByteCount space = 256 << 20;   // of /task, inputs included
  std::uint32_t processes = 64;  // and threads, at once
  std::chrono::milliseconds time = std::chrono::minutes(10);  // from begin() to its end
};

struct SandboxProgram {
  std::vector<std::string> command;                              // an absolute path and arguments
  std::vector<std::pair<std::string, std::string>> environment;  // beside PATH, HOME, TMPDIR and LANG
  std::vector<std::string> read_only;  // files and folders of this machine that it may see, where they are
  SandboxLimits limits;
};

struct SandboxEnd {
  enum class How : std::uint8_t {
    Exited,     // number: its exit code
    Signalled,  // number: the signal
    TimedOut,
    TooMuchMemory,
    TooMuchOutput,  // no room for its standard output
    Cancelled,
  };
  How how = How::Exited;
  int number = 0;
  std::string output;  // the end of standard output, unless that was taken
  std::string errors;  // the end of standard error
};

// What becomes of it while it runs.
struct SandboxHooks {
  std::function<bool()> cancelled;            // asked every limits::sandbox_watch_period
  std::function<Status(ByteView)> on_output;  // takes standard output; a fault ends it with TooMuchOutput
};

class Sandbox {
 public:
  // TryAgain when the system cannot do it now; the line names what bubblewrap said.
  // REQUIRES: the hooks may be called until finish() returns.
  static Result<Sandbox> start(const SandboxProgram& program, SandboxHooks hooks);
  ~Sandbox();
  Sandbox(Sandbox&&) noexcept;

  // /proc/self/fd/N of /task, for reading at any time.
  [[nodiscard]] std::string folder() const;
  // Writes as the program's user: what is made in folder() belongs to it. Only while `work` runs.
  Status as_program_user(const std::function<Status()>& work) const;

  void begin();
  // Waits until the program has taken the bytes. False when it takes no more: finish() says why.
  bool feed(ByteView bytes);
  // Ends standard input, waits for the end, and kills what is left.
  SandboxEnd finish();

 private:
  struct State;
  explicit Sandbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether this machine lets us, by running `true` in the same walls.
Status check_sandbox(const SandboxProgram& program);

// "exited with 3", "was killed by signal 11 (Segmentation fault)", "ran longer than its 30 s", ...
std::string describe(const SandboxEnd& end, const SandboxLimits& limits);

}  // namespace cidbus
