// The pinned subset as it is written down: DATA/pins, one CID a line.
//
// It is edited by `cidbus-leecher pin` (or by hand), whether or not the leecher runs; a running one looks
// once a second.
//
// Thread rule: functions of their arguments and the file. Limits: limits::pins_a_leecher.
#pragma once

#include <string>
#include <vector>

#include "shared/content/cid.h"

namespace cidbus {

// Nothing when there is no file. BadData names the line that is no CID.
Result<std::vector<Cid>> read_pins(const std::string& folder);
// In the place of the file that is there; durable on return.
Status write_pins(const std::string& folder, const std::vector<Cid>& pins);

}  // namespace cidbus
