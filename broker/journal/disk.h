// Disk: the seam between a broker's driver and what is durable. Commands go in, completions come out, as
// values.
//
// The driver never waits for the disk: it submits, and holds back what waits for durability (an
// acknowledgement, a vote, a dispatch) until the completion that it names. Behind the seam stands a thread
// (disk_thread.h) or, in the simulation, a disk whose completions come when the simulator says
// (tests/support/stepped_disk.h); both run the same DiskExecutor.
//
// Invariants
//  1. Batches are written, and told Persisted, in the order of their submission.
//  2. A completion is given only for what is on disk.
//  3. After DiskFailed nothing is completed any more.
//  4. Votes go before batches, batches before snapshots: no snapshot holds up a batch for longer than a
//     chunk takes.
//  5. Reads come after batches, one piece of limits::disk_read_bytes a step.
//
// Thread rule: submit() and poll() belong to the driver. Limits: what waits to be written is bounded by who
// submits: at most 32 batches or 32 MiB (CONSENSUS R5), a few snapshot chunks.
#pragma once

#include <optional>

#include "broker/journal/disk_command.h"
#include "broker/journal/disk_completion.h"

namespace cidbus {

class Disk {
 public:
  virtual ~Disk() = default;
  // Never blocks.
  virtual void submit(DiskCommand command) = 0;
  // The next completion, or nothing for now. Never blocks.
  virtual std::optional<DiskCompletion> poll() = 0;
  // Becomes readable with a new completion: then poll() until it gives nothing; -1 where nothing waits on
  // descriptors.
  [[nodiscard]] virtual int ready_fd() const = 0;
};

}  // namespace cidbus
