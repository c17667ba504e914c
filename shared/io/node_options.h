// The flags that every role's command line shares, and how a role learns its settings: from the command line,
// the environment and configuration files (shared/settings/settings.h).
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/io/bus_link.h"
#include "shared/io/log.h"
#include "shared/io/trust.h"
#include "shared/settings/settings.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cidbus {

// What --key-file, --allow-file and --insecure say.
struct KeyOptions {
  std::string key;    // file of the private key; empty: no keys are used
  std::string allow;  // file of the allow-list; empty: `allow` beside the private key
  bool insecure = false;
};

struct NodeOptions {
  std::string name;
  std::string cluster = "cidbus";
  std::string brokers = "127.0.0.1:9096";  // HOST:PORT[,HOST:PORT...]
  std::string log_level = "warning";
  std::string labels;  // KEY=VALUE[,KEY=VALUE...]
  std::string log_format = "logfmt";
  KeyOptions keys;
};

// --metrics-listen, where a role has no other HTTP.
void add_metrics_option(CLI::App& app, std::string& address, const char* meaning);
void add_key_flags(CLI::App& app, KeyOptions& options);
// --cluster, --log-level, --version, and those for keys.
void add_common_flags(CLI::App& app, NodeOptions& options);
// Those, --name (required) and --brokers with its other name --master.
void add_node_flags(CLI::App& app, NodeOptions& options);

void add_name_option(CLI::App& app, std::string& name);
// An option under common_options whose words are brokers; the default is kept.
void add_brokers_option(CLI::App& app, std::string& brokers);
void add_cluster_option(CLI::App& app, std::string& cluster);
// Of a node that has a vote: --vote-by-hand.
void add_vote_flag(CLI::App& app, bool& by_hand);
// --label: what a node's owner says of where it is.
void add_label_option(CLI::App& app, std::string& labels);
// KEY=VALUE[,KEY=VALUE...]; BadUsage naming the part that makes no sense.
Result<std::vector<std::pair<std::string, std::string>>> parse_labels(std::string_view list);
// --output table|json|ndjson|quiet: the same words in every program that has it, so that CIDBUS_OUTPUT, meant
// for one, stops no other.
CLI::Option& add_output_option(CLI::App& app, std::string& output);

// Calls `use` with the options that the table [common] may hold in any program's file.
Status with_common_options(const std::function<Status(CLI::App& common)>& use);

// Reads the command line, and what environment and files say. An exit code when the program should end now: 0
// after --help, --version and --show-origin; 2, 65 or 77 after one line about what is wrong. Tables
// [ROLE.NAME.x] of the role's own are taken by `sub_tables`. A program without settings reads no files.
// --help tells the exit codes and, with settings, the three ways to give them.
std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv,
                                      std::vector<SubTables> sub_tables = {});

// What the flags say, checked: BadUsage names the flag and what it takes.
Result<NodeIdentity> identity_of(const NodeOptions& options, Role role);
// Keys and allow-list, read. BadUsage for --insecure beside keys, otherwise the faults of Keyring::open().
Result<Trust> trust_of(const KeyOptions& options, Log* log);
// The same for who connects only later, where CIDBUS_KEY_FILE and CIDBUS_ALLOW_FILE stand in for what is
// empty: what cannot be used is the Trust's fault, told by what connects.
Trust trust_or_fault(const KeyOptions& options);
// The same for a node, whose key is checked. Warns of --insecure.
Result<Trust> trust_of(const NodeOptions& options, Role role, Log& log);
// NotAllowed when there are keys and they are not for this name and role.
Status check_key(const Trust& trust, std::string_view name, Role role);
// The log that these options ask for. REQUIRES: their words are those that the flags allow.
std::unique_ptr<Log> make_log(const NodeOptions& options, Role role);
Result<LogLevel> log_level_of(const NodeOptions& options);

}  // namespace cidbus
