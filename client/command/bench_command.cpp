#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "client/command/bench_cluster.h"
#include "client/command/interrupt.h"
#include "client/command/load_result.h"
#include "client/command/registry.h"
#include "client/command/task_record.h"
#include "client/command/task_request.h"
#include "shared/io/clock.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

constexpr std::uint64_t tasks_most = 100'000'000;
constexpr std::size_t payload_most = 60'000;  // with its framing it fits a result
constexpr std::uint64_t window_most = 1'000'000;
constexpr std::string_view payload_name = "payload";

struct Load {
  std::uint64_t tasks = 0;
  std::uint64_t window = 0;
  std::size_t payload = 0;
  bool submit_only = false;
};

SessionSettings settings_of(const Load& load) {
  SessionSettings settings;
  settings.await_results = !load.submit_only;
  return settings;
}

// Keeps a window of echo tasks in flight until all have answered what they were given.
class LoadRun : public Client::Listener {
 public:
  LoadRun(Context& context, const Load& load)
      : context_(context),
        load_(load),
        payload_(load.payload, 'x'),
        client_(context.sockets(), context.new_identity(), context.common().brokers, settings_of(load),
                *this) {
    begun_.resize(load.tasks + 2);  // by ticket, from 1; the first one is the warm-up
  }

  // The exit code of an interrupt goes before a result.
  Result<LoadResult> run();

  void accepted(Ticket ticket, TaskId, bool) override {
    if (load_.submit_only) count(ticket);
  }
  void rejected(Ticket, const Fault& why) override { failure_ = why; }
  void unknown(Ticket, TaskId) override {
    failure_ = Fault{FaultKind::TryAgain, "the session expired during the bench; run it again"};
  }
  void result(Ticket ticket, const TaskInfo& info) override;

 private:
  void submit(Monotonic now);
  void count(Ticket ticket);
  void settle(Monotonic now);
  Status run_until(std::uint64_t answered);

  Context& context_;
  const Load load_;
  const std::string payload_;
  Client client_;
  std::vector<Monotonic> begun_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::vector<Ticket> answers_;  // of this turn
  LoadResult result_;
  std::optional<Fault> failure_;
};

// The work is encoded anew for each task, as a program would that has something to say.
void LoadRun::submit(Monotonic now) {
  Work work;
  work.parameters.emplace_back(payload_name, payload_);
  const Ticket ticket = client_.submit("echo", TaskOptions{}, encode_work(work));
  begun_[ticket.value] = now;
  ++sent_;
}

void LoadRun::result(Ticket ticket, const TaskInfo& info) {
  if (info.state != TaskState::Completed) {
    failure_ = Fault{FaultKind::Failed, failure_of(make_task_record(info))};
    return;
  }
  const auto decoded = decode_result(info.result);
  if (!decoded || (*decoded)->values.size() != 1 || (*decoded)->values.front().second != payload_) {
    failure_ = Fault{FaultKind::BadData,
                     "task " + to_text(info.task) + " answered something else than it was given"};
    return;
  }
  count(ticket);
}

// Its latency is counted when the message is read to its end: the clock is read once for all answers in it,
// as bench/limit does.
void LoadRun::count(Ticket ticket) {
  answers_.push_back(ticket);
  ++answered_;
}
void LoadRun::settle(Monotonic now) {
  for (const Ticket ticket : answers_) result_.latencies.add(now - begun_[ticket.value]);
  answers_.clear();
}

Status LoadRun::run_until(std::uint64_t answered) {
  const Status ran = client_.run(context_.patience(), [&] {
    const Monotonic now = read_monotonic();
    settle(now);
    while (sent_ < answered && sent_ - answered_ < load_.window && client_.has_room()) submit(now);
    return answered_ == answered || failure_ || context_.interrupted() != 0;
  });
  if (failure_) return tl::unexpected(*failure_);
  return ran;
}

Result<LoadResult> LoadRun::run() {
  if (context_.environment().interrupt != nullptr)
    client_.watch(context_.environment().interrupt->descriptor(), [] {});
  // The first task finds the leader and opens the session; it is not counted, unless it is to be left in the
  // queue.
  const std::uint64_t uncounted = load_.submit_only ? 0 : 1;
  if (const Status warmed = run_until(uncounted); !warmed) return tl::unexpected(warmed.error());
  result_ = LoadResult();
  const Monotonic started = read_clock().monotonic;
  if (const Status ran = run_until(load_.tasks + uncounted); !ran) return tl::unexpected(ran.error());
  result_.tasks = load_.tasks;
  result_.elapsed = read_clock().monotonic - started;
  client_.close();
  return std::move(result_);
}

std::string row_json(const Surroundings& on, const Load& load, const LoadResult& result) {
  JsonWriter json;
  json.open_object().name("window").number(load.window).name("payload").number(load.payload);
  json.name("durability").string(to_text(on.durability)).name("brokers").number(on.brokers);
  json.name("workers").number(on.workers).name("slots").number(on.slots);
  write_load(json, result);
  return json.close_object().text();
}

std::string row_text(const Load& load, const LoadResult& result) {
  return "window " + std::to_string(load.window) + ", payload " + std::to_string(load.payload) +
         " B: " + to_line(result);
}

struct BenchOptions {
  std::uint64_t tasks = 100'000;
  std::vector<std::uint64_t> windows{1000};
  std::vector<std::size_t> payloads{100};
  std::vector<std::uint64_t> workers;     // of clusters made for the bench; none: 2, if such are asked for
  std::vector<std::string> durabilities;  // likewise, in words; none: disk
  bool submit_only = false;
};

// The tasks of one row: as many as asked for, but a row of one at a time need not last as long as the others.
std::uint64_t tasks_of(const BenchOptions& options, std::uint64_t window) {
  constexpr std::uint64_t rounds = 20'000;
  return std::min(options.tasks, window * rounds);
}

Durability durability_of(std::string_view word) {
  if (word == "memory") return Durability::Memory;
  return word == "quorum" ? Durability::Quorum : Durability::Disk;
}

// The rows of one cluster, which `context` reaches.
Result<int> measure(Context& context, Output& output, const BenchOptions& options) {
  const auto around = look_around(context);
  if (!around) return tl::unexpected(around.error());
  if (around->workers == 0 && !options.submit_only) {
    return fault(FaultKind::TryAgain,
                 "the cluster has no worker to run echo tasks; start one and run the bench again");
  }
  if (output.format() == Format::Table) {
    output.line("durability " + std::string(to_text(around->durability)) + ", " +
                std::to_string(around->workers) + " workers with " + std::to_string(around->slots) +
                " slots");
  }
  for (const std::size_t payload : options.payloads) {
    for (const std::uint64_t window : options.windows) {
      const Load load{tasks_of(options, window), window, payload, options.submit_only};
      const auto result = LoadRun(context, load).run();
      if (context.interrupted() != 0) return context.interrupted();
      if (!result) return tl::unexpected(result.error());
      if (output.is_json())
        output.item(row_json(*around, load, *result));
      else
        output.line(output.format() == Format::Quiet
                        ? std::to_string(static_cast<std::uint64_t>(tasks_a_second(*result)))
                        : row_text(load, *result));
      if (const Status written = output.flush(); !written) return tl::unexpected(written.error());
    }
  }
  return 0;
}

Result<int> measure_own(Context& context, const BenchOptions& options, const BenchCluster::Wish& wish) {
  const auto cluster = BenchCluster::start(context, wish);
  if (context.interrupted() != 0) return context.interrupted();
  if (!cluster) return tl::unexpected(cluster.error());
  Context own(context.environment(), (*cluster)->common());
  return measure(own, context.output(), options);
}

Result<int> bench(Context& context, BenchOptions options) {
  Output& output = context.output();
  output.open_list();
  Result<int> done = 0;
  if (options.workers.empty() && options.durabilities.empty()) {
    done = measure(context, output, options);
  } else {
    if (options.workers.empty()) options.workers = {2};
    if (options.durabilities.empty()) options.durabilities = {"disk"};
    for (const std::string& durability : options.durabilities)
      for (const std::uint64_t workers : options.workers)
        if (done && *done == 0) done = measure_own(context, options, {durability_of(durability), workers});
  }
  if (done && *done == 0) output.close_list();
  return done;
}

constexpr const char* examples = R"(  cidbus bench
  cidbus bench --tasks 1000000 --window 1,100,10000 --payload 100,4096
  cidbus bench --window 1 --tasks 10000 --output json
  cidbus bench --workers 1,2,4 --durability memory,disk,quorum
With --workers or --durability it measures clusters of its own instead of the running one: a broker (three for
quorum) and workers on this machine, for each pair, in a temporary folder (TMPDIR) that is gone afterwards.
Every task is an echo of its payload, and every answer is compared with it. Nothing else should run meanwhile.
)";

}  // namespace

void add_bench_command(CommandRegistry& registry) {
  const auto options = std::make_shared<BenchOptions>();  // shared by the options and the action
  CLI::App& app = registry.leaf(
      registry.root(),
      {"bench", "Measure a cluster: tasks a second and latency, by window, payload, workers and durability",
       examples},
      [options](Context& context) { return bench(context, *options); });
  app.add_option("--tasks", options->tasks, "Tasks a row, at most 20000 times its window")
      ->type_name("N")
      ->default_str("100000")
      ->check(CLI::Range(std::uint64_t{1}, tasks_most));
  app.add_option("--window", options->windows, "Tasks in flight; several make a row each")
      ->type_name("N,…")
      ->default_str("1000")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::uint64_t{1}, window_most));
  app.add_option("--payload", options->payloads, "Bytes a task carries; several make a row each")
      ->type_name("BYTES,…")
      ->default_str("100")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::size_t{0}, payload_most));
  app.add_option("--workers", options->workers,
                 "Workers of a cluster made for the bench; several make one each")
      ->type_name("N,…")
      ->default_str("")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::uint64_t{1}, bench_workers_most));
  app.add_option("--durability", options->durabilities,
                 "memory, disk or quorum, of a cluster made for the bench; several make one each")
      ->type_name("WORD,…")
      ->default_str("")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"memory", "disk", "quorum"}));
  app.add_flag("--submit-only", options->submit_only,
               "Until all are accepted, not until they are done; they stay in the queue");
}

}  // namespace cidbus
