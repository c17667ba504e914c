// The stage: the roles that a node hosts now, and the order in which they come and go.
//
// They are opened in the order given and stopped in the other, one after another, so that a worker still has
// its broker when it hands its tasks back. When one ends by itself, the others are stopped and the stage ends
// with it: nothing is started again here, that is for whoever runs the node.
//
// Thread rule: the owner's thread; a thread of its own inside, on which roles are stopped. Limits: none.
#pragma once

#include <functional>
#include <memory>
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

  [[nodiscard]] int ended_descriptor() const override { return ended_; }
  void ask_to_stop() override { asked_.push(true); }
  void stop_now() override;
  void change_log_level(int steps_louder) override;
  Status wait() override;

 private:
  void run();
  void stop_all();
  void stop(RunningRole& role);

  std::vector<std::unique_ptr<RunningRole>> roles_;  // in the order of their opening
  Mailbox<bool> asked_;
  const int ended_;
  const int hurry_;  // readable from stop_now() on
  Status status_;    // of the first that failed
  std::thread thread_;
};

}  // namespace cidbus
