#include "node/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "node/greeting.h"
#include "node/identity.h"
#include "node/server.h"
#include "shared/content/quote.h"
#include "shared/io/hosted_role.h"
#include "shared/io/machine_reader.h"
#include "shared/settings/nearest.h"
#include "shared/settings/role_settings.h"

namespace cidbus {
namespace {

constexpr const char* footer = R"(Examples:
  cidbus-node --role auto --data /var/lib/cidbus --brokers 10.0.0.1:9096
  cidbus-node --role worker --data /var/lib/cidbus --slots 4 --storage-max 100GB
  cidbus-node --role master,worker --data /var/lib/cidbus --listen 127.0.0.1:9096
All other flags are those of the role's own program: see cidbus-worker --help and so on. Each role takes
those it knows; the rest of its settings come from its own table, such as [worker]. What auto chooses by:
cidbus role detect.)";

constexpr const char* role_help =
    "auto: whichever fits the machine; or master, worker, leecher, gateway, observer; several, with commas, "
    "run side by side";

Result<std::vector<Role>> parse_roles(const std::string& text) {
  if (text == "auto") return std::vector<Role>{};
  std::vector<Role> roles;
  const std::vector<std::string> names{"auto", "master", "worker", "leecher", "gateway", "observer"};
  for (const std::string& name : CLI::detail::split(text, ',')) {
    const auto role = parse_role(name);
    if (!role || *role == Role::Client) {
      return fault(FaultKind::BadUsage, in_quotes(name) + " is no role; there are " +
                                            CLI::detail::join(names, ", ") + did_you_mean(name, names));
    }
    if (std::find(roles.begin(), roles.end(), *role) != roles.end())
      return fault(FaultKind::BadUsage, in_quotes(name) + " stands there twice");
    roles.push_back(*role);
  }
  return roles;
}

void add_own_flags(CLI::App& app, NodeCommand& command) {
  app.footer(footer);
  app.allow_extras();
  app.add_option("--role", command.role, role_help)
      ->type_name("ROLE,…")
      ->check([](const std::string& text) {
        const auto roles = parse_roles(text);
        return roles ? std::string() : roles.error().message;
      })
      ->capture_default_str();
  app.add_option("--data", command.data,
                 "Folder of its name and of all that its roles keep; made when it is not there")
      ->type_name("FOLDER")
      ->required();
  add_name_option(app, command.node.name);
  CLI::Option* const name = app.get_option("--name");
  name->required(false)->description(
      "Its name, unique in the cluster; without it the one it had before, or a new one");
  add_brokers_option(app, command.node.brokers);
  add_common_flags(app, command.node);
  app.add_flag(
      "--may-switch", command.may_switch,
      "Leave the role that was asked for when another one fits the machine better for long; auto does");
  app.add_flag("--greet", command.greets)->group("")->configurable(false);
}

bool has_role(const NodeCommand& command, Role role) {
  return std::find(command.roles.begin(), command.roles.end(), role) != command.roles.end();
}

// The roles beside a broker belong to it, unless they are told otherwise.
void follow_own_broker(NodeCommand& command) {
  if (!has_role(command, Role::Master) || command.node.brokers != NodeOptions().brokers) return;
  for (const std::string& word : command.words)
    if (word.starts_with("--listen=")) command.node.brokers = word.substr(word.find('=') + 1);
}

// What every role is told, where it is not as it would be anyway.
Words common_words(const NodeOptions& node) {
  const NodeOptions otherwise;
  Words words;
  const auto add = [&](const char* flag, const std::string& value, const std::string& without) {
    if (value != without) words.push_back(std::string(flag) + "=" + value);
  };
  add("--brokers", node.brokers, otherwise.brokers);
  add("--cluster", node.cluster, otherwise.cluster);
  add("--log-level", node.log_level, otherwise.log_level);
  add("--log-format", node.log_format, otherwise.log_format);
  add("--key-file", node.keys.key, otherwise.keys.key);
  add("--allow-file", node.keys.allow, otherwise.keys.allow);
  if (node.keys.insecure) words.emplace_back("--insecure");
  return words;
}

// Its group names this node: it is one of the brokers that the cluster wants.
bool is_wanted_broker(const NodeCommand& command) {
  for (const std::string& word : command.words) {
    if (word.starts_with("--group=") &&
        ("," + word.substr(8)).find("," + command.node.name + "=") != std::string::npos)
      return true;
  }
  return false;
}

std::string name_in(const NodeCommand& command, Role role) {
  return command.roles.size() == 1 ? command.node.name : command.node.name + "-" + std::string(to_text(role));
}

Words words_for(const NodeCommand& command, Role role) {
  Words words = common_words(command.node);
  words.insert(words.end(), command.words.begin(), command.words.end());
  words.push_back("--name=" + name_in(command, role));
  words.push_back("--data=" + command.data + "/" + std::string(to_text(role)));
  words = words_of_role(role, words, command.roles.size() > 1 ? command.roles : std::vector{role});
  if (!command.config.empty()) words.push_back("--config=" + command.config);
  return words;
}

Status choose_role(NodeCommand& command, Log& log) {
  const Detection detection =
      detect_role(read_machine(command.data), command.profiles, is_wanted_broker(command));
  if (!detection.chosen) return fault(FaultKind::Failed, detection.reason);
  command.roles = {*detection.chosen};
  log.info("role " + std::string(to_text(*detection.chosen)) + ": " + detection.reason);
  return {};
}

NodeServerOptions server_options(const NodeCommand& command, const ToldRole& told,
                                 std::vector<std::string> brokers) {
  NodeServerOptions options;
  options.roles = command.roles;
  options.may_switch = command.may_switch;
  options.broker_wanted = is_wanted_broker(command);
  options.profiles = command.profiles;
  options.place = {command.node.cluster, command.node.name, std::move(brokers)};
  options.folder = command.data;
  options.told = told;
  options.open = [command](Role role) { return open_role(role, words_for(command, role)); };
  options.measure = [data = command.data] { return read_machine(data); };
  options.keep = [data = command.data, line = command.role](const ToldRole& kept) {
    PosixFileSystem files;
    return keep_told_role(files, data, line, kept);
  };
  return options;
}

// Before anything is made: what cannot be for its keys leaves no folder behind.
Status check_way(const NodeOptions& node) {
  const auto brokers = parse_addresses(node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  const auto trust = trust_of(node.keys, nullptr);
  if (!trust) return tl::unexpected(trust.error());
  for (const std::string& broker : *brokers)
    if (Status may = may_use(*trust, "connect to", broker); !may) return may;
  return {};
}

}  // namespace

ParsedNode parse_node_options(int argc, const char* const* argv) {
  NodeCommand command;
  CLI::App app(
      "Hosts any role, or several, in one process: the one that fits the machine, or the one it is told.",
      node_program);
  add_own_flags(app, command);
  if (const auto ended = parse_command_line(app, argc, argv, {role_tables(command.profiles)})) return *ended;
  if (const CLI::Option* const config = app.get_option("--config"); config->count() > 0)
    command.config = config->results().front();
  auto words = check_role_words(app.remaining());
  if (!words) return words.error();
  command.words = *std::move(words);
  command.roles = *parse_roles(command.role);
  if (command.roles.empty()) command.may_switch = true;
  if (command.may_switch && command.roles.size() > 1)
    return Fault{FaultKind::BadUsage, "--may-switch is for a node of one role; leave it out, or name one"};
  if (command.roles.size() > 1 && !command.node.keys.key.empty())
    return Fault{FaultKind::BadUsage,
                 "--role with several roles and --key-file: each needs a key of its own; start a "
                 "cidbus-node for each"};
  return command;
}

Result<std::unique_ptr<RunningRole>> open_node(NodeCommand command) {
  const auto level = log_level_of(command.node);
  if (!level) return tl::unexpected(level.error());
  if (Status may = check_way(command.node); !may) return tl::unexpected(may.error());
  const auto folder = std::make_shared<NodeFolder>();
  PosixFileSystem files;
  auto opened = open_node_folder(files, command.data, command.node.name);
  if (!opened) return tl::unexpected(opened.error());
  *folder = *std::move(opened);
  command.node.name = folder->name;
  auto log = make_stderr_log(command.node.name, *level);
  const auto told = read_told_role(files, command.data, command.role);
  if (!told) return tl::unexpected(told.error());
  if (told->role) command.roles = {*told->role};
  if (command.roles.empty()) {
    if (Status chosen = choose_role(command, *log); !chosen) return tl::unexpected(chosen.error());
  }
  follow_own_broker(command);
  auto brokers = parse_addresses(command.node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  auto trust = trust_of(command.node.keys, log.get());
  if (!trust) return tl::unexpected(trust.error());
  auto hosted = std::make_unique<HostedRole>(std::move(log), *std::move(trust), folder);
  auto node = open_hosted<NodeServer>(std::move(hosted), server_options(command, *told, *std::move(brokers)));
  if (!node) return tl::unexpected(node.error());
  if (command.greets) {
    const Greeting greeting{command.roles, command.words, command.node.cluster, command.node.keys.insecure};
    std::fputs(greeting_text(greeting).c_str(), stdout);
    std::fflush(stdout);
  }
  return node;
}

}  // namespace cidbus
