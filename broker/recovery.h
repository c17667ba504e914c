// From what is on disk to the state a broker goes on from: the newest whole snapshot, then every record after
// it.
//
// Everything on disk is replayed, though in a group of several what lies beyond the last known commit would
// have to wait for a record of the new office: a group of one commits it with its own OPEN before anybody is
// served.
//
// Thread rule: the thread that starts the broker. Limits: the state's; ten million queued tasks take seconds.
#pragma once

#include <memory>

#include "broker/journal/data_directory.h"
#include "broker/tasks/state_machine.h"

namespace cidbus {

struct RecoveredSizes {
  ByteCount journal_since_snapshot = 0;
  ByteCount snapshot = 0;  // of the newest
};

struct Recovered {
  std::unique_ptr<StateMachine> state;
  Epoch highest_epoch;  // of the vote file and the journal: the next office is later
  ChainEnd end;         // the newest record on disk
  RecoveredSizes sizes;
};

// `hash_seed` keeps the tables' order from being guessed. BadData names the damaged place.
Result<Recovered> recover(DataDirectory& directory, std::uint64_t hash_seed);

}  // namespace cidbus
