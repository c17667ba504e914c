// What a task type is to a worker: a Handler, run on a slot's thread with its inputs, parameters and a view
// of the node's content.
//
// A handler decides nothing about leases, retries or durability. It reads content, works, writes content, and
// answers with CIDs and small values, or with a fault whose kind says whether another try may help.
//
// Invariants
//  1. A handler holds no state that a run changes: one handler runs on every slot at once.
//  2. A handler that is deterministic() writes the same bytes and answers the same values for the same inputs
//     and parameters in the same version(); version() grows whenever that answer may change.
//  3. A parameter outside help() is refused with BadUsage, unless the handler says that it takes any.
//  4. run() returns soon after its token is cancelled, with any fault; the worker, who cancelled it,
//     knows why.
//  5. run() lets no exception out.
//
// Thread rule: run() on any thread, and on many at once; Content belongs to the one run it was given to.
// Limits: limits::parameters, limits::result_bytes for the values, limits::inputs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/result.h"
#include "shared/content/byte_stream.h"
#include "shared/content/cid.h"
#include "shared/content/dag_walk.h"
#include "shared/content/unixfs.h"
#include "worker/handlers/run_control.h"

namespace cidbus {

// What a handler may ask of its node. The worker implements it; tests use a map.
class Content {
 public:
  virtual ~Content() = default;

  // The whole file behind a CID. BadData when it is larger than `limit`.
  virtual Result<Bytes> read(const Cid& input, ByteCount limit) = 0;
  // The file in order, piece by piece, in bounded memory. The first fault of the sink ends it and is
  // answered.
  virtual Status stream(const Cid& input, const std::function<Status(ByteView)>& sink) = 0;
  // Stores a file in the default profile. Durable copies are the worker's business, before the task
  // completes.
  virtual Result<Cid> write(ByteView bytes) = 0;
  // The same, of any size.
  virtual Result<Cid> write_stream(ByteSource& source) = 0;
  // Stores a folder with all below it, hidden names too; symlinks stay symlinks.
  virtual Result<Cid> write_folder(const std::filesystem::path& folder) = 0;
  // Brings every block of the DAG into this node's store; asks `cancelled` before each. What was there counts
  // too.
  virtual Result<DagSize> keep(const Cid& root, const std::function<bool()>& cancelled) = 0;
  // Has this node keep what is below a root from now on, or no longer; durable on return. False when it was
  // so before. REQUIRES for pin: keep() has brought it.
  virtual Result<bool> pin(const Cid& root) = 0;
  virtual Result<bool> unpin(const Cid& root) = 0;
  // Makes the file, or the folder with all below it, at `destination`, which is not there yet. BadUsage when
  // the input is not of that kind, BadData when it has more bytes than `limit`.
  virtual Status export_to(const Cid& input, NodeKind kind, const std::filesystem::path& destination,
                           ByteCount limit) = 0;
};

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

// What a run leaves behind for a person, however it ends.
struct RunLog {
  std::string ended;   // "exited with 3"; empty where the fault says it all
  std::string output;  // the ends of what it said, limits::log_tail_bytes each
  std::string errors;
};

struct HandlerInput {
  std::vector<Cid> inputs;
  NamedTexts parameters;  // in the user's order
  // For what it calls: the task's trace, with this attempt as the parent; empty for none.
  std::string traceparent = {};
  const CancelToken& cancelled;
  RunProgress& progress;
  RunLog& log;
};

struct HandlerOutput {
  std::vector<Cid> cids;
  NamedTexts values;  // small inline ones, in an order worth reading
};

struct ParameterHelp {
  std::string_view name;
  std::string_view meaning;        // one line, with units and bounds
  std::string_view default_value;  // as it would be typed; "required" or "none" where there is none
};

class Handler {
 public:
  virtual ~Handler() = default;

  [[nodiscard]] virtual std::string_view type() const = 0;     // what `cidbus submit` names
  [[nodiscard]] virtual std::string_view summary() const = 0;  // one line
  [[nodiscard]] virtual std::span<const ParameterHelp> help() const = 0;
  [[nodiscard]] virtual int version() const = 0;
  [[nodiscard]] virtual bool deterministic() const = 0;
  // Whether it must never run twice at once: it begins later (its lease is committed first), ends before its
  // lease does, and only the current attempt's result counts. One worker that says so says it for the
  // cluster.
  [[nodiscard]] virtual bool strict() const { return false; }
  // Whether it is also given notes: parameters whose names begin with '_', by which programs tell each other
  // more about a task. All other handlers never see them.
  [[nodiscard]] virtual bool takes_notes() const { return false; }
  // Faults: retry_helps() of the kind says whether another try makes sense.
  virtual Result<HandlerOutput> run(const HandlerInput& input, Content& content) const = 0;
};

// Whether another try, here or elsewhere, may end differently.
constexpr bool retry_helps(FaultKind kind) {
  return kind == FaultKind::TryAgain || kind == FaultKind::TimedOut || kind == FaultKind::Unavailable;
}

// Type, summary and a line for each parameter: what `--help` prints.
std::string describe(const Handler& handler);

// What a handler that saw its token cancelled answers.
tl::unexpected<Fault> cancelled_fault(std::string_view type);

// BadUsage unless the task has exactly one input.
Result<Cid> only_input(std::string_view type, const HandlerInput& input);

// The types a worker runs. A plain value: main makes it, adds to it, and hands it to the worker.
class HandlerRegistry {
 public:
  // BadUsage for a name that is_valid_name() refuses or that is taken.
  Status add(std::unique_ptr<Handler> handler);
  // The same, in the place of the one that has the name.
  Status replace(std::unique_ptr<Handler> handler);
  // BadUsage, naming the types there are. Valid as long as the registry.
  [[nodiscard]] Result<const Handler*> find(std::string_view type) const;
  // In alphabetical order.
  [[nodiscard]] std::vector<std::string_view> types() const;
  [[nodiscard]] std::vector<std::string_view> strict_types() const;  // those of them that are strict()

 private:
  std::vector<std::unique_ptr<const Handler>> handlers_;  // sorted by type
};

// analyze, process_content, hash, retrieve, pin, unpin and echo. REQUIRES: called before other threads use
// libvips (process_content starts it).
HandlerRegistry built_in_handlers();

}  // namespace cidbus
