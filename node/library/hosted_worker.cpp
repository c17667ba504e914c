#include "node/library/hosted_worker.h"

#include "node/library/task_dict.h"
#include "shared/io/random.h"
#include "worker/library/handler_adapter.h"

namespace cidbus {
namespace {

std::unique_ptr<Handler> make_handler(const std::string& type, const v1::TaskHandler& handler) {
  return v1::adapt_handler({.name = type}, [type, handler](v1::TaskRun& run) -> v1::Result<v1::TaskResult> {
    auto given = handler(v1::task_of(type, run.inputs(), run.parameters()));
    if (!given) return given.error();
    return v1::result_of(*given);
  });
}

}  // namespace

HostedWorker::HostedWorker(HostedWorkerOptions options)
    : options_(std::move(options)),
      log_(make_stderr_log(options_.name, LogLevel::Warning)),
      context_(trust_or_fault(options_.keys)) {}

HostedWorker::~HostedWorker() { stop(); }

Status HostedWorker::start(const TaskHandlers& handlers) {
  stop();
  handlers_ = built_in_handlers();
  for (const auto& [type, handler] : handlers) {
    if (Status added = handlers_.replace(make_handler(type, handler)); !added) return added;
  }
  if (Status is_mine = check_key(context_.trust(), options_.name, Role::Worker); !is_mine) return is_mine;
  incarnation_ = random_incarnation();
  WorkerOptions inner;
  inner.identity = {options_.cluster, options_.name, Role::Worker, incarnation_};
  inner.brokers = options_.brokers;
  inner.data = options_.data;
  inner.exchange = options_.exchange;
  inner.slots = options_.slots;
  inner.drain = options_.drain;
  auto opening = std::make_unique<WorkerServer>(context_, std::move(inner), handlers_, *log_);
  if (Status opened = opening->open(); !opened) return opened;
  server_ = std::move(opening);
  return {};
}

void HostedWorker::stop() {
  if (server_ == nullptr) return;
  server_->ask_to_stop();
  const Status ended = server_->wait();
  if (!ended) log_->warning(ended.error().message);
  server_.reset();
}

}  // namespace cidbus
