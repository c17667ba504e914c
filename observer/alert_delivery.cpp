#include "observer/alert_delivery.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include "shared/base/limits/observer.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"

extern char** environ;

namespace cidbus {
namespace {

constexpr int look_milliseconds = 100;  // how often `stop` is looked at
constexpr long ok_from = 200;
constexpr long ok_to = 300;

long milliseconds_of(auto time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

// Closed at its end.
struct Descriptor {
  explicit Descriptor(int opened) : number(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  const int number;
};

// In a process group of its own, so that all of it can be ended; without our blocked signals.
int spawn(const std::vector<std::string>& words, int input, pid_t& process) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int error =
      posix_spawnp(&process, words.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

// Whether it ended in time; if not, it and what it started is killed.
bool wait_for(pid_t process, const std::atomic<bool>& stop) {
  const Descriptor ending(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  const Monotonic end = read_monotonic() + limits::alert_sink_time;
  bool ended = false;
  while (!ended && !stop && read_monotonic() < end) {
    pollfd entry{ending.number, POLLIN, 0};
    ended = ::poll(&entry, 1, look_milliseconds) > 0;
  }
  if (!ended) ::kill(-process, SIGKILL);
  return ended;
}

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }
int look_at_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(stop) ? 1 : 0;
}

}  // namespace

Status deliver_to_program(const std::vector<std::string>& words, const std::string& text,
                          const std::atomic<bool>& stop) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fault(FaultKind::TryAgain, std::strerror(errno));
  pid_t process = 0;
  {
    const Descriptor read_end(ends[0]);
    const Descriptor write_end(ends[1]);
    const int error = spawn(words, read_end.number, process);
    if (error != 0) return fault(FaultKind::Failed, in_quotes(words.front()) + ": " + std::strerror(error));
    const std::string line = text + "\n";
    // A pipe takes as much at once. It still has a reader, us, so that this cannot raise SIGPIPE.
    if (::write(write_end.number, line.data(), line.size()) < 0)
      ::kill(-process, SIGKILL);  // and the code below says that it failed
  }
  const bool ended = wait_for(process, stop);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  const std::string what = in_quotes(words.front());
  if (!ended) return fault(FaultKind::TimedOut, what + " did not end in time and was killed");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fault(FaultKind::Failed,
               what + (WIFEXITED(status) ? " ended with " + std::to_string(WEXITSTATUS(status))
                                         : " was killed by signal " + std::to_string(WTERMSIG(status))));
}

Status deliver_to_web(const std::string& address, const std::string& text, const std::atomic<bool>& stop) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return fault(FaultKind::TryAgain, "out of memory");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  std::array<char, CURL_ERROR_SIZE> why{};
  curl_easy_setopt(curl.get(), CURLOPT_URL, address.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, text.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, milliseconds_of(limits::alert_sink_time));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, look_at_stop);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&stop));
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, why.data());
  const CURLcode code = curl_easy_perform(curl.get());
  const std::string what = in_quotes(address) + ": ";
  if (code != CURLE_OK)
    return fault(FaultKind::Failed, what + (why[0] != '\0' ? why.data() : curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= ok_from && status < ok_to) return {};
  return fault(FaultKind::Failed, what + "it answered " + std::to_string(status));
}

}  // namespace cidbus
