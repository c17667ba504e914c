// The client library: submit tasks and hear what becomes of them, ask about any task, add and get content.
//
//   auto client = cidbus::Client::connect({.brokers = {"127.0.0.1:9096"}}).value();
//   const auto submission = client.submit({.type = "echo", .parameters = {{"text", "hello"}}}).value();
//   const auto task = submission.result().value();
//
// Reconnection. While no broker can be reached (it is restarted, another takes over), submissions wait and
// are handed in again under the same numbers, results are asked for again, questions and content calls wait
// up to ClientOptions::patience. A program sees latency and nothing else: no task runs because it was sent
// twice, and each result is told once.
//
// Invariants
//  1. Each submission ends once: with the task as it ended (whatever its state), or with a fault, which says
//     when the task may run all the same.
//  2. Nothing is left running after destruction: submissions that have not ended do then, with Unavailable.
//     What was accepted goes on in the cluster; Client::wait of another client finds it by its id.
//
// Thread rule: every function from any thread, many at once; destruction and moving from one, with no other
// call under way. Callbacks run on a thread of the library's, one after another, and must not throw. They may
// submit (which then never waits) and copy things out; whatever waits answers BadUsage there, and the client
// must not be destroyed from one.
// Limits: 64 MiB of submissions that have not ended, each counted with 512 bytes on top; submit waits for
// room. Descriptors and memory grow with the calls under way at once, not with the tasks.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cidbus/cluster.h"
#include "cidbus/task.h"

namespace cidbus::v1 {

inline constexpr std::chrono::milliseconds no_timeout = std::chrono::milliseconds::max();

struct ClientOptions {
  std::vector<std::string> brokers = default_brokers();  // HOST:PORT of one or more
  std::string cluster = default_cluster();
  std::chrono::milliseconds contact{5'000};    // connect: how long a broker is looked for
  std::chrono::milliseconds patience{60'000};  // of submit without room, of questions and of content calls
  int copies = 2;                              // nodes that hold what is added before add returns; fewer when
                                               // fewer nodes store
  std::string key_file = {};    // of cidbus keygen; empty: CIDBUS_KEY_FILE, or no keys, and loopback only
  std::string allow_file = {};  // the allow-list; empty: CIDBUS_ALLOW_FILE, or `allow` beside the key
};

// A submission on its way. A handle: copies speak of the same one, and may outlive the client.
class Submission {
 public:
  // Waits until the broker has it on disk. TimedOut after `timeout`; then it may be asked again. Refused:
  // BadUsage, TryAgain, NotAllowed. TryAgain also when the session expired meanwhile (an outage of over an
  // hour) and whether it was accepted cannot be told: submit with a key to be able to repeat.
  [[nodiscard]] Result<TaskId> accepted(std::chrono::milliseconds timeout = no_timeout) const;
  // Waits until the task is final: Task::state says how it ended. Faults as above.
  [[nodiscard]] Result<Task> result(std::chrono::milliseconds timeout = no_timeout) const;

 private:
  friend class Client;
  struct State;
  explicit Submission(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;  // shared by all copies and by the client that answers
};

// A name in a folder.
struct Entry {
  std::string name;
  Cid cid;
  std::uint64_t size = 0;  // bytes of all blocks below it, by the word of the folder
};

// Which tasks a list is of.
struct TaskFilter {
  std::optional<TaskState> state = std::nullopt;
  std::string type = {};  // empty: of any
  std::size_t limit = 100;
};

enum class CancelAnswer { Cancelled, AlreadyFinal };

class Client {
 public:
  // Finds a broker. Unavailable, naming the addresses tried, after ClientOptions::contact; NotAllowed when
  // they are of another cluster; BadUsage for an address or a name that makes no sense.
  static Result<Client> connect(ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // -- tasks

  // The request is checked at once: BadUsage says what is wrong. TryAgain when there was no room for
  // `patience` (in a callback: at once).
  [[nodiscard]] Result<Submission> submit(const TaskRequest& request);
  // The same, and `ended` is called when the submission ends, once; not when submit gives a fault.
  using Ended = std::function<void(Result<Task>)>;
  Status submit(const TaskRequest& request, Ended ended);

  // Any task of the cluster. NotFound when it never was, or ended long ago.
  [[nodiscard]] Result<Task> task(TaskId id);
  // Until it is final, whoever submitted it. TimedOut; NotFound.
  [[nodiscard]] Result<Task> wait(TaskId id, std::chrono::milliseconds timeout = no_timeout);
  // Newest first.
  [[nodiscard]] Result<std::vector<Task>> tasks(const TaskFilter& filter = {});
  // NotFound.
  [[nodiscard]] Result<CancelAnswer> cancel(TaskId id);

  // -- content; every function waits until it is done

  // Stores bytes as one file; returns when the copies are on disk. TryAgain when no node has room.
  [[nodiscard]] Result<Cid> add(std::string_view bytes);
  // Fills some of the buffer and says how much; 0 at the end. A fault ends the call with it.
  using Source = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;
  // A file of any length, in bounded memory.
  [[nodiscard]] Result<Cid> add(const Source& source);
  // A file, or a folder with all that is not hidden below it. NotFound, NotAllowed and so on name the path.
  [[nodiscard]] Result<Cid> add_path(const std::filesystem::path& path);

  // A whole file. NotFound when nobody holds it; BadData when it is larger than `most` bytes.
  [[nodiscard]] Result<std::string> get(const Cid& cid, std::uint64_t most = 256 << 20);
  // Takes the next bytes; a fault ends the call with it.
  using Sink = std::function<Status(std::string_view bytes)>;
  // A file of any length, piece by piece, in bounded memory. Every piece is what the CID names.
  [[nodiscard]] Status get(const Cid& cid, const Sink& sink);
  // What a path leads to: CID, CID/a/b or /ipfs/CID/a/b. NotFound names the part that is not there; BadData.
  [[nodiscard]] Result<Cid> resolve(std::string_view path);
  // A folder's names. BadUsage when it is none.
  [[nodiscard]] Result<std::vector<Entry>> list(const Cid& folder);
  // Writes a file or a folder; it appears whole or not at all. BadUsage when the destination exists.
  [[nodiscard]] Status get_path(const Cid& cid, const std::filesystem::path& destination);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cidbus::v1
