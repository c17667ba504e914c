#include "worker/options.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "shared/io/hosted_role.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr const char* footer = R"(Examples:
  cidbus-worker --name w1 --data /var/lib/cidbus/w1
  cidbus-worker --name w1 --data /var/lib/cidbus/w1 --slots 8 --storage-max 100GB --brokers 127.0.0.1:9096
Programs of your own become task types by a table [worker.exec.NAME] in a configuration file.
)";

constexpr double most_drain_seconds = 86'400;

Status complete(WorkerFlags& flags) {
  WorkerCommand& command = flags.command;
  if (flags.storage_max == ByteCount{0}) {
    return fault(
        FaultKind::BadUsage,
        "--storage-max: with 0 bytes it could hold no block; give more, or leave it out for what the "
        "disk has room for");
  }
  command.worker.storage_max_bytes = flags.storage_max.value_or(0);
  auto identity = identity_of(command.node, Role::Worker);
  if (!identity) return tl::unexpected(identity.error());
  auto brokers = parse_addresses(command.node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  command.worker.identity = *std::move(identity);
  command.worker.brokers = *std::move(brokers);
  command.worker.drain = std::chrono::milliseconds(static_cast<std::int64_t>(flags.drain_seconds * 1000));
  return {};
}

void add_own_flags(CLI::App& app, WorkerFlags& flags) {
  WorkerOptions& worker = flags.command.worker;
  app.add_option("--data", worker.data, "Folder for its blocks; made when it is not there")
      ->type_name("FOLDER")
      ->required();
  app.add_option("--slots", worker.slots, "Tasks it runs at once; without it as many as there are processors")
      ->default_val(std::max(1U, std::thread::hardware_concurrency()))
      ->check(CLI::Range(1U, 1000U));
  CLI::Option* const store =
      app.add_option("--store", worker.store, "How to keep blocks; without it as --data does");
  allow_only(*store->type_name("WORD"), {"pack", "rocksdb"});
  app.add_option("--exchange", worker.exchange, "Address where it serves blocks")
      ->type_name("HOST:PORT")
      ->default_val("127.0.0.1:9110");
  app.add_option("--storage-max", flags.storage_max,
                 "Bytes of blocks it may hold, such as 100GB; without it what the disk has room for")
      ->transform(CLI::AsSizeValue(true));
  add_vote_flag(app, worker.votes_by_hand);
  add_metrics_option(app, worker.http,
                     "Address of /metrics, /livez and /readyz over HTTP; without it nowhere");
  app.add_option("--drain", flags.drain_seconds, "Seconds that running tasks get when it is stopped")
      ->capture_default_str()
      ->check(CLI::Range(0.0, most_drain_seconds));
}

}  // namespace

void add_worker_flags(CLI::App& app, WorkerFlags& flags) {
  add_node_flags(app, flags.command.node);
  add_own_flags(app, flags);
}

ParsedWorker parse_worker_options(int argc, const char* const* argv) {
  WorkerFlags flags;
  CLI::App app("Runs tasks, stores blocks, and serves them to other nodes.", worker_program);
  app.footer(footer);
  add_worker_flags(app, flags);
  WorkerCommand& command = flags.command;
  const auto ended = parse_command_line(app, argc, argv, {program_tables(command.programs)});
  if (ended) return *ended;
  if (Status completed = complete(flags); !completed) return completed.error();
  return std::move(command);
}

Result<std::unique_ptr<RunningRole>> open_worker(WorkerCommand command) {
  auto log = make_log(command.node, Role::Worker);
  const auto handlers = std::make_shared<HandlerRegistry>(built_in_handlers());
  if (Status offered = offer_programs(std::move(command.programs), *handlers, *log); !offered)
    return tl::unexpected(offered.error());
  auto trust = trust_of(command.node, Role::Worker, *log);
  if (!trust) return tl::unexpected(trust.error());
  auto hosted = std::make_unique<HostedRole>(std::move(log), std::move(*trust), handlers);
  return open_hosted<WorkerServer>(std::move(hosted), std::move(command.worker), *handlers);
}

}  // namespace cidbus
