#include "client/command/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

constexpr const char* default_brokers = "127.0.0.1:9096";
constexpr const char* default_cluster = "cidbus";

constexpr const char* root_footer = R"(A first round, with a cluster running (scripts/local-cluster up):
  cidbus add picture.jpg                         prints the picture's CID
  cidbus submit process_content --input picture.jpg --param transform=resize --param width=320 --wait
  cidbus get CID -o small.jpg                    fetches the result
  cidbus cluster status                          who leads, how many tasks wait

'cidbus COMMAND --help' tells each command's options, examples and exit codes.
Environment: CIDBUS_BROKERS, CIDBUS_CLUSTER, NO_COLOR.)";

constexpr const char* exit_codes = R"(Exit codes:
  0 done                         69 no broker reachable or no quorum
  1 the task failed, not found   75 no room now: try again later
  2 wrong usage                  77 not allowed
  65 bad data                    124 timed out; 130, 143 interrupted)";

std::string from_environment(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

Result<CommonOptions> understand(const Registry::RawOptions& raw) {
  CommonOptions common;
  const auto brokers = parse_addresses(
      raw.brokers.empty() ? from_environment("CIDBUS_BROKERS", default_brokers) : raw.brokers);
  if (!brokers) return fault(FaultKind::BadUsage, "--brokers: " + brokers.error().message);
  common.brokers = *brokers;
  common.cluster = raw.cluster.empty() ? from_environment("CIDBUS_CLUSTER", default_cluster) : raw.cluster;
  if (!is_valid_name(common.cluster)) {
    return fault(FaultKind::BadUsage,
                 "--cluster: " + in_quotes(common.cluster) + " cannot name a cluster; use A-Z a-z 0-9 . _ -");
  }
  const auto format = parse_format(raw.output.empty() ? "table" : raw.output);
  if (!format) {
    return fault(FaultKind::BadUsage,
                 "--output: " + in_quotes(raw.output) + " is not known; give " + format_names);
  }
  common.format = *format;
  if (raw.timeout.empty()) return common;
  const auto timeout = parse_duration(raw.timeout);
  if (!timeout) return fault(FaultKind::BadUsage, "--timeout: " + timeout.error().message);
  common.timeout = *timeout;
  return common;
}

// "cidbus task show", as far as the line was understood.
std::string path_of(const CLI::App& root) {
  std::string path = root.get_name();
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    path += ' ' + app->get_name();
  }
  return path;
}

Fault usage_fault(const CLI::App& root, const CLI::ParseError& error) {
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const auto extras = root.remaining(true);
    if (!extras.empty()) what = in_quotes(extras.front()) + " is not known here";
  }
  std::replace(what.begin(), what.end(), '\n', ' ');
  return {FaultKind::BadUsage, what + "; see '" + path_of(root) + " --help'"};
}

int fail(Environment& environment, const Fault& why) {
  report(environment, why.message);
  return exit_code(why.kind);
}

int run_action(const Action& action, const Registry::RawOptions& raw, Environment& environment) {
  auto common = understand(raw);
  if (!common) return fail(environment, common.error());
  Context context(environment, std::move(*common));
  const Result<int> ended = action(context);
  const Status written = context.output().flush();
  if (const int code = context.interrupted(); code != 0) return code;
  if (!ended) return fail(environment, ended.error());
  if (!written) return fail(environment, written.error());
  return *ended;
}

}  // namespace

CLI::App& Registry::group(const std::string& name, const std::string& summary) {
  CLI::App* const app = root_.add_subcommand(name, summary);
  app->require_subcommand(1);
  return *app;
}

CLI::App& Registry::leaf(CLI::App& parent, const LeafText& text, Action action) {
  CLI::App* const app = parent.add_subcommand(text.name, text.summary);
  app->footer("Examples:\n" + text.examples + "\n" + exit_codes);
  app->callback([this, action = std::move(action)] { chosen_ = action; });
  add_common_options(*app);
  return *app;
}

void Registry::add_common_options(CLI::App& app) {
  constexpr const char* group = "Common options";
  app.add_option("--brokers,--master", raw_.brokers,
                 std::string("Brokers to talk to (CIDBUS_BROKERS; ") + default_brokers + ")")
      ->type_name("HOST:PORT,…")
      ->group(group);
  app.add_option("--cluster", raw_.cluster,
                 std::string("The cluster's name (CIDBUS_CLUSTER; ") + default_cluster + ")")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--output", raw_.output, std::string("How to answer: ") + format_names)
      ->type_name("FORMAT")
      ->group(group);
  app.add_option("--timeout", raw_.timeout, "Give up after this long: 500ms, 30s, 5m, 2h")
      ->type_name("D")
      ->group(group);
}

int run_command(const std::vector<std::string>& words, Environment& environment) {
  Registry::RawOptions raw;
  Action chosen;
  CLI::App root("cidbus: tasks on content-addressed data", "cidbus");
  root.set_version_flag("--version",
                        "cidbus " CIDBUS_VERSION ", protocol " + std::to_string(protocol_version));
  root.footer(root_footer);
  root.get_formatter()->column_width(34);
  Registry registry(root, raw, chosen);
  registry.add_common_options(root);
  add_content_commands(registry);
  add_submit_command(registry);
  add_task_commands(registry);
  add_cluster_commands(registry);
  add_bench_command(registry);
  try {
    root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return fail(environment, usage_fault(root, error));
    std::ostringstream text;
    root.exit(error, text, text);
    const Status written = environment.out.write(as_bytes(text.view()));
    return written ? 0 : fail(environment, written.error());
  }
  if (!chosen) return fail(environment, {FaultKind::BadUsage, "no command was given; see 'cidbus --help'"});
  return run_action(chosen, raw, environment);
}

}  // namespace cidbus
