// The disk of a simulated broker, on its way to which the truths see what goes there and what is told back.
//
// Thread rule: one thread. Limits: those of SteppedDisk.
#pragma once

#include "broker/consensus/group_config.h"
#include "tests/sim/truths.h"
#include "tests/support/stepped_disk.h"

namespace cidbus::sim {

class WatchedDisk : public Disk {
 public:
  WatchedDisk(DataDirectory directory, const group::GroupConfig& config, Truths& truths)
      : disk_(std::move(directory)), config_(config), truths_(truths) {}

  void submit(DiskCommand command) override {
    if (const auto* write = std::get_if<WriteBatch>(&command)) truths_.records.on_batch(write->batch.bytes);
    disk_.submit(std::move(command));
  }
  std::optional<DiskCompletion> poll() override {
    auto completion = disk_.poll();
    const auto* vote = completion ? std::get_if<VotePersisted>(&*completion) : nullptr;
    if (const auto voted = vote ? config_.find(vote->voted) : std::nullopt)
      truths_.group.votes.on_vote(config_.self(), vote->epoch, *voted);
    return completion;
  }
  [[nodiscard]] int ready_fd() const override { return -1; }
  SteppedDisk& stepped() { return disk_; }

 private:
  SteppedDisk disk_;
  const group::GroupConfig& config_;
  Truths& truths_;
};

}  // namespace cidbus::sim
