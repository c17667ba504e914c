#include "cidbus/worker.h"
#include "client/library/public_values.h"
#include "shared/base/ensure.h"
#include "shared/content/quote.h"
#include "shared/io/last_resort.h"
#include "shared/io/node_options.h"
#include "shared/io/process.h"
#include "shared/io/random.h"
#include "worker/library/handler_adapter.h"
#include "worker/server.h"

namespace cidbus::v1 {
namespace {

class FunctionLog final : public Log {
 public:
  explicit FunctionLog(std::function<void(LogLevel, std::string_view)> write_to)
      : write_(std::move(write_to)) {}
  void write(cidbus::LogLevel level, std::string_view line) override {
    static_assert(static_cast<int>(LogLevel::Error) == static_cast<int>(cidbus::LogLevel::Error));
    write_(static_cast<LogLevel>(level), line);
  }

 private:
  const std::function<void(LogLevel, std::string_view)> write_;
};

Status check(const WorkerOptions& options) {
  const auto refused = [](std::string why) { return Fault{FaultKind::BadUsage, std::move(why)}; };
  if (Status place = check_cluster(options.brokers, options.cluster); !place) return place;
  if (!is_valid_name(options.name))
    return refused(in_quotes(options.name) + " cannot name a worker; use 1 to 64 of A-Z a-z 0-9 . _ -");
  if (options.data.empty()) return refused("no folder for its blocks; set WorkerOptions::data");
  if (options.slots < 1 || options.slots > 1000) return refused("a worker has 1 to 1000 slots");
  if (options.drain < std::chrono::milliseconds(0)) return refused("the drain time is below zero");
  return {};
}

}  // namespace

struct Worker::State {
  explicit State(WorkerOptions given)
      : options(std::move(given)), context(trust_or_fault({options.key_file, options.allow_file, false})) {
    if (options.standard_types) handlers = built_in_handlers();
  }
  ~State() { static_cast<void>(stop()); }

  Status start() {
    if (server != nullptr) return Fault{FaultKind::BadUsage, "the worker was started already"};
    if (Status checked = check(options); !checked) return checked;
    const cidbus::Status is_mine = check_key(context.trust(), options.name, Role::Worker);
    if (!is_mine) return to_public(is_mine);
    log = options.log ? std::make_unique<FunctionLog>(options.log)
                      : make_stderr_log(options.name, cidbus::LogLevel::Warning);
    cidbus::WorkerOptions inner;
    inner.identity = {options.cluster, options.name, Role::Worker, random_incarnation()};
    inner.brokers = options.brokers;
    inner.data = options.data;
    inner.exchange = options.exchange;
    inner.slots = options.slots;
    inner.storage_max_bytes = options.storage_max_bytes;
    inner.drain = options.drain;
    auto opening = std::make_unique<WorkerServer>(context, std::move(inner), handlers, *log);
    if (const auto opened = opening->open(); !opened) return to_public(opened.error());
    server = std::move(opening);
    return {};
  }

  Status stop() {
    if (server == nullptr) return {};
    server->ask_to_stop();
    const cidbus::Status ended = server->wait();
    server.reset();
    return to_public(ended);
  }

  int run_until_signalled() {
    block_stop_signals();
    if (const Status started = start(); !started)
      return report_fault(options.name, to_internal(started.error()));
    LastResort last_resort;
    const int code = cidbus::run_until_signalled(options.name, *server);
    last_resort.arm(options.name, "a task", code);
    server.reset();
    return code;
  }

  WorkerOptions options;
  HandlerRegistry handlers;
  SocketContext context;
  std::unique_ptr<Log> log;
  std::unique_ptr<WorkerServer> server;  // null while it does not run
};

Worker::Worker(WorkerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Worker::~Worker() = default;
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;

Status Worker::add(TaskType type, Function run) {
  if (state_->server != nullptr)
    return Fault{FaultKind::BadUsage, "task types are added before the worker starts"};
  return to_public(state_->handlers.add(adapt_handler(std::move(type), std::move(run))));
}

Status Worker::add(TaskType type, std::unique_ptr<Handler> handler) {
  const std::shared_ptr<Handler> shared = std::move(handler);  // std::function is copied, a handler is not
  return add(std::move(type), [shared](TaskRun& run) { return shared->run(run); });
}

Status Worker::start() { return state_->start(); }

std::string Worker::exchange_address() const {
  ENSURE(state_->server != nullptr);
  return state_->server->exchange_address();
}

Status Worker::stop() { return state_->stop(); }
int Worker::run_until_signalled() { return state_->run_until_signalled(); }

}  // namespace cidbus::v1
