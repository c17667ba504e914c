// DiskThread: the Disk of a running broker, on a thread of its own, so that the reactor never waits for a
// sync.
//
// An actor: commands come in through a mailbox, completions go out through another, whose descriptor the
// reactor polls. What is submitted while a sync runs is covered by the next one (CONSENSUS R5).
//
// Invariants: those of disk.h. stop() ends with everything submitted before it done, or DiskFailed told.
// Thread rule: submit(), poll(), ready_fd() and stop() belong to one thread. Limits: those of disk.h.
#pragma once

#include <deque>
#include <thread>

#include "broker/journal/disk.h"
#include "broker/journal/disk_executor.h"
#include "shared/io/mailbox.h"

namespace cidbus {

class DiskThread final : public Disk {
 public:
  // The directory must have been opened, and its journal replayed: from here on it is the thread's.
  explicit DiskThread(DataDirectory directory);
  ~DiskThread() override;
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  void submit(DiskCommand command) override;
  std::optional<DiskCompletion> poll() override;
  [[nodiscard]] int ready_fd() const override { return completions_.fd(); }

  // Waits until what was submitted is done, closes the journal in good order and ends the thread. Completions
  // may still be polled. Batches that wait for room are given up: nobody was told of them.
  void stop();

 private:
  struct Stop {};
  using Message = std::variant<DiskCommand, Stop>;

  void run();

  DiskExecutor executor_;  // the thread's
  Mailbox<Message> commands_;
  Mailbox<DiskCompletion> completions_;
  std::deque<DiskCompletion> taken_;  // out of the mailbox, not polled yet
  std::thread thread_;
};

}  // namespace cidbus
