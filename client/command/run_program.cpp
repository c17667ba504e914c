#include "client/command/run_program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

extern char** environ;

namespace cidbus {
namespace {

constexpr std::size_t errors_most = 64 << 10;

Fault not_started(const std::string& program, int error) {
  return {FaultKind::Failed, program + " cannot be started: " + std::generic_category().message(error)};
}

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 4096> portion{};
  while (true) {
    const ssize_t count = read(descriptor, portion.data(), portion.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    if (text.size() < errors_most) text.append(portion.data(), static_cast<std::size_t>(count));
  }
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string find_program(const std::string& name, const std::string& folder) {
  if (!folder.empty()) {
    std::string path = folder + "/" + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  const char* const variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "" : variable;
  while (!folders.empty()) {
    const auto colon = folders.find(':');
    std::string path = std::string(folders.substr(0, colon)) + "/" + name;
    if (access(path.c_str(), X_OK) == 0) return path;
    folders.remove_prefix(colon == std::string_view::npos ? folders.size() : colon + 1);
  }
  return {};
}

Result<ProgramEnd> run_program(const std::vector<std::string>& words) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return tl::unexpected(not_started(words.front(), errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawnattr_t attributes;  // signals are blocked in this program: not in that one
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t process = 0;
  const int error =
      posix_spawn(&process, words.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(ends[1]);
  ProgramEnd end;
  if (error == 0) end.errors = read_to_end(ends[0]);
  close(ends[0]);
  if (error != 0) return tl::unexpected(not_started(words.front(), error));
  end.code = wait_for(process);
  return end;
}

Result<pid_t> start_program(const std::vector<std::string>& words, const std::string& log_file) {
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with("CIDBUS_")) variables.push_back(*variable);
  variables.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t process = log < 0 || nothing < 0 ? -1 : fork();
  if (process == 0) {  // nothing that allocates or locks until execve
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    setpgid(0, 0);  // Ctrl+C is for the program that started it
    const bool set = dup2(nothing, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
                     dup2(log, STDERR_FILENO) >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
    if (set && getppid() == parent) execve(arguments.front(), arguments.data(), variables.data());
    _exit(127);
  }
  const int error = errno;
  close(log);
  close(nothing);
  if (process < 0) return tl::unexpected(not_started(words.front(), error));
  return process;
}

Result<int> become_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(words.front().c_str(), arguments.data());
  return tl::unexpected(not_started(words.front(), errno));
}

}  // namespace cidbus
