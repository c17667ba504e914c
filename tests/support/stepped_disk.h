// SteppedDisk: the Disk of a simulated broker. It executes a command when it is told to, and hands over a
// completion when it is told to; so how long a disk takes is the simulator's to say, and a crash may fall
// between any two.
//
// Behind it stands the same DiskExecutor as in production, on a SimulatedDisk.
//
// Invariants: those of disk.h.
// Thread rule: one thread. Limits: none.
#pragma once

#include <deque>
#include <vector>

#include "broker/journal/disk.h"
#include "broker/journal/disk_executor.h"

namespace cidbus {

class SteppedDisk final : public Disk {
 public:
  explicit SteppedDisk(DataDirectory directory) : executor_(std::move(directory)) {}

  void submit(DiskCommand command) override { executor_.accept(std::move(command)); }
  // Only what was delivered.
  std::optional<DiskCompletion> poll() override;
  [[nodiscard]] int ready_fd() const override { return -1; }

  // ---- for the simulator
  // Whether the disk has something to do.
  [[nodiscard]] bool has_work() const { return executor_.has_work(); }
  // Does the next step; gives how many completions wait for delivery then.
  std::size_t step();
  // Hands over the completions that wait, all of them or the oldest `count`.
  void deliver(std::size_t count = ~std::size_t{0});
  // Steps and delivers until there is nothing to do.
  void run();
  [[nodiscard]] Status close() { return executor_.close(); }

 private:
  DiskExecutor executor_;
  std::vector<DiskCompletion> done_;      // not delivered yet
  std::deque<DiskCompletion> delivered_;  // not polled yet
};

}  // namespace cidbus
