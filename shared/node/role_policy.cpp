#include "shared/node/role_policy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "shared/core/article.h"

namespace cidbus {
namespace {

constexpr std::array<std::string_view, 5> resource_names{"memory", "disk", "cores", "link", "uptime"};
constexpr std::array<std::string_view, 5> resource_units{" MB", " GB", "", " Mbit/s", " h"};

// 800, 1.5, 0.25: what a person needs to compare two of them.
std::string number_text(double value) {
  std::array<char, 32> text{};
  if (value >= 100 || value == std::floor(value))
    std::snprintf(text.data(), text.size(), "%.0f", std::floor(value));
  else
    std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

struct Demand {
  Resource resource;
  double has;
  double asks;
};

double hours(Duration duration) { return std::chrono::duration<double, std::ratio<3600>>(duration).count(); }

// What the process holds already is available to it: a role that runs is not short of its own memory.
double available_mb(const Machine& machine) {
  const std::uint64_t bytes =
      std::min(machine.memory_available_bytes + machine.own_bytes, machine.memory_bytes);
  return static_cast<double>(bytes) / (1 << 20);
}

std::string name_of(Role role) { return std::string(to_text(role)); }

}  // namespace

std::string_view to_text(Resource resource) { return resource_names[static_cast<std::size_t>(resource)]; }

std::string text_of(const RoleFit& fit) {
  return std::string(to_text(fit.limiting)) + " " + number_text(fit.has) + " of " + number_text(fit.asks) +
         std::string(resource_units[static_cast<std::size_t>(fit.limiting)]);
}

RoleFit fit_of(const Machine& machine, const RoleProfile& profile) {
  const double link = machine.link_megabits ? *machine.link_megabits : profile.wanted_mbit;
  const std::array<Demand, 5> demands{
      {{Resource::Memory, available_mb(machine), static_cast<double>(profile.minimum_memory_mb)},
       {Resource::Disk, static_cast<double>(machine.disk_available_bytes) / (1ULL << 30),
        static_cast<double>(profile.minimum_disk_gb)},
       {Resource::Cores, machine.cores, profile.wanted_cores},
       {Resource::Link, link, machine.link_megabits ? profile.wanted_mbit : 0.0},
       {Resource::Uptime, hours(machine.uptime), static_cast<double>(profile.wanted_uptime_h)}}};
  RoleFit fit;
  fit.role = profile.role;
  fit.possible = true;
  fit.score = 1;
  fit.ratio = HUGE_VAL;
  for (const Demand& demand : demands) {
    if (demand.asks <= 0) continue;
    const double ratio = demand.has / demand.asks;
    const bool is_hard = demand.resource == Resource::Memory || demand.resource == Resource::Disk;
    const bool breaks = is_hard && ratio < 1;
    // What forbids the role is named before what only scores.
    const bool first_to_break = breaks && fit.possible;
    fit.possible = fit.possible && !breaks;
    fit.score = std::min(fit.score, ratio);
    if (!first_to_break && (ratio >= fit.ratio || (!fit.possible && !breaks))) continue;
    fit.ratio = ratio;
    fit.limiting = demand.resource;
    fit.has = demand.has;
    fit.asks = demand.asks;
  }
  return fit;
}

Detection detect_role(const Machine& machine, const RoleProfiles& profiles, bool broker_wanted) {
  Detection detection;
  std::string passed_over;
  for (std::size_t place = 0; place < profiles.size(); ++place) {
    const RoleProfile& profile = profiles[place];
    const RoleFit fit = detection.fits[place] = fit_of(machine, profile);
    const bool wanted = profile.automatic && (profile.role != Role::Master || broker_wanted);
    if (detection.chosen || !wanted) continue;
    if (fit.possible)
      detection.chosen = profile.role;
    else
      passed_over +=
          (passed_over.empty() ? "no " : ", no ") + name_of(profile.role) + " with " + text_of(fit);
  }
  if (!detection.chosen) {
    detection.reason = "this machine can carry no role: " + passed_over;
    return detection;
  }
  detection.reason = passed_over.empty() ? "it can carry the highest role that is wanted"
                                         : "the highest it can carry; " + passed_over;
  if (*detection.chosen != Role::Master && !broker_wanted)
    detection.reason += "; master only when asked for, or while a broker is missing";
  return detection;
}

std::string role_refusal(const Machine& machine, const RoleProfile& profile) {
  const RoleFit fit = fit_of(machine, profile);
  if (fit.possible) return {};
  return "this machine cannot carry " + with_article(name_of(profile.role)) + ": " + text_of(fit);
}

}  // namespace cidbus
