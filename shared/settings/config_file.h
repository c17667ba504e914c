// A configuration file (TOML 1.0) read into plain values.
//
// Faults: BadData for what is no TOML or too large, naming file and line; BadData for a file that is not
// there when it must be, NotAllowed for one that must not be read.
//
// Thread rule: functions of their arguments and of the disk. Limits: limits/settings.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/settings/config_value.h"

namespace cidbus {

// `file` is what messages call the text. The answer is a Table.
Result<ConfigValue> parse_config(std::string_view text, const std::string& file);

Result<ConfigValue> read_config_file(const std::string& path);
// Nothing when there is no such file, or when whether there is one is not ours to know.
Result<std::optional<ConfigValue>> read_config_file_if_there(const std::string& path);

}  // namespace cidbus
