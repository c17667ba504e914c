#include "client/command/command.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/io/node_options.h"
#include "shared/settings/explain.h"
#include "shared/settings/help_text.h"
#include "shared/settings/man_page.h"

namespace cidbus {
namespace {

constexpr const char* root_footer = R"(A first round, with a cluster running (scripts/local-cluster up):
  cidbus add picture.jpg                         prints the picture's CID
  cidbus submit process_content --input picture.jpg --param transform=resize --param width=320 --wait
  cidbus get CID -o small.jpg                    fetches the result
  cidbus cluster status                          who leads, how many tasks wait

'cidbus COMMAND --help' tells each command's options, examples and exit codes.
The common options are settings: --cluster N, else CIDBUS_CLUSTER in the environment, else cluster = "N" under
[command] or [common] in ~/.config/cidbus/cidbus.toml or /etc/cidbus/cidbus.toml. NO_COLOR: no colours.)";

constexpr const char* exit_codes = R"(Exit codes:
  0 done                         69 no broker reachable or no quorum
  1 the task failed, not found   75 no room now: try again later
  2 wrong usage                  77 not allowed
  65 bad data                    124 timed out; 130, 143 interrupted
                                 141 nobody reads what it prints)";

// The texts were checked when they were taken; what is left is to make values of them.
Result<CommonOptions> understand(const CommandRegistry::RawOptions& raw) {
  CommonOptions common;
  const auto brokers = parse_addresses(raw.brokers);
  if (!brokers) return fault(FaultKind::BadUsage, "--brokers: " + brokers.error().message);
  common.brokers = *brokers;
  common.cluster = raw.cluster;
  common.format = *parse_format(raw.output);
  common.trust = trust_or_fault(raw.keys);
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
  return {FaultKind::BadUsage, explain(root, error) + "; see '" + path_of(root) + " --help'"};
}

int fail(Environment& environment, const Fault& why) {
  report(environment, why.message);
  return exit_code(why.kind);
}

int run_action(const Action& action, CommonOptions common, Environment& environment) {
  if (common.trust.insecure)
    report(environment,
           "--insecure: no keys are used; whoever answers at the brokers' addresses is believed");
  Context context(environment, std::move(common));
  const Result<int> ended = action(context);
  const Status written = context.output().flush();
  if (const int code = context.interrupted(); code != 0) return code;
  if (!ended) return fail(environment, ended.error());
  if (!written) return fail(environment, written.error());
  return *ended;
}

Result<int> show_settings(Context& context, const std::vector<SettingValue>& settings) {
  Output& output = context.output();
  if (output.format() == Format::Table) {
    output.text(origins_as_text(settings));
    return 0;
  }
  output.open_list();
  for (const SettingValue& setting : settings) {
    JsonWriter json;
    json.open_object().name("name").string(setting.name).name("value").string_or_null(setting.value);
    json.name("origin").string(setting.origin).close_object();
    if (output.is_json())
      output.item(json.text());
    else
      output.line(printable(setting.name));
  }
  output.close_list();
  return 0;
}

// The whole command line: what it may say, and what came of reading it.
struct CommandLine {
  CommandRegistry::RawOptions raw;
  CommandRegistry::Chosen chosen;
  CLI::App root{"cidbus: tasks on content-addressed data", "cidbus"};
  CommandRegistry registry{root, raw, chosen};

  CommandLine() {
    root.set_version_flag("--version",
                          "cidbus " CIDBUS_VERSION ", protocol " + std::to_string(protocol_version));
    root.footer(root_footer);
    add_content_commands(registry);
    add_name_commands(registry);
    add_submit_command(registry);
    add_task_commands(registry);
    add_cluster_commands(registry);
    add_role_commands(registry);
    add_up_command(registry);
    add_config_commands(registry);
    add_top_command(registry);
    add_doctor_command(registry);
    add_completion_command(registry);
    add_key_commands(registry);
    add_bench_command(registry);
    add_manual_flag(root);
    use_help_layout(root);
  }

  Status resolve(const SettingsWorld& world) {
    return with_common_options([&](CLI::App& common) { return registry.settings().resolve(world, common); });
  }
};

int run_understood(CommandLine& line, Environment& environment) {
  const Status resolved = line.resolve(environment.settings);
  if (!resolved && !line.chosen.bears_bad_settings) return fail(environment, resolved.error());
  auto common = understand(line.raw);
  if (!common) return fail(environment, common.error());
  const Settings& settings = line.registry.settings();
  common->config_files = settings.candidates(environment.settings);
  if (!resolved) common->settings_fault = resolved.error();
  if (settings.show_origin()) {
    const Action show = [&](Context& context) { return show_settings(context, settings.values()); };
    return run_action(show, std::move(*common), environment);
  }
  if (!line.chosen.action)
    return fail(environment, {FaultKind::BadUsage, "no command was given; see 'cidbus --help'"});
  return run_action(line.chosen.action, std::move(*common), environment);
}

}  // namespace

CommandRegistry::CommandRegistry(CLI::App& root, RawOptions& raw, Chosen& chosen)
    : root_(root),
      raw_(raw),
      chosen_(chosen),
      settings_(add_common_options(root), "command", {role_tables(profiles_)}) {}

CLI::App& CommandRegistry::group(const std::string& name, const std::string& summary) {
  CLI::App* const app = root_.add_subcommand(name, summary);
  app->require_subcommand(1);
  return *app;
}

CLI::App& CommandRegistry::leaf(CLI::App& parent, const LeafText& text, Action action) {
  CLI::App* const app = parent.add_subcommand(text.name, text.summary);
  app->footer("Examples:\n" + text.examples + "\n" + exit_codes);
  app->callback([this, chosen = Chosen{std::move(action), text.bears_bad_settings}] { chosen_ = chosen; });
  settings_.add_flags(add_common_options(*app));
  return *app;
}

CLI::App& CommandRegistry::add_common_options(CLI::App& app) {
  add_brokers_option(app, raw_.brokers);
  add_cluster_option(app, raw_.cluster);
  add_output_option(app, raw_.output).group(common_options);
  app.add_option("--timeout", raw_.timeout, "Give up after this long: 500ms, 30s, 5m, 2h")
      ->type_name("D")
      ->check([](const std::string& text) {
        const auto timeout = parse_duration(text);
        return timeout ? "" : timeout.error().message;
      })
      ->group(common_options);
  add_key_flags(app, raw_.keys);
  return app;
}

Status check_own_settings(const std::string& file) {
  CommandLine line;
  return line.resolve({[&](const std::string& name) -> std::optional<std::string> {
                         return name == "CIDBUS_CONFIG" ? std::optional(file) : std::nullopt;
                       },
                       {}});
}

int run_command(const std::vector<std::string>& words, Environment& environment) {
  CommandLine line;
  try {
    line.root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return fail(environment, usage_fault(line.root, error));
    if (const auto unknown = unknown_command(line.root))
      return fail(environment, {FaultKind::BadUsage, *unknown + "; see 'cidbus --help'"});
    std::ostringstream text;
    line.root.exit(error, text, text);
    const Status written = environment.out.write(as_bytes(text.view()));
    return written ? 0 : fail(environment, written.error());
  }
  return run_understood(line, environment);
}

}  // namespace cidbus
