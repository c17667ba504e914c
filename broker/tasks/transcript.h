// Plays a written scene against state machine and service, and writes down everything that comes of it.
//
// A scene is lines. What begins in the first column is an event; the indented lines below it are its effects:
// records, messages, events of the feed, in order. play() reads only the events and gives back the whole
// scene as it went, so that a test compares the text with itself. After each event the turn ends.
//
//   w1 hello echo,hash [running=t3.1,...]      w1 credit 2          w1 gone            lost w1
//   w1 hello echo!,hash                        echo is strict
//   w1 complete t3.1 ok VALUE | failed TEXT | retry TEXT | timeout | cancelled | back
//   w1 renew t3.1 t4.1        w1 progress t3.1
//   c1 submit s1 low=1 1:echo 2:echo,key=k,prio=9,delay=50,deadline=90,limit=7,tries=2,backoff=100
//   c1 resume s1 CURSOR       c1 close s1      c1 ack s1 CURSOR     c1 gone
//   c1 cancel 7 t3 t4         c1 show 7 t3     c1 wait 7 t3         c1 list 7 [state=S] [type=T] [before=t9]
//   [limit=N] commit [N]                the next N proposed records, or all, are applied wait MS time passes;
//   tick full TEXT | room          the disk office                    a new leader: what was not committed is
//   gone, connections too
//
// Names s1 and c1 and w1 are made as they appear.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "broker/tasks/task_service.h"

namespace cidbus::testing_tasks {

class Transcript final : public Output {
 public:
  explicit Transcript(const ServiceLimits& service_limits = {.acks_within = {}},
                      const StateLimits& state_limits = {});

  // The scene as it went.
  std::string play(std::string_view scene);
  // One event more; its effects.
  std::string event(const std::string& line);

  StateMachine state;
  Registry registry;
  TaskMetrics metrics{registry};
  std::unique_ptr<TaskService> service;
  Now now{Monotonic(std::chrono::seconds(100)), WallTime{1'000'000}};
  std::optional<Monotonic> next;  // what the service asked to be called at

 private:
  LogIndex propose(RecordType type, ByteView payload, Urgency urgency) override;
  void send(Peer peer, const Message& message) override;
  void event(const TaskEvent& event) override;

  void dispatch(std::istringstream& words, const std::string& who);
  void worker_event(std::istringstream& words, const std::string& who, const std::string& verb);
  void client_event(std::istringstream& words, const std::string& who, const std::string& verb);
  void complete(std::istringstream& words, Peer peer);
  void submit(std::istringstream& words, Peer peer);
  void list(std::istringstream& words, Peer peer);
  void commit(std::size_t count);
  void take_office();
  void say(std::string effect);
  Peer peer_of(const std::string& name);

  struct Written {
    RecordType type;
    Bytes payload;
    WallTime time;
  };
  std::deque<Written> open_;  // proposed, not applied
  std::uint64_t applied_ = 0;
  std::uint64_t epoch_ = 0;
  ServiceLimits service_limits_;
  std::map<std::string, std::uint32_t> peers_;
  std::uint32_t last_peer_ = 0;
  std::string effects_;
};

}  // namespace cidbus::testing_tasks
