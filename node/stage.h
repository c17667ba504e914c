// The stage: the roles that a node hosts now, and the order in which they come and go.
//
// They are opened in the order given and stopped in the other, one after another, so that a worker still has
// its broker when it hands its tasks back. When one ends by itself, the others are stopped and the stage ends
// with it: nothing is started again here, that is for whoever runs the node.
//
// A stage of one role can change it: what only that role holds goes to other nodes while it still runs; then
// it is stopped in order, and the next one opened. Where any of this fails, the old role goes on; a change
// that is forced leaves behind what nobody takes.
//
// Thread rule: the owner's thread; a thread of its own inside, on which roles are stopped and changed.
// Limits: one change at a time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "shared/io/mailbox.h"
#include "shared/io/process.h"

namespace cidbus {

using OpenRole = std::function<Result<std::unique_ptr<RunningRole>>()>;

class Stage : public RunningRole {
 public:
  Stage();
  // REQUIRES: wait() was called, or open() failed.
  ~Stage() override;

  // The fault of the first that does not open; those before it are stopped again then.
  Status open(const std::vector<OpenRole>& roles);

  struct Change {
    OpenRole next;
    OpenRole back;       // opens the role it has now
    bool force = false;  // it goes though what only it holds stays behind
  };
  struct Changed {
    Status status;            // Ok in the next role, a fault in the old one
    std::string left_behind;  // why not all was handed over, of a change that was forced
  };
  // REQUIRES: one role was opened, and every change asked for before is told.
  void change(Change change) { changes_.push(std::move(change)); }
  // How it ended. Readable when there is one to take.
  [[nodiscard]] int changed_descriptor() const { return changed_.fd(); }
  std::vector<Changed> take_changed() { return changed_.take_all(); }

  [[nodiscard]] int ended_descriptor() const override { return ended_; }
  void ask_to_stop() override;
  void stop_now() override;
  void change_log_level(int steps_louder) override;
  Status wait() override;

 private:
  void run();
  [[nodiscard]] bool make(const Change& change);
  Status leave(bool force, std::string& left_behind);
  void stop_all();
  void stop(RunningRole& role);

  std::vector<std::unique_ptr<RunningRole>> roles_;  // in the order of their opening
  Mailbox<bool> asked_;
  Mailbox<Change> changes_;
  Mailbox<int> levels_;  // steps by which their logs get louder
  Mailbox<Changed> changed_;
  const int ended_;
  const int hurry_;                       // readable from stop_now() on
  std::atomic<bool> is_stopping_{false};  // a change that is under way is to end
  Status status_;                         // of the first that failed
  std::thread thread_;
};

}  // namespace cidbus
