#include "client/command/config_check.h"

#include <algorithm>

#include "client/command/registry.h"
#include "client/command/run_program.h"
#include "shared/settings/config_file.h"

namespace cidbus {
namespace {

ConfigVerdict verdict_of(std::string program, const Status& checked) {
  if (checked) return {std::move(program), "ok", "", 0};
  return {std::move(program), "bad", checked.error().message, exit_code(checked.error().kind)};
}

// A role's table is checked by the role's own program, which knows what it takes: none is started, only
// asked.
ConfigVerdict ask_program(Context& context, const std::string& table, const std::string& file) {
  const std::string program = "cidbus-" + table;
  const std::string path = find_program(program, context.environment().programs);
  if (path.empty())
    return {program, "unchecked", program + " is not installed here, so [" + table + "] was not checked", 0};
  const auto ran = run_program({path, "--config", file, "--check-config"});
  if (!ran) return verdict_of(program, tl::unexpected(ran.error()));
  if (ran->code == 0) return {program, "ok", "", 0};
  const std::string before = program + ": ";
  const std::string line = ran->errors.substr(0, ran->errors.find('\n'));
  return {program, "bad", line.starts_with(before) ? line.substr(before.size()) : line, ran->code};
}

}  // namespace

Result<std::vector<ConfigVerdict>> check_config_file(Context& context, const std::string& file) {
  const auto read = read_config_file(file);
  if (!read) return tl::unexpected(read.error());
  std::vector<ConfigVerdict> verdicts{verdict_of("cidbus", check_own_settings(file))};
  for (const auto& [table, value] : read->entries) {
    const auto& known = known_tables();
    // What is wrong outside its own table, every program says alike: once is enough. [role] is ours as well.
    const bool is_ours = table == "common" || table == "command" || table == "role";
    const bool is_program = std::find(known.begin(), known.end(), table) != known.end() && !is_ours;
    if (is_program && verdicts.front().code == 0) verdicts.push_back(ask_program(context, table, file));
  }
  return verdicts;
}

}  // namespace cidbus
