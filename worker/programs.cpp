#include "worker/programs.h"

#include "shared/base/limits/programs.h"
#include "shared/settings/config_file.h"
#include "worker/handlers/exec.h"

namespace cidbus {

Result<std::vector<ExecProgram>> read_programs(const std::string& config_file) {
  std::vector<ExecProgram> programs;
  const auto file = read_config_file(config_file);
  if (!file) return tl::unexpected(file.error());
  const ConfigValue* const worker = file->find("worker");
  const ConfigValue* const tables = worker == nullptr ? nullptr : worker->find("exec");
  if (tables == nullptr) return programs;
  for (const auto& [name, table] : tables->entries) {
    if (table.kind != ConfigValue::Kind::Table) {
      return fault(FaultKind::BadData, to_text(table.place) + ": a program is a table, [worker.exec.NAME]");
    }
    auto program = read_program(name, table);
    if (!program) return tl::unexpected(program.error());
    programs.push_back(std::move(*program));
  }
  return programs;
}

Status offer_programs(const std::string& config_file, HandlerRegistry& registry, Log& log) {
  if (config_file.empty()) return {};
  auto read = read_programs(config_file);
  if (!read) return tl::unexpected(read.error());
  std::vector<ExecProgram> programs = std::move(*read);
  if (programs.size() > limits::programs) {
    return fault(FaultKind::BadUsage, std::to_string(programs.size()) +
                                          " programs are configured; a worker takes " +
                                          std::to_string(limits::programs));
  }
  for (ExecProgram& program : programs) {
    if (const Status checked = check_sandbox(program.sandbox); !checked) {
      log.error(program.type + " is not offered: " + checked.error().message +
                "; the package bubblewrap, user namespaces and what read-only names must be there");
      continue;
    }
    if (Status added = registry.add(make_exec(std::move(program))); !added) return added;
  }
  return {};
}

}  // namespace cidbus
