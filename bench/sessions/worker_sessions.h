// Thousands of workers on one thread: each a connection with a name of its own that takes echo tasks under
// credit and answers each with its work, decoded and encoded again. It speaks the protocol of workers and
// runs nothing. Its metrics are the process's own, the same for all, and as many as a worker's.
//
// Thread rule: one thread. Limits: limits::workers sessions; the system's on open files.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "shared/base/result.h"

namespace cidbus {

class WorkerSessions {
 public:
  // `credit`: tasks each session may be sent at once.
  WorkerSessions(const std::string& cluster, std::size_t sessions, std::uint32_t credit);
  ~WorkerSessions();
  WorkerSessions(const WorkerSessions&) = delete;
  WorkerSessions& operator=(const WorkerSessions&) = delete;

  // `heartbeats`: each also says on the feed, once a second, how it is and what it measures.
  Status connect(const std::string& broker, bool heartbeats);
  // One turn: reads what is there, answers it, says the signs of life that are due.
  void turn();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
