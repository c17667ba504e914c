// The task state written as plainly as possible, over ordered maps, for random histories to be compared with.
//
// It keeps every sentence of CONSENSUS section 10 and of state_machine.h by looking at everything after every
// record; it shares no code with the real one but the record structs.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/tasks/records.h"
#include "broker/tasks/tables.h"

namespace cidbus::testing_tasks {

class Model {
 public:
  struct Claim {
    std::uint64_t session = 0;  // serial
    std::uint64_t seq = 0;
    std::uint64_t rseq = 0;
    bool ended = false;
  };
  struct Task {
    TaskState state = TaskState::Pending;
    std::string type, work, result, error, key;
    std::uint32_t attempts = 0;
    unsigned tries_used = 0, lost = 0, node = 0;
    std::int64_t submitted = 0, started = 0, finished = 0, not_before = 0, deadline = 0;
    bool key_active = false, kept = false;
    std::vector<Claim> claims;
  };
  struct Session {
    SessionId id;
    std::int64_t contact = 0;
    std::uint64_t contact_index = 0, low_water = 1, next_rseq = 1, cursor = 0;
    bool closing = false;
    std::map<std::uint64_t, std::uint64_t> window;                          // seq -> task
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> owed;  // rseq -> (task, seq)
  };

  explicit Model(const StateLimits& limits) : limits_(limits) {}

  std::map<std::uint64_t, Task> tasks;
  std::map<std::uint64_t, Session> sessions;  // by serial
  std::list<std::uint64_t> kept, keyed;
  std::vector<std::uint64_t> closing;

  void begin(std::uint64_t index, WallTime now);
  Session* find(const SessionId& id);

  void open(const SessionId& id);
  void renew(const SessionId& id);
  void close(const SessionId& id);
  // The task and whether it was there; nothing when the session is not.
  std::optional<std::pair<std::uint64_t, bool>> submit(const SubmitRecord& record);
  void lease(const LeaseRecord& record);
  void requeue(const RequeueRecord& record);
  void result(const ResultRecord& record);
  void end(TaskId id, TaskState state);
  void ack(const ResultAckRecord& record);
  // What time does after each record: the same few steps as the real one takes.
  void clear_away();

 private:
  Task* find(TaskId id);
  std::uint64_t serial_of(const Session& wanted);
  void contact(Session& session);
  void drop_first(Session& session);
  void close(Session& session);
  void finish(std::uint64_t id, TaskState state);
  void grant(std::uint64_t id, Claim& claim);
  // Ends the claims that nothing holds; the task goes to the kept ones when none is left and its key is old.
  void settle(std::uint64_t id);

  StateLimits limits_;
  std::uint64_t index_ = 0;
  std::int64_t now_ = 0;
};

}  // namespace cidbus::testing_tasks
