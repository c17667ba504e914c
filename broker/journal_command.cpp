#include "broker/journal_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include "broker/tool/journal_tool.h"
#include "shared/io/node_options.h"
#include "shared/io/posix_file_system.h"
#include "shared/io/process.h"

namespace cidbus {
namespace {

constexpr const char* program = "cidbus-broker journal";

struct Flags {
  std::string data;
  std::string copy;
  bool cut = false;
  std::uint64_t from = 1;
  std::uint64_t to = ~std::uint64_t{0};
};

constexpr const char* footer = R"(Examples:
  cidbus-broker journal verify /var/lib/cidbus/b1
  cidbus-broker journal dump /var/lib/cidbus/b1 --from 100 --to 120)";

constexpr const char* repair_footer = R"(Examples:
  cidbus-broker journal repair DATA --from /backup/b2   puts back exactly the damaged batches
  cidbus-broker journal repair DATA --cut               keeps what reads without a gap; tells what is lost
In a group, take --from the folder of another broker of it, stopped or copied.
Copy the folder before you cut; never cut a broker of a group: it would forget
what it has promised to the others.)";

CLI::App* add(CLI::App& app, Flags& flags, const char* name, const char* what) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("DATA", flags.data, "The folder that --data named")->type_name("")->required();
  return command;
}

Status run(const CLI::App& app, const Flags& flags) {
  PosixFileSystem files;
  const PrintLine print = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  if (app.got_subcommand("verify")) return verify_journal(files, flags.data, print);
  if (app.got_subcommand("dump")) return dump_journal(files, flags.data, {flags.from}, {flags.to}, print);
  if (flags.cut == !flags.copy.empty())
    return fault(FaultKind::BadUsage, "repair takes --from FOLDER or --cut, one of them");
  return flags.cut ? cut_journal(files, flags.data, print)
                   : repair_journal(files, flags.data, flags.copy, print);
}

}  // namespace

std::optional<int> run_journal_command(int argc, const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "journal") return std::nullopt;
  Flags flags;
  CLI::App app("Verifies, shows and repairs the journal of a broker that does not run.", program);
  app.require_subcommand(1);
  app.footer(footer);
  add(app, flags, "verify", "Read everything and name each damage; exit code 65 when there is some");
  CLI::App* dump = add(app, flags, "dump", "A line a record");
  dump->add_option("--from", flags.from, "The first record")->type_name("N")->capture_default_str();
  dump->add_option("--to", flags.to, "The last record; the newest when left out")->type_name("N");
  CLI::App* repair = add(app, flags, "repair", "Mend what is damaged");
  repair->add_option("--from", flags.copy, "Data folder of another broker of the group, or a copy of one")
      ->type_name("FOLDER");
  repair->add_flag("--cut", flags.cut, "Give up what is damaged and everything behind it");
  repair->footer(repair_footer);
  if (const auto ended = parse_command_line(app, argc - 1, argv + 1)) return ended;
  if (const Status status = run(app, flags); !status) return report_fault(program, status.error());
  return 0;
}

}  // namespace cidbus
