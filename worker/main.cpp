#include <CLI/CLI.hpp>

#include "shared/io/node_options.h"
#include "worker/programs.h"
#include "worker/server.h"

namespace {

using namespace cidbus;

constexpr const char* program = "cidbus-worker";

struct Flags {
  NodeOptions node;
  WorkerOptions worker;
  double drain_seconds = 30;
  std::vector<ExecProgram> programs;
};

Status run(Flags& flags, int& exit_status) {
  const auto identity = identity_of(flags.node, Role::Worker);
  if (!identity) return tl::unexpected(identity.error());
  const auto brokers = parse_addresses(flags.node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  const auto level = log_level_of(flags.node);
  if (!level) return tl::unexpected(level.error());
  const auto log = make_stderr_log(flags.node.name, *level);
  flags.worker.identity = *identity;
  flags.worker.brokers = *brokers;
  flags.worker.drain = std::chrono::milliseconds(static_cast<std::int64_t>(flags.drain_seconds * 1000));
  HandlerRegistry handlers = built_in_handlers();
  if (Status offered = offer_programs(std::move(flags.programs), handlers, *log); !offered) return offered;
  auto trust = trust_of(flags.node, Role::Worker, *log);
  if (!trust) return tl::unexpected(trust.error());
  SocketContext context(std::move(*trust));
  WorkerServer worker(context, flags.worker, handlers, *log);
  if (const Status opened = worker.open(); !opened) return opened;
  exit_status = run_until_signalled(program, worker);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  block_stop_signals();
  Flags flags;
  CLI::App app("Runs tasks, stores blocks, and serves them to other nodes.", program);
  add_node_flags(app, flags.node);
  app.add_option("--data", flags.worker.data, "Folder for its blocks; made when it is not there")->required();
  app.add_option("--slots", flags.worker.slots, "Tasks it runs at once")
      ->default_val(std::max(1U, std::thread::hardware_concurrency()))
      ->check(CLI::Range(1U, 1000U));
  app.add_option("--store", flags.worker.store, "How to keep blocks: pack or rocksdb; else as --data does");
  app.add_option("--exchange", flags.worker.exchange, "HOST:PORT where it serves blocks")
      ->default_val("127.0.0.1:9110");
  app.add_option("--storage-max", flags.worker.storage_max_bytes,
                 "Bytes of blocks it may hold, such as 100GB; 0: the disk's")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--drain", flags.drain_seconds, "Seconds that running tasks get when it is stopped")
      ->capture_default_str();
  const auto ended = parse_command_line(app, argc, argv, {program_tables(flags.programs)});
  if (ended) return *ended;
  int exit_status = 0;
  if (const Status status = run(flags, exit_status); !status) return report_fault(program, status.error());
  return exit_status;
}
