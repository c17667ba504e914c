#include <CLI/CLI.hpp>

#include "broker/journal_command.h"
#include "broker/options.h"

namespace {

using namespace cidbus;

constexpr const char* program = "cidbus-broker";

Status run(const BrokerFlags& flags, int& exit_status) {
  const auto options = server_options(flags);
  if (!options) return tl::unexpected(options.error());
  const auto level = log_level_of(flags.node);
  if (!level) return tl::unexpected(level.error());
  const auto log = make_stderr_log(flags.node.name, *level);
  auto trust = trust_of(flags.node, Role::Master, *log);
  if (!trust) return tl::unexpected(trust.error());
  SocketContext context(std::move(*trust));
  BrokerServer broker(context, *options, *log);
  if (const Status opened = broker.open(); !opened) return opened;
  exit_status = run_until_signalled(program, broker);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto ended = run_journal_command(argc, argv)) return *ended;
  block_stop_signals();
  BrokerFlags flags;
  CLI::App app("Accepts tasks, keeps them safe, hands them out, and knows who holds which block.", program);
  app.add_option("--name", flags.node.name, "This broker's name, unique in the cluster")->required();
  app.add_option("--data", flags.data, "Folder of its journal; made when it is not there")->required();
  app.add_option("--listen", flags.listen,
                 "HOST:PORT of its bus; the feed and other brokers use the next four ports")
      ->capture_default_str();
  app.add_option(
      "--group", flags.group,
      "All brokers of the group, NAME=HOST:PORT/PRIORITY[,...], the same at each; alone when left out");
  app.add_option(
      "--durability", flags.durability,
      "When a task is accepted: quorum, on disk at a majority (disk, when alone); memory, received there");
  app.add_option("--profile", flags.profile, "How far apart the brokers are: lan, cloud or wan")
      ->capture_default_str();
  app.add_flag("--no-preempt", flags.no_preempt,
               "A broker of higher priority that returns is not handed the office");
  add_common_flags(app, flags.node);
  app.footer(
      "'cidbus-broker journal --help': verify, show and repair the journal of a broker that does not run.");
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  int exit_status = 0;
  if (const Status status = run(flags, exit_status); !status) return report_fault(program, status.error());
  return exit_status;
}
