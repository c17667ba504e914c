#include "shared/settings/role_settings.h"

#include <CLI/CLI.hpp>

#include "shared/content/quote.h"
#include "shared/settings/config_file.h"
#include "shared/settings/nearest.h"

namespace cidbus {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::uint64_t most = 1'000'000'000;
constexpr std::int64_t longest_seconds = 30 * 24 * 3600;

struct Times {
  std::int64_t check_every_s, cool_down_s;
};

void add_keys(CLI::App& app, RoleProfile& profile, Times& times) {
  app.add_option("--minimum-memory-mb", profile.minimum_memory_mb)->check(CLI::Range(std::uint64_t{0}, most));
  app.add_option("--minimum-disk-gb", profile.minimum_disk_gb)->check(CLI::Range(std::uint64_t{0}, most));
  app.add_option("--wanted-cores", profile.wanted_cores)->check(CLI::Range(0.0, 1e6));
  app.add_option("--wanted-mbit", profile.wanted_mbit)->check(CLI::Range(std::uint64_t{0}, most));
  app.add_option("--wanted-uptime-h", profile.wanted_uptime_h)->check(CLI::Range(std::uint64_t{0}, most));
  app.add_flag("--automatic", profile.automatic);
  app.add_option("--check-every-s", times.check_every_s)->check(CLI::Range(std::int64_t{1}, longest_seconds));
  app.add_option("--stability", profile.stability)->check(CLI::Range(0.0, 10.0));
  app.add_option("--cool-down-s", times.cool_down_s)->check(CLI::Range(std::int64_t{0}, longest_seconds));
}

Status take(RoleProfiles& profiles, const std::string& name, const ConfigValue& table) {
  const auto role = parse_role(name);
  if (!role || *role == Role::Client) {
    std::vector<std::string> names;
    for (const RoleProfile& profile : profiles) names.emplace_back(to_text(profile.role));
    return fault(FaultKind::BadData, to_text(table.place) + ": " + in_quotes(name) +
                                         " is no role; there are " + CLI::detail::join(names, ", ") +
                                         did_you_mean(name, names));
  }
  RoleProfile& profile = profile_of(profiles, *role);
  Times times{duration_cast<seconds>(profile.check_every).count(),
              duration_cast<seconds>(profile.cool_down).count()};
  CLI::App app("", "role." + name);
  add_keys(app, profile, times);
  if (Status read = read_table(app, table); !read) return read;
  profile.check_every = seconds(times.check_every_s);
  profile.cool_down = seconds(times.cool_down_s);
  return {};
}

}  // namespace

SubTables role_tables(RoleProfiles& profiles) {
  const auto take_one = [&profiles](const std::string& name, const ConfigValue& table) {
    return take(profiles, name, table);
  };
  return {"role", take_one, true};
}

}  // namespace cidbus
