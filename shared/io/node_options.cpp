#include "shared/io/node_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "shared/base/ensure.h"
#include "shared/base/limits/members.h"
#include "shared/content/quote.h"
#include "shared/io/process.h"
#include "shared/io/random.h"
#include "shared/io/version.h"
#include "shared/settings/explain.h"
#include "shared/settings/help_text.h"
#include "shared/settings/man_page.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr const char* name_rule = "; use 1 to 64 letters, digits, '.', '_' or '-'";

constexpr const char* exit_codes = R"(Exit codes:
  0 ended as asked               69 no broker reachable or no quorum
  1 failed                       75 no room, or the data folder is in use: try again later
  2 wrong usage                  77 not allowed
  65 bad data                    130, 143 ended at once by a second signal)";

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string name_problem(const std::string& text) {
  return is_valid_name(text) ? "" : in_quotes(text) + " is no name" + name_rule;
}

std::string addresses_problem(const std::string& text) {
  const auto addresses = parse_addresses(text);
  return addresses ? "" : addresses.error().message;
}

// Every program says the same about its settings, behind its own examples.
std::string settings_text(const CLI::App& app) {
  const std::string table = table_of(app.get_name());
  const auto& tables = known_tables();
  if (std::find(tables.begin(), tables.end(), table) == tables.end())
    return "Every option may come from the environment: CIDBUS_HTTP stands for --http.\n\n";
  return "Every option is a setting: --log-level info on the command line, else CIDBUS_LOG_LEVEL=info in "
         "the\n"
         "environment, else log-level = \"info\" under [" +
         table +
         "] in a configuration file. The common options may\n"
         "stand under [common] as well, for all programs. 'cidbus config check' checks a file.\n\n";
}

// Behind what the program and each of its commands say themselves.
void add_to_footers(CLI::App& app, const std::string& text) {
  const std::string own = app.get_footer();
  app.footer((own.empty() ? "" : own + "\n\n") + text);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    add_to_footers(*command, text);
}

std::optional<int> end_with(const CLI::App& app, const Fault& fault) {
  return report_fault(app.get_name(), fault);
}

std::optional<int> parse_words(CLI::App& app, Settings* settings, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success& wanted) {  // --help, --version
    if (settings != nullptr) settings->restore_required();
    std::ostringstream answer;
    const int code = app.exit(wanted, answer, answer);
    const Status printed = print_answer(answer.str());
    return printed ? code : end_with(app, printed.error());
  } catch (const CLI::ParseError& error) {
    return end_with(app, {FaultKind::BadUsage, explain(app, error) + "; see " + app.get_name() + " --help"});
  }
}

}  // namespace

void add_name_option(CLI::App& app, std::string& name) {
  app.add_option("--name", name, "This node's name, unique in the cluster")
      ->type_name("NAME")
      ->check(name_problem)
      ->required();
}

Result<std::vector<std::pair<std::string, std::string>>> parse_labels(std::string_view list) {
  std::vector<std::pair<std::string, std::string>> labels;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view label = list.substr(0, comma);
    const auto equals = label.find('=');
    const std::string_view key = label.substr(0, equals);
    const bool whole =
        equals != std::string_view::npos && is_valid_name(key) && is_valid_name(label.substr(equals + 1));
    if (!whole)
      return fault(FaultKind::BadUsage,
                   in_quotes(label) + " is no label; give KEY=VALUE, each a name" + name_rule);
    for (const auto& [known, value] : labels)
      if (known == key) return fault(FaultKind::BadUsage, "two labels " + in_quotes(key) + "; give one");
    labels.emplace_back(key, label.substr(equals + 1));
    if (labels.size() > limits::labels_a_node)
      return fault(FaultKind::BadUsage, "more labels than a node may have, which is 16");
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return labels;
}

void add_label_option(CLI::App& app, std::string& labels) {
  app.add_option("--label", labels,
                 "What its owner says of this node; copies of blocks go to nodes with another zone first")
      ->type_name("KEY=VALUE,…")
      ->check([](const std::string& text) {
        const auto parsed = parse_labels(text);
        return parsed ? std::string() : parsed.error().message;
      });
}

void add_vote_flag(CLI::App& app, bool& by_hand) {
  app.add_flag("--vote-by-hand", by_hand,
               "By itself it votes only against what it cannot do; the rest is for 'cidbus config vote'");
}

void add_brokers_option(CLI::App& app, std::string& brokers) {
  app.add_option("--brokers,--master", brokers, "Brokers to talk to")
      ->type_name("HOST:PORT,…")
      ->check(addresses_problem)
      ->capture_default_str()
      ->group(common_options);
}

void add_cluster_option(CLI::App& app, std::string& cluster) {
  app.add_option("--cluster", cluster, "Name of the cluster; members of others are refused")
      ->type_name("NAME")
      ->check(name_problem)
      ->capture_default_str()
      ->group(common_options);
}

void add_key_flags(CLI::App& app, KeyOptions& options) {
  app.add_option("--key-file", options.key, "Private key, as cidbus keygen made it; without it loopback only")
      ->type_name("FILE")
      ->group(common_options);
  app.add_option("--allow-file", options.allow,
                 "Allow-list of keys; default: the file 'allow' beside the key")
      ->type_name("FILE")
      ->group(common_options);
  // Not in a file or a variable: whoever wants that says so each time.
  app.add_flag("--insecure", options.insecure, "No keys on any address: whoever reaches it is believed")
      ->configurable(false)
      ->group(common_options);
}

CLI::Option& add_output_option(CLI::App& app, std::string& output) {
  CLI::Option* const option = app.add_option("--output", output, "How to answer");
  option->type_name("WORD")->capture_default_str();
  allow_only(*option, {"table", "json", "ndjson", "quiet"});
  return *option;
}

void add_common_flags(CLI::App& app, NodeOptions& options) {
  app.set_version_flag("--version", std::string("cidbus ") + version)
      ->configurable(false)
      ->group(common_options);
  add_cluster_option(app, options.cluster);
  CLI::Option* const level = app.add_option("--log-level", options.log_level, "How much is logged to stderr");
  level->type_name("WORD")->capture_default_str()->group(common_options);
  allow_only(*level, {"debug", "info", "warning", "error"});
  CLI::Option* const format = app.add_option("--log-format", options.log_format, "How it is logged");
  allow_only(*format->type_name("WORD")->capture_default_str()->group(common_options), {"logfmt", "json"});
  add_key_flags(app, options.keys);
}

void add_metrics_option(CLI::App& app, std::string& address, const char* meaning) {
  app.add_option("--metrics-listen", address, meaning)->type_name("HOST:PORT");
}

void add_node_flags(CLI::App& app, NodeOptions& options) {
  add_name_option(app, options.name);
  add_brokers_option(app, options.brokers);
  add_label_option(app, options.labels);
  add_common_flags(app, options);
}

Status with_common_options(const std::function<Status(CLI::App& common)>& use) {
  NodeOptions options;
  CLI::App common("", "common");
  add_node_flags(common, options);
  return use(common);
}

std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv,
                                      std::vector<SubTables> sub_tables) {
  const bool has_settings = !settings_of(app).empty();
  add_to_footers(app, has_settings ? settings_text(app) + exit_codes : exit_codes);
  use_help_layout(app);
  if (!has_settings) {
    add_manual_flag(app);
    return parse_words(app, nullptr, argc, argv);
  }
  Settings settings(app, table_of(app.get_name()), std::move(sub_tables));
  add_manual_flag(app, [&] { settings.restore_required(); });
  // Ends after everything was read and checked, without asking for what is required.
  bool check_config = false;
  app.add_flag("--check-config", check_config)->group("")->configurable(false);
  if (const auto ended = parse_words(app, &settings, argc, argv)) return ended;
  const Status resolved =
      with_common_options([&](CLI::App& common) { return settings.resolve(real_world(), common); });
  if (!resolved) return end_with(app, resolved.error());
  if (check_config) return 0;
  if (settings.show_origin()) {
    const Status printed = print_answer(origins_as_text(settings.values()));
    return printed ? 0 : end_with(app, printed.error());
  }
  if (const Status complete = settings.check_required(); !complete) return end_with(app, complete.error());
  return std::nullopt;
}

Result<NodeIdentity> identity_of(const NodeOptions& options, Role role) {
  if (!is_valid_name(options.name)) return fault(FaultKind::BadUsage, "--name " + name_problem(options.name));
  if (!is_valid_name(options.cluster))
    return fault(FaultKind::BadUsage, "--cluster " + name_problem(options.cluster));
  auto labels = parse_labels(options.labels);
  if (!labels) return tl::unexpected(labels.error());
  return NodeIdentity{options.cluster, options.name, role, random_incarnation(), *std::move(labels)};
}

Result<Trust> trust_of(const KeyOptions& options, Log* log) {
  Trust trust;
  trust.log = log;
  trust.insecure = options.insecure;
  if (options.insecure && !options.key.empty())
    return fault(FaultKind::BadUsage, "--insecure and --key-file exclude each other; leave one out");
  if (options.key.empty()) return trust;
  const std::string beside = std::filesystem::path(options.key).replace_filename("allow").string();
  auto keys = Keyring::open(options.key, options.allow.empty() ? beside : options.allow);
  if (!keys) return tl::unexpected(keys.error());
  trust.keys = std::move(*keys);
  return trust;
}

Trust trust_or_fault(const KeyOptions& given) {
  KeyOptions options = given;
  if (options.key.empty() && !options.insecure) options.key = from_environment("CIDBUS_KEY_FILE");
  if (options.allow.empty()) options.allow = from_environment("CIDBUS_ALLOW_FILE");
  auto trust = trust_of(options, nullptr);
  if (trust) return std::move(*trust);
  Trust none;
  none.fault = std::move(trust.error());
  return none;
}

Result<Trust> trust_of(const NodeOptions& options, Role role, Log& log) {
  auto trust = trust_of(options.keys, &log);
  if (!trust) return trust;
  if (options.keys.insecure)
    log.warning("--insecure: no keys are used; whoever reaches this node's ports is believed");
  if (Status good = check_key(*trust, options.name, role); !good) return tl::unexpected(good.error());
  return trust;
}

Status check_key(const Trust& trust, std::string_view name, Role role) {
  if (trust.keys == nullptr) return {};
  const KeyHolder& self = trust.keys->self();
  const std::string whose = "the allow-list " + trust.keys->allow_file() + " gives the key in use to '" +
                            self.name + "' as " + to_text(self.roles);
  if (self.name != name) {
    return fault(FaultKind::NotAllowed,
                 whose + ", not to '" + std::string(name) + "'; give each node its own key");
  }
  if (self.roles.has(role)) return {};
  return fault(FaultKind::NotAllowed,
               whose + ", not as " + std::string(to_text(role)) + "; add that role to its line there");
}

std::unique_ptr<Log> make_log(const NodeOptions& options, Role role) {
  const auto level = parse_log_level(options.log_level);
  const auto format = parse_log_format(options.log_format);
  ENSURE(level && format, options.log_level, options.log_format);
  return make_stderr_log({options.name, std::string(to_text(role)), *level, *format});
}

Result<LogLevel> log_level_of(const NodeOptions& options) {
  const auto level = parse_log_level(options.log_level);
  if (level) return *level;
  return fault(FaultKind::BadUsage,
               "--log-level '" + options.log_level + "' is unknown; give debug, info, warning or error");
}

}  // namespace cidbus
