// Submissions from any thread, on one session and a thread of its own: the Client of client/client.h for
// programs whose threads do other things.
//
// Invariants
//  1. Each submission taken is told of once: accepted() and then ended(), on the submitter's thread.
//  2. It never gives a broker up by itself: what is under way waits until one is there. Only a refusal for
//     good (another cluster, no rights) ends everything, then and from then on.
//  3. After destruction nothing is called; what had not ended was told so before.
//
// An actor. Thread rule: submit() from any thread, and from the callbacks; the owner destroys it, not from a
// callback. Limits: limits::submitted_bytes; submit() waits for room.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/library/task_record.h"
#include "shared/base/result.h"
#include "shared/io/bus_link.h"
#include "shared/io/socket.h"

namespace cidbus {

struct SubmissionOrder {
  std::string type;
  std::string key;
  TaskOptions options;  // without the key
  Bytes work;
  Asked asked;  // what the work says, to be told again
  std::function<void(const Result<TaskId>&)> accepted;
  std::function<void(const Result<TaskRecord>&)> ended;
};

class TaskSubmitter {
 public:
  // REQUIRES: the context outlives it; `brokers` is not empty and every one of them a HOST:PORT.
  TaskSubmitter(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers);
  ~TaskSubmitter();
  TaskSubmitter(const TaskSubmitter&) = delete;
  TaskSubmitter& operator=(const TaskSubmitter&) = delete;

  // TryAgain when there was no room for `patience`; from a callback it never waits. REQUIRES: check_task()
  // and encode_task() made the order.
  Status submit(SubmissionOrder order, std::chrono::milliseconds patience);
  // The one that calls back.
  [[nodiscard]] std::thread::id thread() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
