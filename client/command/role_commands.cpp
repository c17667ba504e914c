#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>

#include "client/command/json_writer.h"
#include "client/command/registry.h"
#include "client/command/values.h"
#include "shared/io/machine_reader.h"
#include "shared/node/role_policy.h"

namespace cidbus {
namespace {

std::string decimal(double number, const char* format) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

double hours(Duration time) { return std::chrono::duration<double, std::ratio<3600>>(time).count(); }

void write_machine(JsonWriter& json, const Machine& machine) {
  json.name("machine").open_object();
  json.name("memory_bytes").number(machine.memory_bytes);
  json.name("memory_available_bytes").number(machine.memory_available_bytes);
  json.name("memory_limited").boolean(machine.memory_is_limited);
  json.name("cores").decimal(machine.cores, 2).name("cores_limited").boolean(machine.cores_are_limited);
  json.name("disk_bytes").number(machine.disk_bytes);
  json.name("disk_available_bytes").number(machine.disk_available_bytes);
  json.name("link_mbit");
  if (machine.link_megabits)
    json.number(*machine.link_megabits);
  else
    json.null();
  json.name("uptime_hours").decimal(hours(machine.uptime), 2).close_object();
}

std::string detection_json(const Machine& machine, const Detection& detection) {
  JsonWriter json;
  json.open_object().name("role");
  json.string_or_null(detection.chosen ? to_text(*detection.chosen) : "");
  json.name("reason").string(detection.reason);
  json.name("roles").open_array();
  for (const RoleFit& fit : detection.fits) {
    json.open_object().name("role").string(to_text(fit.role)).name("possible").boolean(fit.possible);
    json.name("score").decimal(fit.score, 2).name("limit").string(to_text(fit.limiting));
    json.name("has").decimal(fit.has, 2).name("asks").decimal(fit.asks, 2).close_object();
  }
  json.close_array();
  write_machine(json, machine);
  return json.close_object().text();
}

void print_detection(Output& output, const Machine& machine, const Detection& detection) {
  const auto share = [](bool limited) { return limited ? " (the share of a control group)" : ""; };
  output.table(
      {{"memory", readable_bytes(machine.memory_available_bytes) + " available of " +
                      readable_bytes(machine.memory_bytes) + share(machine.memory_is_limited)},
       {"cores", decimal(machine.cores, "%.4g") + share(machine.cores_are_limited)},
       {"disk",
        readable_bytes(machine.disk_available_bytes) + " available of " + readable_bytes(machine.disk_bytes)},
       {"link", machine.link_megabits ? std::to_string(*machine.link_megabits) + " Mbit/s" : "unknown"},
       {"uptime", decimal(hours(machine.uptime), "%.1f h")}});
  output.line("");
  std::vector<std::vector<std::string>> rows{{}};
  for (const char* name : {"ROLE", "POSSIBLE", "SCORE", "LIMITED BY"})
    rows[0].push_back(output.heading(name));
  for (const RoleFit& fit : detection.fits)
    rows.push_back({std::string(to_text(fit.role)), fit.possible ? "yes" : "no", decimal(fit.score, "%.2f"),
                    text_of(fit)});
  output.table(rows);
  if (!detection.chosen) return;  // the fault says why
  output.line("");
  output.line(std::string(to_text(*detection.chosen)) + ": " + detection.reason);
}

Result<int> detect(Context& context, const RoleProfiles& profiles, const std::string& data, bool wanted) {
  const Machine machine = read_machine(data);
  const Detection detection = detect_role(machine, profiles, wanted);
  Output& output = context.output();
  if (output.is_json())
    output.line(detection_json(machine, detection));
  else if (output.format() == Format::Table)
    print_detection(output, machine, detection);
  else if (detection.chosen)
    output.line(to_text(*detection.chosen));
  if (!detection.chosen) return fault(FaultKind::Failed, detection.reason);
  return 0;
}

}  // namespace

void add_role_commands(CommandRegistry& registry) {
  CLI::App& group = registry.group("role", "Roles: which one fits this machine, and those of the nodes");
  add_node_role_commands(registry, group);
  struct Options {
    std::string data = ".";
    bool broker_wanted = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& leaf =
      registry.leaf(group,
                    {"detect",
                     "Measure this machine, or the share of it that a container gives, and say which roles "
                     "it can carry, how "
                     "well, what limits each, and which one cidbus-node --role auto would take",
                     "  cidbus role detect\n  cidbus role detect --data /var/lib/cidbus --output json\n"},
                    [options, &registry](Context& context) {
                      return detect(context, registry.profiles(), options->data, options->broker_wanted);
                    });
  leaf.add_option("--data", options->data, "Folder whose disk is measured")
      ->type_name("FOLDER")
      ->capture_default_str();
  leaf.add_flag("--broker-wanted", options->broker_wanted,
                "As if the cluster had fewer brokers than it wants");
}

}  // namespace cidbus
