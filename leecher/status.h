// What a leecher tells of itself: the JSON of its /status, and what `cidbus-leecher status` makes of it.
//
// The JSON is a promise: docs/leecher.md.
//
// Thread rule: functions of their arguments. Limits: limits::outbox_told items are listed, newest last.
#pragma once

#include <string>
#include <vector>

#include "leecher/core/desk.h"
#include "leecher/keeper.h"
#include "shared/store/block_store.h"

namespace cidbus {

struct LeecherStatus {
  std::string name;
  std::string cluster;
  bool online = false;
  WallTime since;
  std::string leader;  // HOST:PORT of the leader's bus; empty while cut off
  std::string listen;  // of its own bus
  std::string exchange;
  StoreCounts cache;
  ByteCount kept_bytes = 0;   // of the cache, pinned
  StoreCounts added;          // blocks that no worker has yet
  std::string added_trouble;  // why not, when a broker is there
  std::vector<PinState> pins;
  std::string outbox_trouble;  // why nothing is handed in, when a broker is there; or why nothing is taken
};

std::string status_json(const LeecherStatus& status, const Outbox& outbox);
// The same for a person. BadData when the text is no such JSON.
Result<std::string> status_table(std::string_view json);
// Its "name", a line.
Result<std::string> status_name(std::string_view json);

}  // namespace cidbus
