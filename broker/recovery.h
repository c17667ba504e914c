// From what is on disk to what a broker goes on from: the newest whole snapshot, and the journal behind it.
//
// A broker alone is its own majority: everything on its disk is committed, and replayed here. In a group of
// several what lies behind the snapshot is committed only once a leader says so: it is read again then
// (broker/consensus/apply_queue.h).
//
// Thread rule: the thread that starts the broker. Limits: the state's; ten million queued tasks take seconds.
#pragma once

#include <memory>

#include "broker/consensus/group.h"
#include "broker/journal/data_directory.h"
#include "broker/tasks/state_machine.h"

namespace cidbus {

struct RecoveredSizes {
  ByteCount journal_since_snapshot = 0;  // and in the state
  ByteCount snapshot = 0;                // of the newest
};

struct Recovered {
  std::unique_ptr<StateMachine> state;
  group::GroupStart group;
  ChainEnd applied_end;  // of the newest batch in the state
  RecoveredSizes sizes;
};

// `hash_seed` keeps the tables' order from being guessed. BadData names the damaged place.
Result<Recovered> recover(DataDirectory& directory, const group::GroupConfig& config,
                          std::uint64_t hash_seed);

}  // namespace cidbus
