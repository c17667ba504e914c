// How a group of commands puts itself on the command line: a leaf has options, and an action that runs once
// the whole line is understood.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <functional>
#include <string>

#include "client/command/context.h"
#include "shared/base/result.h"

namespace CLI {
class App;
}

namespace cidbus {

// Gives the exit code; a fault becomes its line and its code.
using Action = std::function<Result<int>(Context&)>;

struct LeafText {
  std::string name;
  std::string summary;   // one line
  std::string examples;  // lines of "  cidbus …"
};

class Registry {
 public:
  struct RawOptions {  // as typed
    std::string brokers, cluster, output, timeout;
  };

  Registry(CLI::App& root, RawOptions& raw, Action& chosen) : root_(root), raw_(raw), chosen_(chosen) {}

  CLI::App& root() { return root_; }
  CLI::App& group(const std::string& name, const std::string& summary);
  // With the common options, --help and the exit codes.
  CLI::App& leaf(CLI::App& parent, const LeafText& text, Action action);
  void add_common_options(CLI::App& app);

 private:
  CLI::App& root_;
  RawOptions& raw_;
  Action& chosen_;
};

void add_content_commands(Registry& registry);
void add_submit_command(Registry& registry);
void add_task_commands(Registry& registry);
void add_cluster_commands(Registry& registry);
void add_bench_command(Registry& registry);

// A list of --output's words and the like, for messages: "table, json, ndjson or quiet".
inline constexpr const char* format_names = "table, json, ndjson or quiet";

}  // namespace cidbus
