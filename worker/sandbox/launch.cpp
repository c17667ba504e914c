#include "worker/sandbox/launch.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "shared/base/limits/programs.h"
#include "worker/sandbox/call_filter.h"

namespace cidbus {
namespace {

constexpr const char* bubblewrap = "/usr/bin/bwrap";

// Descriptors of the child; single digits, for the shell at the gate.
enum ChildDescriptor { Input, Output, Errors, Ready, Gate, About, Filter, FirstOther };

// $1 onwards: the limits and the program.
constexpr const char* gate_script = R"(echo >&3; read -r go <&4; exec 3>&- 4<&-; exec "$@")";

// What of /etc a program may need to start at all. Users, keys and settings of this machine are none of it.
constexpr std::array<const char*, 8> system_files{"/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts",
                                                  "/etc/localtime",   "/etc/mime.types",   "/etc/magic",
                                                  "/etc/ssl/certs",   "/etc/ImageMagick-6"};

void add(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

void add_walls(std::vector<std::string>& words, const SandboxProgram& program) {
  add(words, {"--unshare-user",
              "--disable-userns",
              "--unshare-pid",
              "--unshare-net",
              "--unshare-ipc",
              "--unshare-uts",
              "--unshare-cgroup-try",
              "--die-with-parent",
              "--new-session",
              "--cap-drop",
              "ALL",
              "--uid",
              std::to_string(nobody),
              "--gid",
              std::to_string(nobody),
              "--hostname",
              "sandbox",
              "--ro-bind",
              "/usr",
              "/usr"});
  for (const char* folder : {"bin", "sbin", "lib", "lib64"}) {
    add(words, {"--symlink", std::string("usr/") + folder, std::string("/") + folder});
  }
  for (const char* file : system_files) add(words, {"--ro-bind-try", file, file});
  const std::string small = std::to_string(limits::sandbox_side_space);
  const std::string space = std::to_string(program.limits.space);
  add(words, {"--size", small, "--tmpfs", "/tmp"});
  for (const std::string& path : program.read_only) add(words, {"--ro-bind", path, path});
  add(words,
      {"--proc",       "/proc",     "--dev",        "/dev", "--size",  small,   "--tmpfs",   "/dev/shm",
       "--remount-ro", "/dev",      "--perms",      "0700", "--size",  space,   "--tmpfs",   "/task",
       "--dir",        "/task/tmp", "--remount-ro", "/",    "--chdir", "/task", "--clearenv"});
  add(words, {"--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "HOME", "/task", "--setenv",
              "TMPDIR", "/task/tmp", "--setenv", "LANG", "C.UTF-8"});
  for (const auto& [name, value] : program.environment) add(words, {"--setenv", name, value});
}

bool make_pipe(FileDescriptor& reading, FileDescriptor& writing) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  reading = FileDescriptor(ends[0]);
  writing = FileDescriptor(ends[1]);
  return true;
}

// A program that eats the machine's memory goes before anything else of this machine does.
void offer_to_oom_killer() {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t written = ::write(file, "1000", 4);
  static_cast<void>(written);
  ::close(file);
}

// Root is exempt from the limit on processes, so it is given up. Where nobody is not mapped (a container of a
// plain user), root is not the machine's and not exempt.
void give_up_root() {
  if (::geteuid() != 0) return;
  const int groups = ::setgroups(0, nullptr);
  const int group = ::setresgid(nobody, nobody, nobody);
  const int user = ::setresuid(nobody, nobody, nobody);
  static_cast<void>(groups + group + user);
}

// Between fork and exec: nothing that allocates or locks.
[[noreturn]] void become_bubblewrap(std::array<int, FirstOther> descriptors, char* const* words) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  for (int& descriptor : descriptors) descriptor = ::fcntl(descriptor, F_DUPFD, FirstOther);
  for (int number = 0; number < FirstOther; ++number)
    ::dup2(descriptors[static_cast<unsigned>(number)], number);
  ::close_range(FirstOther, ~0U, 0);
  offer_to_oom_killer();
  give_up_root();
  char* const no_environment[] = {nullptr};  // process 1 of the sandbox would show the worker's
  ::execve(bubblewrap, words, no_environment);
  constexpr std::string_view lost = "bubblewrap cannot be run; install the package bubblewrap";
  const ssize_t written = ::write(Errors, lost.data(), lost.size());
  static_cast<void>(written);
  ::_exit(127);
}

}  // namespace

std::vector<std::string> sandbox_command(const SandboxProgram& program) {
  std::vector<std::string> words{bubblewrap, "--info-fd", std::to_string(About), "--seccomp",
                                 std::to_string(Filter)};
  add_walls(words, program);
  const SandboxLimits& limits = program.limits;
  // bubblewrap's process 1 and the shell's successor count too.
  add(words, {"--", "/bin/sh", "-c", gate_script, "sh", "/usr/bin/prlimit",
              "--nproc=" + std::to_string(limits.processes + 1), "--data=" + std::to_string(limits.memory),
              "--fsize=" + std::to_string(limits.space),
              "--nofile=" + std::to_string(limits::sandbox_open_files), "--core=0", "--"});
  words.insert(words.end(), program.command.begin(), program.command.end());
  return words;
}

Result<LaunchedSandbox> launch_sandbox(const SandboxProgram& program) {
  std::vector<std::string> words = sandbox_command(program);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  LaunchedSandbox launched;
  std::array<FileDescriptor, FirstOther> theirs;
  const bool piped = make_pipe(theirs[Input], launched.input) && make_pipe(launched.output, theirs[Output]) &&
                     make_pipe(launched.errors, theirs[Errors]) && make_pipe(launched.ready, theirs[Ready]) &&
                     make_pipe(theirs[Gate], launched.gate) && make_pipe(launched.about, theirs[About]);
  if (!piped) {
    return fault(FaultKind::TryAgain, std::string("the sandbox gets no pipes: ") + std::strerror(errno));
  }
  auto filter = make_call_filter();
  if (!filter) return tl::unexpected(filter.error());
  theirs[Filter] = std::move(*filter);
  std::array<int, FirstOther> numbers{};
  for (unsigned place = 0; place < FirstOther; ++place) numbers[place] = theirs[place].number();
  launched.bubblewrap = ::fork();
  if (launched.bubblewrap == 0) become_bubblewrap(numbers, pointers.data());
  if (launched.bubblewrap < 0) {
    return fault(FaultKind::TryAgain, std::string("the sandbox gets no process: ") + std::strerror(errno));
  }
  return launched;
}

}  // namespace cidbus
