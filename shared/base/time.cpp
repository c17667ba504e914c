#include "shared/base/time.h"

#include <array>
#include <cstdio>

namespace cidbus {

std::string to_rfc3339(WallTime time) {
  if (time.milliseconds == 0) return {};
  using namespace std::chrono;
  const sys_time<milliseconds> instant{milliseconds(time.milliseconds)};
  const auto day = floor<days>(instant);
  const year_month_day date{day};
  const hh_mm_ss clock{instant - day};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace cidbus
