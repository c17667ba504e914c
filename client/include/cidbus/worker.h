// The worker library: task types of one's own, run by a full worker inside one's program.
//
//   cidbus::Worker worker({.name = "w1", .data = "/var/lib/w1"});
//   worker.add({.name = "shout"}, [](cidbus::TaskRun& run) -> cidbus::Result<cidbus::TaskResult> {
//     return cidbus::TaskResult{.values = {{"text", run.parameter("text").value_or("") + "!"}}};
//   }).value();
//   return worker.run_until_signalled();
//
// The worker is the one of cidbus-worker: it takes tasks as its slots allow, renews their leases while they
// run, stores blocks and serves them to other nodes, and hands in what was finished when a broker is back
// after an outage. A task is recorded done once; a handler may run more than once, when a worker or a
// connection dies.
//
// Invariants
//  1. What a handler wrote is on disk, with its copies, before its task completes.
//  2. A handler's fault or exception costs its own attempt only.
//
// Thread rule: a Worker belongs to one thread; handlers run on as many threads as there are slots, one
// handler on several at once. A TaskRun belongs to the call it was given to. No signal handler is installed,
// nothing ends the process. Limits: 1 to 1000 slots; a result of 64 KiB (larger things belong into content).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cidbus/cluster.h"
#include "cidbus/task.h"

namespace cidbus::v1 {

enum class LogLevel { Debug, Info, Warning, Error };

struct WorkerOptions {
  std::string name;  // of this node, the only one of it in the cluster: 1 to 64 of A-Z a-z 0-9 . _ -
  std::vector<std::string> brokers = default_brokers();  // HOST:PORT of one or more
  std::string cluster = default_cluster();
  std::string data;                         // folder of its blocks; made when it is not there
  std::string exchange = "127.0.0.1:*";     // HOST:PORT where it serves blocks; * for a free port
  unsigned slots = 1;                       // tasks it runs at once
  std::uint64_t storage_max_bytes = 0;      // of blocks; 0: as the disk has room
  std::chrono::milliseconds drain{30'000};  // that running tasks get when it is stopped
  bool standard_types = false;              // also the types of cidbus-worker: process_content, hash, echo
  std::string key_file = {};    // of cidbus keygen; empty: CIDBUS_KEY_FILE, or no keys, and loopback only
  std::string allow_file = {};  // the allow-list; empty: CIDBUS_ALLOW_FILE, or `allow` beside the key
  // Called from several threads. Empty: warnings and errors go to stderr.
  std::function<void(LogLevel, std::string_view line)> log = {};
};

// One run of one task, as its handler sees it.
class TaskRun {
 public:
  [[nodiscard]] const std::vector<Cid>& inputs() const;
  [[nodiscard]] const NamedTexts& parameters() const;  // in the user's order
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  // For what it calls: the trace that the task belongs to, with this attempt as the parent
  // (https://www.w3.org/TR/trace-context-1/#traceparent-header); empty for none.
  [[nodiscard]] const std::string& traceparent() const;
  // The one input. BadUsage when there are more or none.
  [[nodiscard]] Result<Cid> only_input() const;

  // A whole file. NotFound when nobody holds it just now; BadData when it is larger than `most` bytes.
  [[nodiscard]] Result<std::string> read(const Cid& cid, std::uint64_t most = 256 << 20);
  // A file of any length, piece by piece, in bounded memory. A fault of the sink ends it and is given back.
  Status read(const Cid& cid, const std::function<Status(std::string_view bytes)>& sink);
  // Stores bytes as one file. TryAgain when there is no room.
  [[nodiscard]] Result<Cid> write(std::string_view bytes);
  // A file of any length, in bounded memory: `source` fills some of the buffer and says how much, 0 at the
  // end. A fault of it ends the call with it.
  using Source = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;
  [[nodiscard]] Result<Cid> write(const Source& source);

  // Whether the run is to stop: the task was cancelled or is over its time limit, or the worker stops and its
  // drain time is over. A handler that sees it returns soon, with any fault.
  [[nodiscard]] bool cancelled() const;
  // Sleeps; true as soon as the run is to stop, false when the time is over.
  bool sleep(std::chrono::milliseconds time) const;
  // How far it is, from 0 to 1; shown to who watches.
  void set_progress(double done);
  // A line for who looks into the task afterwards (`cidbus task logs`), however the run ends. The last 4,000
  // bytes of all lines are kept, for the task's last four attempts.
  void log(std::string_view line);

 private:
  friend class HandlerAdapter;
  struct State;
  explicit TaskRun(State& state) : state_(state) {}
  State& state_;
};

// What a worker offers under a name.
struct TaskType {
  std::string name;  // what is submitted: 1 to 64 of A-Z a-z 0-9 . _ -
  int version = 1;   // grows whenever the same task may answer differently
  // The same inputs and parameters give the same answer, to the byte, in the same version.
  bool deterministic = false;
  // It must never run twice at once: it begins later (its lease is committed first), its run is cancelled
  // before its lease ends, and only the current attempt's result counts. One worker that says so says it for
  // the cluster.
  bool strict = false;
  std::string summary = {};  // one line for a person
};

// For a handler with a state of its own. One object runs on all slots at once.
class Handler {
 public:
  virtual ~Handler() = default;
  // TryAgain, TimedOut, Unavailable and NotFound ask for another try; with other faults the task has failed.
  // An exception is a failure, with what() for its reason.
  virtual Result<TaskResult> run(TaskRun& run) = 0;
};

class Worker {
 public:
  // Nothing happens before start().
  explicit Worker(WorkerOptions options);
  // Stops, and waits for that.
  ~Worker();
  Worker(Worker&&) noexcept;
  Worker& operator=(Worker&&) noexcept;

  // BadUsage for a name that makes no sense or is taken, and once started.
  using Function = std::function<Result<TaskResult>(TaskRun&)>;
  Status add(TaskType type, Function run);
  Status add(TaskType type, std::unique_ptr<Handler> handler);

  // Opens its folder and begins to look for a broker; it returns before one is found, and none is no fault.
  // BadUsage for options that make no sense, TryAgain when another process has the folder.
  Status start();
  // HOST:PORT where it serves blocks. REQUIRES: started.
  [[nodiscard]] std::string exchange_address() const;
  // In order: takes nothing more, hands back what has not begun, gives the rest WorkerOptions::drain, says
  // goodbye. Returns when that is done; at once when it does not run. It may be started again.
  Status stop();

  // start(), then until SIGTERM or SIGINT, then stop(); a second signal ends at once, and the cluster gives
  // its tasks to others. The exit code for main(): 0, or that of the fault, which went to stderr in one line.
  // REQUIRES: called before the program has other threads, since the signals are blocked in all that come
  // after.
  int run_until_signalled();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus::v1
