#include "leecher/options.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "shared/io/hosted_role.h"
#include "shared/io/node_options.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr const char* footer = R"(Examples:
  cidbus-leecher --name l1 --data ~/.cidbus/l1 --cache-max 10GB
Besides:
  cidbus-leecher status [--http HOST:PORT] [--output json]   what the running one is at
  cidbus-leecher pin add|rm PIN... --data DIR                what is always kept here: CIDs, name:NAME,
                                                             or tag:KEY=VALUE, followed as they change
  cidbus-leecher pin ls --data DIR
Any cidbus command works through it: cidbus --brokers HOST:PORT, with the address of --listen.)";

Result<RunLeecher> run_of(const NodeOptions& node, LeecherOptions leecher) {
  auto identity = identity_of(node, Role::Leecher);
  if (!identity) return tl::unexpected(identity.error());
  auto brokers = parse_addresses(node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  for (const auto& [flag, address] :
       {std::pair("--http", leecher.http), std::pair("--listen", leecher.listen),
        std::pair("--exchange", leecher.exchange)}) {
    if (is_loopback(address)) continue;
    return fault(FaultKind::BadUsage, std::string(flag) + " " + address +
                                          ": a leecher serves this machine only; give 127.0.0.1:PORT");
  }
  leecher.identity = *std::move(identity);
  leecher.brokers = *std::move(brokers);
  return RunLeecher{std::move(leecher), node};
}

ParsedLeecher parse_run(int argc, const char* const* argv) {
  RunLeecher flags;
  CLI::App app("Keeps content and submissions at hand for one who is not always connected.", leecher_program);
  app.footer(footer);
  add_leecher_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  auto run = run_of(flags.node, std::move(flags.leecher));
  if (!run) return run.error();
  return *std::move(run);
}

ParsedLeecher parse_status(int argc, const char* const* argv) {
  ShowStatus wanted{LeecherOptions().http};
  CLI::App app("Shows what the leecher on this machine has and owes.", "cidbus-leecher status");
  app.footer("Examples:\n  cidbus-leecher status\n  cidbus-leecher status --output json");
  app.add_option("--http", wanted.http, "Address of its HTTP")->type_name("HOST:PORT")->capture_default_str();
  add_output_option(app, wanted.output);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  return wanted;
}

ParsedLeecher parse_pin(int argc, const char* const* argv) {
  EditPins wanted;
  std::string what;
  CLI::App app("Says what a leecher always keeps, whether it runs or not.", "cidbus-leecher pin");
  app.footer(
      "Examples:\n  cidbus-leecher pin add CID name:holiday tag:year=2026 --data ~/.cidbus/l1\n"
      "  cidbus-leecher pin ls --data ~/.cidbus/l1");
  CLI::Option* const verb = app.add_option("WHAT", what, "What to do")->required();
  allow_only(*verb->type_name(""), {"add", "rm", "ls"});
  app.add_option("PIN", wanted.pins, "A CID, name:NAME or tag:KEY=VALUE; several may be given")
      ->type_name("");
  app.add_option("--data", wanted.data, "Its folder")->type_name("FOLDER")->required();
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  wanted.what = what == "add"  ? EditPins::What::Add
                : what == "rm" ? EditPins::What::Remove
                               : EditPins::What::List;
  if (wanted.pins.empty() == (what != "ls"))
    return Fault{FaultKind::BadUsage, what == "ls"
                                          ? "pin ls takes nothing but --data"
                                          : "pin " + what + " needs a CID, name:NAME or tag:KEY=VALUE"};
  return wanted;
}

}  // namespace

void add_leecher_flags(CLI::App& app, RunLeecher& flags) {
  add_node_flags(app, flags.node);
  app.add_option("--data", flags.leecher.data, "Folder of all it keeps; made when it is not there")
      ->type_name("FOLDER")
      ->required();
  app.add_option("--listen", flags.leecher.listen, "Address that commands are told for --brokers")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--exchange", flags.leecher.exchange, "Address where it serves blocks")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--http", flags.leecher.http, "Address of /ipfs/CID and /status; port 0 for a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--cache-max", flags.leecher.cache_bytes, "Bytes of blocks kept, such as 500MB or 10GB")
      ->transform(CLI::AsSizeValue(true))
      ->capture_default_str();
  app.add_option("--outbox-max", flags.leecher.outbox_bytes, "Bytes of blocks added while cut off, likewise")
      ->transform(CLI::AsSizeValue(true))
      ->capture_default_str();
}

Result<std::unique_ptr<RunningRole>> open_leecher(RunLeecher command) {
  auto log = make_log(command.node, Role::Leecher);
  auto trust = trust_of(command.node, Role::Leecher, *log);
  if (!trust) return tl::unexpected(trust.error());
  auto hosted = std::make_unique<HostedRole>(std::move(log), std::move(*trust));
  return open_hosted<LeecherServer>(std::move(hosted), std::move(command.leecher));
}

ParsedLeecher parse_leecher_options(int argc, const char* const* argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "status") return parse_status(argc - 1, argv + 1);
  if (first == "pin") return parse_pin(argc - 1, argv + 1);
  return parse_run(argc, argv);
}

}  // namespace cidbus
