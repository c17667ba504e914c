// The pinned subset as it is written down: DATA/pins, one a line: a CID, name:NAME or tag:KEY=VALUE.
//
// It is edited by `cidbus-leecher pin` (or by hand), whether or not the leecher runs; a running one looks
// once a second. What names and tags stood for when a broker last said so is in DATA/pins.known, so that it
// stays pinned after a restart without one.
//
// Thread rule: functions of their arguments and the files. Limits: limits::pins_a_leecher.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "shared/content/cid.h"

namespace cidbus {

struct Pin {
  std::string text;  // as it is written; a CID in its usual form
  Cid cid;           // null for a name or a tag
  std::string name;
  std::string tag_key;  // empty for none
  std::string tag_value;
  friend bool operator==(const Pin& left, const Pin& right) { return left.text == right.text; }
};

// BadUsage for what is none of the three.
Result<Pin> parse_pin(std::string_view text);
// Nothing when there is no file. BadData names the line that makes no sense.
Result<std::vector<Pin>> read_pins(const std::string& folder);
// In the place of the file that is there; durable on return.
Status write_pins(const std::string& folder, const std::vector<Pin>& pins);

using KnownPins = std::map<std::string, std::vector<Cid>>;  // by text
// What is not understood is passed over: it is asked for again.
KnownPins read_known_pins(const std::string& folder);
Status write_known_pins(const std::string& folder, const KnownPins& known);

}  // namespace cidbus
