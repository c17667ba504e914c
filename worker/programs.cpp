#include "worker/programs.h"

#include "shared/base/limits/programs.h"
#include "worker/handlers/exec.h"

namespace cidbus {

SubTables program_tables(std::vector<ExecProgram>& programs) {
  return {"exec", [&programs](const std::string& name, const ConfigValue& table) -> Status {
            auto program = read_program(name, table);
            if (!program) return tl::unexpected(program.error());
            programs.push_back(*std::move(program));
            return {};
          }};
}

Status offer_programs(std::vector<ExecProgram> programs, HandlerRegistry& registry, Log& log) {
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
