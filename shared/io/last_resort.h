// The end of a process whose role has ended, although something in it does not return.
//
// A task type that does not look whether it is cancelled holds its thread, and who destroys the role waits
// for that thread for ever; signals do nothing any more, since nobody reads them. By then everything has been
// said: results are handed in or handed back, and blocks are synced. So the process is given a while to leave
// as it should, and then leaves as after a kill, which every store survives.
//
// Invariants
//  1. Destroyed in time, it changes nothing.
//
// Thread rule: one owner; it outlives what may hang. Limits: none.
#pragma once

#include <memory>
#include <string>

#include "shared/base/time.h"

namespace cidbus {

class LastResort {
 public:
  explicit LastResort(Duration patience = std::chrono::seconds(5));
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;
  ~LastResort();

  // From now on the process has `patience` until this is destroyed; then it ends with `code`, and says on
  // stderr that `what` did not stop. REQUIRES: armed once.
  void arm(std::string program, std::string what, int code);

 private:
  struct Watch;
  const Duration patience_;
  std::unique_ptr<Watch> watch_;  // null until armed
};

}  // namespace cidbus
