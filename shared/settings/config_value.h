// What a configuration file says, as plain values: each knows where it stands, so that what is wrong with it
// can be said by file and line.
//
// Thread rule: values. Limits: limits/settings.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cidbus {

struct ConfigPlace {
  std::string file;  // as it may be printed
  std::uint32_t line = 0;
};
std::string to_text(const ConfigPlace& place);  // FILE:LINE

struct ConfigValue {
  enum class Kind { Boolean, Integer, Number, Text, Date, List, Table };

  Kind kind = Kind::Table;
  std::string text;  // Boolean (true, false), Integer, Number, Text and Date: as typed behind a flag
  std::vector<ConfigValue> items;                            // List
  std::vector<std::pair<std::string, ConfigValue>> entries;  // Table, by line
  ConfigPlace place;

  [[nodiscard]] const ConfigValue* find(std::string_view name) const;
};

// "a whole number", "text", ...
std::string_view to_text(ConfigValue::Kind kind);

}  // namespace cidbus
