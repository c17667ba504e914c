#include <CLI/CLI.hpp>
#include <memory>

#include "client/command/config_check.h"
#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/settings/config_file.h"

namespace cidbus {
namespace {

void print(Output& output, const std::string& file, const ConfigVerdict& verdict) {
  if (output.is_json()) {
    JsonWriter json;
    json.open_object().name("file").string(file).name("program").string(verdict.program);
    json.name("state").string(verdict.state).name("problem").string_or_null(verdict.problem);
    output.item(json.close_object().text());
  } else if (output.format() == Format::Table) {
    output.line(printable(file) + ": " + verdict.program + ": " + verdict.state);
  } else if (verdict.code != 0) {
    output.line(verdict.program);
  }
}

// A file that was named must be there; of the usual ones, those that are there are checked.
Result<int> check(Context& context, const std::string& named) {
  std::vector<std::string> files = named.empty() ? context.common().config_files : std::vector{named};
  if (named.empty()) {
    std::erase_if(files, [](const std::string& file) {
      const auto read = read_config_file_if_there(file);
      return read && !*read;
    });
  }
  int code = 0;
  context.output().open_list();
  for (const std::string& file : files) {
    const auto verdicts = check_config_file(context, file);
    if (!verdicts) return tl::unexpected(verdicts.error());
    for (const ConfigVerdict& verdict : *verdicts) {
      print(context.output(), file, verdict);
      if (!verdict.problem.empty()) context.complain(verdict.problem);
      if (code == 0) code = verdict.code;
    }
  }
  context.output().close_list();
  if (files.empty() && context.output().format() == Format::Table)
    context.output().line("there is no configuration file; every setting has its default");
  return code;
}

}  // namespace

void add_config_commands(CommandRegistry& registry) {
  CLI::App& group = registry.group(
      "config", "The cluster's configuration, by vote, and the settings of this machine's programs");
  const auto file = std::make_shared<std::string>();  // shared by the option and the action
  registry
      .leaf(group,
            {"check", "Check a configuration file for every program it speaks to; starts none",
             "  cidbus config check\n  cidbus config check /etc/cidbus/cidbus.toml\n"
             "  cidbus --show-origin        every setting of this command, and where it comes from\n"
             "  cidbus-worker --show-origin likewise, of a worker\n",
             true},
            [file](Context& context) { return check(context, *file); })
      .add_option("FILE", *file, "The file; without it, those that are used")
      ->type_name("");
  add_vote_commands(registry, group);
}

}  // namespace cidbus
