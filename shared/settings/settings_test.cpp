#include "shared/settings/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "shared/settings/explain.h"
#include "shared/settings/help_text.h"
#include "shared/settings/role_settings.h"

namespace cidbus {
namespace {

// A worker as its users know it, with one setting of each type.
struct Program {
  std::string name, brokers = "127.0.0.1:9096", durability = "disk";
  unsigned slots = 2;
  double drain = 30;
  std::uint64_t storage = 0;
  bool insecure = false;
  std::vector<std::string> blurs;
  CLI::App app{"runs tasks", "cidbus-worker"};
  CLI::App common{"", "common"};
  std::string common_brokers, common_cluster;

  Program() {
    app.add_option("--name", name)->required();
    app.add_option("--brokers,--master", brokers)
        ->type_name("HOST:PORT,…")
        ->group(common_options)
        ->capture_default_str();
    app.add_option("--slots", slots)->check(CLI::Range(1, 1000))->capture_default_str();
    app.add_option("--drain", drain)->capture_default_str();
    app.add_option("--storage-max", storage)->transform(CLI::AsSizeValue(false));
    allow_only(*app.add_option("--durability", durability)->capture_default_str(), {"disk", "memory"});
    app.add_flag("--insecure", insecure);
    common.add_option("--brokers,--master", common_brokers)->type_name("HOST:PORT,…")->group(common_options);
    common.add_option("--cluster", common_cluster)->group(common_options);
    common.add_option("--name", common_cluster);
  }
};

// As read_table() is used for a table of many: [worker.exec.NAME].
Status take_blur(Program& program, const std::string& name, const ConfigValue& table) {
  std::string path;
  CLI::App definition("", "worker.exec." + name);
  definition.add_option("--program", path)->required();
  unsigned most = 0;
  definition.add_option("--most", most);
  if (Status read = read_table(definition, table); !read) return read;
  program.blurs.push_back(name + "=" + path);
  return {};
}

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() { std::filesystem::create_directories(folder); }
  ~SettingsTest() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
    world.files.push_back(folder / name);
    return folder / name;
  }
  Status resolve(const std::string& line = "") {
    settings.reset();
    program = std::make_unique<Program>();
    settings = std::make_unique<Settings>(
        program->app, "worker",
        std::vector<SubTables>{{"exec", [this](const std::string& name, const ConfigValue& table) {
                                  return take_blur(*program, name, table);
                                }}});
    program->app.parse(line);
    return settings->resolve(world, program->common);
  }
  // Why a file of this text is refused, after FOLDER/.
  std::string problem(const std::string& text) {
    world.files.clear();
    file("bad.toml", text);
    const Status resolved = resolve("--name w1");
    if (resolved) return "";
    EXPECT_EQ(resolved.error().kind, FaultKind::BadData);
    return resolved.error().message.substr(folder.native().size() + 1);
  }
  std::string origin(const std::string& name) {
    for (const SettingValue& value : settings->values()) {
      if (value.name == name) return value.value + " | " + value.origin;
    }
    return "";
  }

  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("cidbus-settings-" + std::to_string(getpid()));
  std::map<std::string, std::string> variables;
  SettingsWorld world{[this](const std::string& name) -> std::optional<std::string> {
                        const auto found = variables.find(name);
                        return found == variables.end() ? std::nullopt : std::optional(found->second);
                      },
                      {}};
  std::string program_output;
  std::unique_ptr<Program> program;
  std::unique_ptr<Settings> settings;  // ends before program: it gives the options back
};

TEST_F(SettingsTest, FlagBeatsEnvironmentBeatsUsersFileBeatsMachinesFileBeatsDefault) {
  const std::string users = file("user.toml", "[worker]\nslots = 5\n");
  const std::string machines = file("machine.toml", "[worker]\nslots = 6\ndrain = 7\n");
  variables["CIDBUS_SLOTS"] = "4";
  ASSERT_TRUE(resolve("--slots 3"));
  EXPECT_EQ(program->slots, 3u);
  EXPECT_EQ(origin("slots"), "3 | flag");
  ASSERT_TRUE(resolve());
  EXPECT_EQ(program->slots, 4u);
  EXPECT_EQ(origin("slots"), "4 | environment CIDBUS_SLOTS");
  variables.clear();
  ASSERT_TRUE(resolve());
  EXPECT_EQ(program->slots, 5u);
  EXPECT_EQ(origin("slots"), "5 | " + users + ":2");
  world.files.erase(world.files.begin());
  ASSERT_TRUE(resolve());
  EXPECT_EQ(program->slots, 6u);
  EXPECT_EQ(program->drain, 7);
  EXPECT_EQ(origin("drain"), "7 | " + machines + ":3");
  world.files.clear();
  ASSERT_TRUE(resolve());
  EXPECT_EQ(program->slots, 2u);
  EXPECT_EQ(origin("slots"), "2 | default");
  EXPECT_EQ(origin("name"), " | not set");
}

TEST_F(SettingsTest, AProgramsOwnTableBeatsCommonAndCommonIsForAll) {
  file("f.toml",
       "[worker]\nbrokers = \"own:1\"\n[common]\nbrokers = \"all:1\"\ncluster = \"c\"\n[gateway]\nx = 1\n");
  ASSERT_TRUE(resolve()) << "cluster is for programs that have it; [gateway] is the gateway's";
  EXPECT_EQ(program->brokers, "own:1");
  world.files.clear();
  file("g.toml", "[common]\nmaster = \"all:1\"\n");
  ASSERT_TRUE(resolve());
  EXPECT_EQ(program->brokers, "all:1");
}

TEST_F(SettingsTest, EveryTypeOfOptionTakesItsTypeOfValue) {
  EXPECT_EQ(
      problem("[worker]\nname = \"w1\"\nslots = 1000\ndrain = 1\nstorage-max = \"1kb\"\ninsecure = true\n"
              "durability = \"memory\"\nbrokers = [\"a:1\", \"b:2\"]\n"),
      "");
  EXPECT_EQ(program->storage, 1024u);
  EXPECT_TRUE(program->insecure);
  EXPECT_EQ(program->durability, "memory");
  EXPECT_EQ(program->brokers, "a:1,b:2");
  EXPECT_EQ(problem("[worker]\nstorage-max = 12\ninsecure = false\ndrain = 0.5\nbrokers = \"a:1,b:2\"\n"),
            "");
  EXPECT_EQ(program->storage, 12u);
  EXPECT_FALSE(program->insecure);
}

TEST_F(SettingsTest, AWrongTypeIsRefusedByFileLineAndKey) {
  EXPECT_EQ(problem("[worker]\nslots = \"four\"\n"),
            "bad.toml:2: slots takes a whole number, not text in quotes");
  EXPECT_EQ(problem("[worker]\nslots = 1.5\n"), "bad.toml:2: slots takes a whole number, not a number");
  EXPECT_EQ(problem("[worker]\nslots = true\n"), "bad.toml:2: slots takes a whole number, not true or false");
  EXPECT_EQ(problem("[worker]\nslots = [1]\n"), "bad.toml:2: slots takes a whole number, not a list");
  EXPECT_EQ(problem("[worker]\nname = 5\n"), "bad.toml:2: name takes text in quotes, not a whole number");
  EXPECT_EQ(problem("[worker]\nname = 2026-01-01\n"),
            "bad.toml:2: name takes text in quotes, not a date or time");
  EXPECT_EQ(problem("[worker]\ninsecure = 1\n"),
            "bad.toml:2: insecure takes true or false, not a whole number");
  EXPECT_EQ(problem("[worker]\nslots = {}\n"), "bad.toml:2: slots takes a whole number, not a table");
  EXPECT_EQ(problem("[common]\nbrokers = 9096\n"),
            "bad.toml:2: brokers takes text in quotes or a list, not a whole number");
  EXPECT_EQ(problem("[common]\nbrokers = [\"a:1\",\n9096]\n"),
            "bad.toml:3: brokers takes text in quotes or a list, not a whole number");
}

TEST_F(SettingsTest, AValueOutOfBoundsIsRefusedEvenWhenSomethingStrongerIsGiven) {
  variables["CIDBUS_SLOTS"] = "4";
  EXPECT_TRUE(problem("[worker]\nslots = 0\n").starts_with("bad.toml:2: slots: "))
      << problem("[worker]\nslots = 0\n");
  EXPECT_TRUE(problem("[worker]\nslots = -1\n").starts_with("bad.toml:2: slots: "));
  EXPECT_TRUE(problem("[worker]\nslots = 9223372036854775807\n").starts_with("bad.toml:2: slots: "));
  EXPECT_EQ(problem("[worker]\ndurability = \"memroy\"\n"),
            "bad.toml:2: durability: 'memroy' is not known; give disk or memory; did you mean 'memory'?");
}

TEST_F(SettingsTest, AnUnknownKeyIsRefusedWithTheNearestKnownOne) {
  EXPECT_EQ(problem("[worker]\n\nslot = 4\n"),
            "bad.toml:3: 'slot' is no setting of [worker]; did you mean 'slots'?");
  EXPECT_EQ(problem("[worker]\nweather = 4\n"), "bad.toml:2: 'weather' is no setting of [worker]");
  EXPECT_EQ(problem("[worker]\nconfig = \"x\"\n"), "bad.toml:2: 'config' is no setting of [worker]");
  EXPECT_EQ(problem("[worker]\nstorage-max = \"10xx\"\n"),
            "bad.toml:2: storage-max: this is no size; give bytes, or a number and a unit, such as 500MB or "
            "10GiB");
  EXPECT_EQ(problem("[common]\nslots = 4\n"),
            "bad.toml:2: 'slots' is no setting of [common]; it stands under [worker]");
  EXPECT_EQ(problem("[common]\nbroker = \"a:1\"\n"),
            "bad.toml:2: 'broker' is no setting of [common]; did you mean 'brokers'?");
  EXPECT_EQ(problem("[worker]\nbrokers = \"a:1\"\nmaster = \"b:1\"\n"),
            "bad.toml:3: master is another name of a setting given above; keep one");
  EXPECT_EQ(problem("[\"weather\\u001b\"]\n"),
            "bad.toml:1: no program has a table [weather\\x1b]; there are common, broker, worker, leecher, "
            "gateway, "
            "observer, node, command, role");
  EXPECT_NE(problem("[wroker]\n").find("did you mean 'worker'?"), std::string::npos);
  EXPECT_TRUE(problem("slots = 4\n").starts_with("bad.toml:1: 'slots' stands in no table"))
      << problem("slots = 4\n");
  const std::string no_table =
      "bad.toml:1: 'worker' is a table; write [worker], once, and its settings below";
  EXPECT_EQ(problem("worker = 4\n"), no_table);
  EXPECT_EQ(problem("[[worker]]\nslots = 4\n"), no_table);
}

TEST_F(SettingsTest, AVariableThatMakesNoSenseIsNamed) {
  variables["CIDBUS_SLOTS"] = "many";
  const Status resolved = resolve("--name w1");
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().kind, FaultKind::BadUsage);
  EXPECT_TRUE(resolved.error().message.starts_with("CIDBUS_SLOTS: ")) << resolved.error().message;
  EXPECT_TRUE(resolve("--slots 3")) << "the flag is stronger";
  variables["CIDBUS_SLOTS"] = "";
  EXPECT_TRUE(resolve()) << "empty is not set";
  variables["CIDBUS_INSECURE"] = "perhaps";
  EXPECT_FALSE(resolve());
  variables["CIDBUS_INSECURE"] = "true";
  ASSERT_TRUE(resolve());
  EXPECT_TRUE(program->insecure);
  EXPECT_EQ(origin("insecure"), "true | environment CIDBUS_INSECURE");
}

TEST_F(SettingsTest, WhatIsRequiredMayComeFromAnywhereAndIsAskedForAtTheEnd) {
  ASSERT_TRUE(resolve());
  const Status missing = settings->check_required();
  ASSERT_FALSE(missing);
  EXPECT_EQ(
      missing.error().message,
      "--name is missing; give it, set CIDBUS_NAME, or write name under [worker] in a configuration file");
  variables["CIDBUS_NAME"] = "w1";
  ASSERT_TRUE(resolve());
  EXPECT_TRUE(settings->check_required());
  variables.clear();
  file("f.toml", "[worker]\nname = \"w2\"\n");
  ASSERT_TRUE(resolve());
  EXPECT_TRUE(settings->check_required());
  EXPECT_EQ(program->name, "w2");
}

TEST_F(SettingsTest, AFileThatIsNamedIsTheOnlyOne) {
  file("usual.toml", "[worker]\nslots = 7\n");
  const std::string named = file("named.toml", "[worker]\ndrain = 1\n");
  world.files.pop_back();
  ASSERT_TRUE(resolve("--config " + named));
  EXPECT_EQ(program->slots, 2u);
  EXPECT_EQ(program->drain, 1);
  variables["CIDBUS_CONFIG"] = named;
  ASSERT_TRUE(resolve());
  EXPECT_EQ(program->slots, 2u);
  EXPECT_EQ(settings->candidates(world), std::vector{named});
  EXPECT_FALSE(resolve("--config " + named + ".not"));
}

TEST_F(SettingsTest, TablesOfAProgramsOwnGoToWhoReadsThemEachOnce) {
  file("user.toml", "[worker.exec.blur]\nprogram = \"/mine\"\n");
  file("machine.toml",
       "[worker.exec.blur]\nprogram = \"/theirs\"\n[worker.exec.sharpen]\nprogram = \"/s\"\nmost = 3\n");
  const Status resolved = resolve();
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(program->blurs, (std::vector<std::string>{"blur=/mine", "sharpen=/s"}));
  EXPECT_EQ(problem("[worker.exec.blur]\nprogam = \"/s\"\n"),
            "bad.toml:2: 'progam' is no setting of [worker.exec.blur]; did you mean 'program'?");
  EXPECT_EQ(problem("[worker.exec.blur]\nmost = 1\n"), "bad.toml:1: [worker.exec.blur] needs program");
  EXPECT_NE(problem("[worker]\nexec = 1\n"), "");
  EXPECT_NE(problem("[worker.exec]\nblur = 1\n"), "");
}

TEST_F(SettingsTest, OriginsStandInColumnsAndCannotMoveTheCursor) {
  EXPECT_EQ(origins_as_text({{"name", "a\nb", "flag"}, {"storage-max", "1", "default"}}),
            "name         a\\x0ab  flag\nstorage-max  1       default\n");
}

TEST_F(SettingsTest, AMistypedFlagOrCommandIsToldTheNearest) {
  CLI::App root("", "cidbus");
  root.add_subcommand("submit", "");
  CLI::App* const task = root.add_subcommand("task", "");
  task->require_subcommand(1);
  task->add_subcommand("show", "")->add_option("--output", program_output);
  const auto told = [&](const std::string& line) {
    try {
      root.parse(line);
    } catch (const CLI::ParseError& error) {
      return explain(root, error);
    }
    return std::string();
  };
  EXPECT_EQ(told("sumbit"), "'sumbit' is not known here; did you mean 'submit'?");
  EXPECT_EQ(told("task shwo"), "'shwo' is not known here; did you mean 'show'?");
  EXPECT_EQ(told("task show --ouput=json"), "'--ouput=json' is not known here; did you mean '--output'?");
  EXPECT_EQ(told("weather"), "'weather' is not known here");
}

TEST_F(SettingsTest, AValueThatIsNoneAndWhatIsMissingAreToldInWords) {
  CLI::App root("", "cidbus");
  root.require_subcommand(1);
  CLI::App* const task = root.add_subcommand("task", "");
  task->require_subcommand(1);
  task->add_subcommand("show", "");
  CLI::App* const list = task->add_subcommand("list", "");
  std::string id, type;
  std::int64_t priority = 0;
  unsigned limit = 0;
  double drain = 0;
  bool wait = false;
  std::vector<std::string> parameters;
  list->add_option("ID", id, "The task's id")->required()->expected(1);
  list->add_option("--type", type, "Only tasks of this type")->type_name("TYPE");
  list->add_option("--priority", priority)->type_name("N");
  list->add_option("--limit", limit)->type_name("N")->check(CLI::Range(1U, 100U));
  list->add_option("--drain", drain);
  list->add_flag("--wait", wait);
  list->add_option("--param", parameters, "A parameter")->type_name("NAME=VALUE")->allow_extra_args(false);
  allow_only(*list->add_option("--output", type)->type_name("WORD"), {"table", "json"});
  const auto told = [&](const std::string& line) {
    try {
      root.parse(line);
    } catch (const CLI::ParseError& error) {
      return explain(root, error);
    }
    return std::string();
  };
  EXPECT_EQ(told("task list t1 --type a --limit 100"), "");
  EXPECT_EQ(told("task list"), "ID is missing: The task's id");
  EXPECT_EQ(told("task list t1 --type"), "--type needs a value: Only tasks of this type");
  EXPECT_EQ(told("task list t1 --param"), "--param needs a value: A parameter");
  EXPECT_EQ(told("task list t1 --type a --type b"), "--type is given 2 times; give it once");
  EXPECT_EQ(told("task list t1 --priority high"), "--priority: 'high' is no whole number it can take");
  EXPECT_EQ(told("task list t1 --drain long"), "--drain: 'long' is no number");
  EXPECT_EQ(told("task list t1 --wait=maybe"), "--wait: 'maybe' is neither true nor false");
  EXPECT_EQ(told("task list t1 --limit 0"), "--limit: '0' is no number from 1 to 100");
  EXPECT_EQ(told("task list t1 --output a\x1b"), "--output: 'a\\x1b' is not known; give table or json");
  EXPECT_EQ(told("task"), "no command was given; give show or list");
}

TEST_F(SettingsTest, AWordThatIsNoCommandIsToldEvenWhenHelpIsAskedFor) {
  CLI::App root("", "cidbus");
  CLI::App* const task = root.add_subcommand("task", "");
  task->add_subcommand("show", "")->add_option("ID", program_output);
  root.add_subcommand("add", "");
  const auto told = [&](const std::string& line) {
    try {
      root.parse(line);
    } catch (const CLI::CallForHelp&) {
      return unknown_command(root).value_or("help");
    }
    return std::string();
  };
  EXPECT_EQ(told("pin --help"), "'pin' is not known here");
  EXPECT_EQ(told("pin add --help"), "'pin' is not known here");
  EXPECT_EQ(told("task shwo --help"), "'shwo' is not known here; did you mean 'show'?");
  EXPECT_EQ(told("--help"), "help");
  EXPECT_EQ(told("task --help"), "help");
  EXPECT_EQ(told("task show t1 --help"), "help");
  EXPECT_EQ(told("task show t1 t2 --help"), "help") << "no command was expected there";
}

TEST_F(SettingsTest, HelpSaysWhatAnOptionTakesInWords) {
  CLI::App app("", "cidbus-worker");
  std::uint32_t slots = 2;
  std::uint64_t room = 256ULL << 20;
  std::string word = "disk", brokers, name;
  std::vector<std::uint64_t> windows;
  bool wait = false;
  const auto* const slots_option =
      app.add_option("--slots", slots)->check(CLI::Range(1U, 1000U))->capture_default_str();
  EXPECT_EQ(values_text(*slots_option), "N (1-1000) [2]");
  const auto* const size =
      app.add_option("--room", room)->transform(CLI::AsSizeValue(true))->capture_default_str();
  EXPECT_EQ(values_text(*size), "SIZE [256MiB]");
  CLI::Option* const durability = app.add_option("--durability", word)->capture_default_str();
  allow_only(*durability, {"disk", "memory"});
  EXPECT_EQ(values_text(*durability), "disk|memory [disk]");
  CLI::Option* const several = app.add_option("-b,--brokers,--master", brokers)->type_name("HOST:PORT,…");
  EXPECT_EQ(values_text(*several), "HOST:PORT,…");
  EXPECT_EQ(names_text(*several), "-b, --brokers, --master");
  EXPECT_EQ(values_text(*app.add_option("--name", name)->type_name("NAME")->required()), "NAME (required)");
  EXPECT_EQ(values_text(*app.add_option("--window", windows)->type_name("N,…")->check(CLI::Range(1, 9))),
            "N,… (1-9)");
  EXPECT_EQ(values_text(*app.add_flag("--wait", wait)), "");
}

// ---- [role.NAME], which is shared

class RoleSettingsTest : public SettingsTest {
 protected:
  Status resolve_roles(const std::string& text) {
    world.files.clear();
    file("roles.toml", text);
    CLI::App app("", "cidbus-node");
    CLI::App common("", "common");
    Settings roles(app, "node", {role_tables(profiles)});
    app.parse("");
    return roles.resolve(world, common);
  }
  std::string role_problem(const std::string& text) {
    const Status resolved = resolve_roles(text);
    return resolved ? "" : resolved.error().message.substr(folder.native().size() + 1);
  }

  RoleProfiles profiles = default_profiles();
};

TEST_F(RoleSettingsTest, AFileSaysWhatARoleAsks) {
  const Status resolved = resolve_roles(
      "[role.worker]\nminimum-memory-mb = 300\nwanted-cores = 0.5\ncool-down-s = 5\n"
      "[role.gateway]\nautomatic = true\n[worker]\nslots = 2\n");
  ASSERT_TRUE(resolved) << resolved.error().message;
  const RoleProfile& worker = profile_of(profiles, Role::Worker);
  EXPECT_EQ(worker.minimum_memory_mb, 300u);
  EXPECT_EQ(worker.wanted_cores, 0.5);
  EXPECT_EQ(worker.cool_down, std::chrono::seconds(5));
  EXPECT_EQ(worker.minimum_disk_gb, 5u) << "what it does not say stays";
  EXPECT_TRUE(profile_of(profiles, Role::Gateway).automatic);
}

TEST_F(RoleSettingsTest, BadOnesAreToldWithTheirLine) {
  EXPECT_EQ(
      role_problem("[role.wroker]\n"),
      "roles.toml:1: 'wroker' is no role; there are master, worker, leecher, gateway, observer; did you mean "
      "'worker'?");
  EXPECT_EQ(role_problem("[role.worker]\nstability = -1\n"),
            "roles.toml:2: stability: '-1' is no number from 0.000000 to 10.000000");
  EXPECT_EQ(
      role_problem("[role.worker]\nminimum-memory = 1\n"),
      "roles.toml:2: 'minimum-memory' is no setting of [role.worker]; did you mean 'minimum-memory-mb'?");
  EXPECT_EQ(role_problem("[role]\nworker = 1\n"), "roles.toml:2: 'worker' must be a table, [role.worker]");
}

TEST_F(RoleSettingsTest, AProgramThatTakesThemNotLeavesThem) {
  file("roles.toml", "[role.worker]\nno-such-key = 1\n");
  EXPECT_TRUE(resolve("--name w1"));
}

}  // namespace
}  // namespace cidbus
