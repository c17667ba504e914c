#include "node/library/role_facts.h"

#include <filesystem>
#include <fstream>

#include "client/library/public_values.h"
#include "shared/io/machine_reader.h"

namespace cidbus::v1 {
namespace {

Result<double> number_in(const Dict& resources, const char* name, double otherwise) {
  const auto found = resources.find(name);
  if (found == resources.end() || found->second.is_null()) return otherwise;
  const double number = found->second.number(-1);
  if (number >= 0) return number;
  return Fault{FaultKind::BadUsage, std::string("resources: ") + name + " is " + found->second.shown() +
                                        "; give a number from 0 on"};
}

constexpr double mebibyte = 1 << 20;
constexpr double gibibyte = 1 << 30;

}  // namespace

const char* description_of(NodeRole role) {
  switch (role) {
    case NodeRole::Master:
      return "accepts, orders, hands out and records tasks; runs none";
    case NodeRole::Worker:
      return "runs tasks, stores blocks, serves them to other nodes";
    case NodeRole::Leecher:
      return "consumes: a small cache, works offline, hands in later what is submitted meanwhile";
    case NodeRole::Gateway:
      return "serves content over HTTP";
    case NodeRole::Observer:
      break;
  }
  return "watches: stores and processes no content";
}

Dict overrides_of(NodeRole role) {
  switch (role) {
    case NodeRole::Worker:
      return {{"exchange", "127.0.0.1:*"}, {"storage-max", "100GB"}};
    case NodeRole::Leecher:
      return {{"listen", "127.0.0.1:*"},
              {"exchange", "127.0.0.1:*"},
              {"http", "127.0.0.1:0"},
              {"cache-max", "10GB"}};
    case NodeRole::Gateway:
      return {{"http", "127.0.0.1:0"}};
    case NodeRole::Observer:
      return {{"plain", true}};
    case NodeRole::Master:
      break;
  }
  return {};
}

Result<Machine> machine_of(const Dict& resources) {
  Machine machine = read_machine(".");
  const auto memory = number_in(resources, "memory_available_mb",
                                static_cast<double>(machine.memory_available_bytes) / mebibyte);
  const auto disk =
      number_in(resources, "disk_available_gb", static_cast<double>(machine.disk_available_bytes) / gibibyte);
  const auto cores = number_in(resources, "cpu_count", machine.cores);
  const auto link = number_in(resources, "bandwidth_mbps", machine.link_megabits.value_or(0));
  const auto uptime = number_in(resources, "uptime_hours",
                                std::chrono::duration<double, std::ratio<3600>>(machine.uptime).count());
  for (const auto* number : {&memory, &disk, &cores, &link, &uptime})
    if (!*number) return number->error();
  machine.memory_available_bytes = static_cast<std::uint64_t>(*memory * mebibyte);
  machine.disk_available_bytes = static_cast<std::uint64_t>(*disk * gibibyte);
  machine.cores = *cores;
  if (*link > 0) machine.link_megabits = static_cast<std::uint32_t>(*link);
  machine.uptime =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::ratio<3600>>(*uptime));
  return machine;
}

Dict resources_of(const Machine& machine) {
  return {{"memory_available_mb", static_cast<double>(machine.memory_available_bytes) / mebibyte},
          {"disk_available_gb", static_cast<double>(machine.disk_available_bytes) / gibibyte},
          {"cpu_count", machine.cores},
          {"bandwidth_mbps", machine.link_megabits ? Value(*machine.link_megabits) : Value()},
          {"uptime_hours", std::chrono::duration<double, std::ratio<3600>>(machine.uptime).count()}};
}

Result<AllowList> read_allow_list(const KeyOptions& keys) {
  std::string path = keys.allow;
  if (path.empty() && !keys.key.empty())
    path = std::filesystem::path(keys.key).replace_filename("allow").string();
  if (path.empty()) return Fault{FaultKind::NotFound, "there is no allow-list; give allow_file"};
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return Fault{FaultKind::BadUsage, path + " cannot be read"};
  auto list = AllowList::parse(text, path);
  if (!list) return to_public(list.error());
  return *std::move(list);
}

}  // namespace cidbus::v1
