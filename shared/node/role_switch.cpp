#include "shared/node/role_switch.h"

#include <algorithm>

#include "shared/core/article.h"

namespace cidbus {
namespace {

constexpr double most_ratio = 1000;  // a role that asks nothing

// What the role must have, without what it merely wants.
RoleFit hard_fit(const Machine& machine, RoleProfile profile) {
  profile.wanted_cores = 0;
  profile.wanted_mbit = 0;
  profile.wanted_uptime_h = 0;
  return fit_of(machine, profile);
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string text_of_role(Role role) { return std::string(to_text(role)); }

}  // namespace

RoleSwitch::RoleSwitch(const RoleProfiles& profiles, Monotonic now, Role role, bool broker_wanted)
    : profiles_(profiles), broker_wanted_(broker_wanted), role_(role) {
  settle(now, role);
}

void RoleSwitch::settle(Monotonic now, Role role) {
  role_ = role;
  settled_ = now;
  next_ = now + profile_of(profiles_, role).check_every;
  samples_.clear();
}

std::optional<RoleSwitch::Wish> RoleSwitch::measure(Monotonic now, const Machine& machine) {
  const RoleProfile& own = profile_of(profiles_, role_);
  next_ = now + own.check_every;
  Sample sample{now, {}};
  for (std::size_t place = 0; place < profiles_.size(); ++place)
    sample.ratios[place] = std::min(hard_fit(machine, profiles_[place]).ratio, most_ratio);
  samples_.push_back(sample);
  if (samples_.size() > window) samples_.pop_front();
  if (samples_.size() < window || now - settled_ < own.cool_down) return std::nullopt;
  if (trend_of(role_).below(1 - own.stability)) return lower(machine);
  return higher(machine);
}

// Least squares: the line goes through the averages; its end is where it is at the newest measurement.
RoleSwitch::Trend RoleSwitch::trend_of(Role role) const {
  const auto place = static_cast<std::size_t>(role);
  const double count = static_cast<double>(samples_.size());
  double time = 0;
  double ratio = 0;
  for (const Sample& sample : samples_) {
    time += seconds(sample.at - samples_.front().at) / count;
    ratio += sample.ratios[place] / count;
  }
  double spread = 0;
  double slope = 0;
  for (const Sample& sample : samples_) {
    const double off = seconds(sample.at - samples_.front().at) - time;
    spread += off * off;
    slope += off * (sample.ratios[place] - ratio);
  }
  if (spread > 0) slope /= spread;
  return {ratio, ratio + slope * (seconds(samples_.back().at - samples_.front().at) - time)};
}

bool RoleSwitch::may_take(const RoleProfile& profile) const {
  return profile.automatic && profile.role != role_ && (profile.role != Role::Master || broker_wanted_);
}

std::optional<RoleSwitch::Wish> RoleSwitch::higher(const Machine& machine) const {
  for (const RoleProfile& profile : profiles_) {
    if (profile.role == role_) return std::nullopt;  // what follows is lower
    if (!may_take(profile) || !trend_of(profile.role).above(1 + profile.stability)) continue;
    return Wish{profile.role, "it has had enough for " + with_article(text_of_role(profile.role)) +
                                  " for long: " + text_of(hard_fit(machine, profile))};
  }
  return std::nullopt;
}

std::optional<RoleSwitch::Wish> RoleSwitch::lower(const Machine& machine) const {
  const std::string why = "it has had too little for " + with_article(text_of_role(role_)) +
                          " for long: " + text_of(hard_fit(machine, profile_of(profiles_, role_)));
  for (const RoleProfile& profile : profiles_)
    if (may_take(profile) && trend_of(profile.role).above(1)) return Wish{profile.role, why};
  return std::nullopt;
}

}  // namespace cidbus
