// How a group of commands puts itself on the command line: a leaf has options, and an action that runs once
// the whole line is understood.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <functional>
#include <string>

#include "client/command/context.h"
#include "shared/base/result.h"
#include "shared/io/node_options.h"
#include "shared/settings/role_settings.h"
#include "shared/settings/settings.h"

namespace CLI {
class App;
}

namespace cidbus {

// Gives the exit code; a fault becomes its line and its code.
using Action = std::function<Result<int>(Context&)>;

struct LeafText {
  std::string name;
  std::string summary;              // one line
  std::string examples;             // lines of "  cidbus …"
  bool bears_bad_settings = false;  // runs although a configuration file is bad: Context::settings_fault()
};

class CommandRegistry {
 public:
  struct RawOptions {  // as typed, or as environment and files say
    std::string brokers = "127.0.0.1:9096", cluster = "cidbus", output = "table", timeout;
    KeyOptions keys;
  };
  struct Chosen {
    Action action;
    bool bears_bad_settings = false;
  };

  // Adds the common options to the root.
  CommandRegistry(CLI::App& root, RawOptions& raw, Chosen& chosen);

  CLI::App& root() { return root_; }
  CLI::App& group(const std::string& name, const std::string& summary);
  // With the common options, --help and the exit codes.
  CLI::App& leaf(CLI::App& parent, const LeafText& text, Action action);
  Settings& settings() { return settings_; }
  // As the configuration files have them, once the line is understood.
  [[nodiscard]] const RoleProfiles& profiles() const { return profiles_; }
  // Once the command line is understood.
  [[nodiscard]] const RawOptions& raw() const { return raw_; }

 private:
  CLI::App& add_common_options(CLI::App& app);

  CLI::App& root_;
  RawOptions& raw_;
  Chosen& chosen_;
  RoleProfiles profiles_ = default_profiles();
  Settings settings_;
};

void add_content_commands(CommandRegistry& registry);
void add_name_commands(CommandRegistry& registry);
void add_submit_command(CommandRegistry& registry);
void add_task_commands(CommandRegistry& registry);
void add_cluster_commands(CommandRegistry& registry);
void add_handover_command(CommandRegistry& registry, CLI::App& parent);
void add_health_command(CommandRegistry& registry, CLI::App& parent);
void add_bench_command(CommandRegistry& registry);
void add_config_commands(CommandRegistry& registry);
void add_vote_commands(CommandRegistry& registry, CLI::App& group);
void add_member_commands(CommandRegistry& registry, CLI::App& group);
void add_top_command(CommandRegistry& registry);
void add_doctor_command(CommandRegistry& registry);
void add_completion_command(CommandRegistry& registry);
void add_key_commands(CommandRegistry& registry);
void add_role_commands(CommandRegistry& registry);
void add_node_role_commands(CommandRegistry& registry, CLI::App& group);
void add_up_command(CommandRegistry& registry);

// Whether a file's [common] and [command] say what this program can take. For a file alone, whatever the
// environment says.
Status check_own_settings(const std::string& file);

}  // namespace cidbus
