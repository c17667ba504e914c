// For tests: a broker in memory, on a real socket and a thread of its own, with just enough sense to try a
// client against. The type of a task says what becomes of it:
//
//   echo   completed at once: its parameters as values, its binary inputs as CIDs
//   fail   failed at once with "no such pixel"
//   slow   stays pending, until cancelled
//   full   refused as exhausted the first time it is sent, then as echo
//   wrong  refused: no worker has ever offered it
//
// Thread rule: the atomics may be read and set by the test's thread; everything else is the broker's own.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "shared/io/reactor.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {

class FakeBroker {
 public:
  // `exchange`: HOST:PORT of the one node that stores blocks; empty when there is none.
  explicit FakeBroker(SocketContext& context, std::string exchange = "");
  ~FakeBroker();
  [[nodiscard]] const std::string& address() const { return address_; }

  std::atomic<std::size_t> submissions{0};  // items received, repeats included
  std::atomic<std::size_t> tasks{0};
  std::atomic<std::size_t> closed{0};  // sessions
  std::atomic<std::uint32_t> credit{1000};
  std::atomic<bool> deaf{false};
  std::atomic<bool> foreign{false};      // of cluster 'other'
  std::atomic<bool> always_full{false};  // for `full`
  std::atomic<bool> amnesia{false};      // at the next message it forgets sessions, and who is connected

 private:
  struct Task {
    std::string type, key, error;
    Bytes work, result;
    TaskState state = TaskState::Pending;
    std::uint64_t seq = 0;
  };
  struct Session {
    std::map<std::uint64_t, TaskId> seqs;
    std::deque<TaskId> results;
  };

  void read();
  void answer(const Message& message);
  template <typename Body>
  void on(const Body&) {}
  void on(const Hello&);
  void on(const Ping&);
  void on(const SessionClose&);
  void on(const Submit& submit);
  void on(const SessionResume& resume);
  void on(const TaskQuery& query);
  void on(const TaskList& list);
  void on(const Cancel& cancel);
  void on(const SnapshotRequest& request);
  void on(const Place& place);
  void on(const Find& find);
  void refuse_expired(const Submit& submit);
  void push_results(const SessionId& id, const std::vector<TaskId>& fresh);
  TaskId make_task(const SubmitItem& item);
  Task& task(TaskId id) { return tasks_.at(id.value - 1); }
  TaskInfo info(TaskId id);

  const std::string exchange_;
  Socket router_;
  std::string address_;
  Reactor reactor_;
  std::thread thread_;
  Frames frames_;
  Encoder encoder_;
  Decoder decoder_;
  std::deque<Task> tasks_;  // of the ids 1, 2, …
  std::map<SessionId, Session> sessions_;
  std::map<std::string, TaskId> keys_;
  std::set<std::string> refused_;
};

}  // namespace cidbus
