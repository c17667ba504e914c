#include "observer/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "observer/terminal.h"
#include "shared/io/hosted_role.h"

namespace cidbus {
namespace {

constexpr const char* footer = R"(Examples:
  cidbus-observer --name o1
  cidbus-observer --name o1 --output ndjson --brokers 127.0.0.1:9096
  cidbus-observer --name o1 --data /var/lib/cidbus/o1
  cidbus-observer --name o1 --page 127.0.0.1:8088     (then open http://127.0.0.1:8088/ in a browser)
  cidbus-observer history show --data /var/lib/cidbus/o1 --last 24h
On a terminal it shows the cluster, and ? tells the keys; --plain, or a pipe, gives sentences instead.
table is for a person; json and ndjson are an object a line; quiet is the name of what changed.)";

}  // namespace

void add_observer_flags(CLI::App& app, ObserverFlags& flags) {
  app.footer(footer);
  add_node_flags(app, flags.node);
  add_output_option(app, flags.output);
  app.add_option(
         "--page", flags.observer.page,
         "Address of the web page, /metrics, /metrics/nodes (of all nodes), /livez and /readyz; without it "
         "nowhere")
      ->type_name("HOST:PORT");
  app.add_option("--data", flags.observer.data, "Folder of the history; kept in memory only when left out")
      ->type_name("FOLDER");
  app.add_option("--history-max", flags.observer.history_bytes,
                 "Bytes of history on disk, such as 500MB; the oldest goes first")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(static_cast<double>(limits::history_file_least), 1e15))
      ->capture_default_str();
  app.add_flag("--plain", flags.plain, "Sentences, also on a terminal");
  app.add_option("--rules", flags.rules, "Rules for alerts, and where these go; docs/alerts.md")
      ->type_name("FILE");
}

Result<ObserverOptions> observer_options(const ObserverFlags& flags) {
  auto identity = identity_of(flags.node, Role::Observer);
  if (!identity) return tl::unexpected(identity.error());
  auto brokers = parse_addresses(flags.node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  ObserverOptions options = flags.observer;
  options.identity = *std::move(identity);
  options.brokers = *std::move(brokers);
  if (!flags.rules.empty()) {
    auto setup = read_rules_file(flags.rules);
    if (!setup) return tl::unexpected(setup.error());
    options.alerts = *std::move(setup);
  }
  options.style = *parse_print_style(flags.output);
  options.ends_with_output = flags.has_terminal;
  options.screen =
      flags.has_terminal && options.style == PrintStyle::Text && !flags.plain && is_screen_possible();
  return options;
}

Result<std::unique_ptr<RunningRole>> open_observer(const ObserverFlags& flags) {
  auto options = observer_options(flags);
  if (!options) return tl::unexpected(options.error());
  std::unique_ptr<Log> log = make_log(flags.node, Role::Observer);
  if (options->screen && isatty(STDERR_FILENO) == 1) log = std::make_unique<NoLog>();
  auto trust = trust_of(flags.node, Role::Observer, *log);
  if (!trust) return tl::unexpected(trust.error());
  auto hosted = std::make_unique<HostedRole>(std::move(log), std::move(*trust));
  return open_hosted<Observer>(std::move(hosted), std::move(*options));
}

}  // namespace cidbus
