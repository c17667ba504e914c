#include <CLI/CLI.hpp>

#include "client/command/registry.h"
#include "client/command/run_program.h"

namespace cidbus {
namespace {

constexpr const char* observer = "cidbus-observer";

// The observer's command line: as this command was told, and under the key's own name where there is a key.
std::vector<std::string> words_for(Context& context, const CommandRegistry::RawOptions& raw,
                                   const std::string& program) {
  const auto& keys = context.common().trust.keys;
  const std::string name = keys == nullptr ? client_identity(raw.cluster, "top").name : keys->self().name;
  std::vector<std::string> words{program, "--name", name, "--brokers", raw.brokers, "--cluster", raw.cluster};
  for (const auto& [flag, value] :
       {std::pair("--key-file", raw.keys.key), std::pair("--allow-file", raw.keys.allow)})
    if (!value.empty()) words.insert(words.end(), {flag, value});
  if (raw.keys.insecure) words.emplace_back("--insecure");
  return words;
}

Result<int> top(Context& context, const CommandRegistry::RawOptions& raw) {
  const std::string program = find_program(observer, context.environment().programs);
  if (program.empty())
    return fault(FaultKind::NotFound,
                 std::string(observer) + " is not installed beside this program, nor in PATH");
  return become_program(words_for(context, raw, program));
}

}  // namespace

void add_top_command(CommandRegistry& registry) {
  registry.leaf(registry.root(),
                {"top",
                 "Watch brokers, nodes, tasks and alerts as they change: cidbus-observer in this terminal. "
                 "Where there is no terminal, a line for all that happens",
                 "  cidbus top\n  cidbus top --brokers 10.0.0.1:9096\n"},
                [&registry](Context& context) { return top(context, registry.raw()); });
}

}  // namespace cidbus
