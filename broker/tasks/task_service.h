// The leader's own part of the tasks: queues, workers, leases, timers, and what clients are told.
//
// Everything here is rebuilt from the replicated state and from what nodes say, so it dies with its office.
// It decides and proposes records; what a record does, it learns from on_applied() like everybody else. The
// driver calls it, one turn after another:
//
//     on_hello, on_message, on_peer_gone, on_worker_lost   what has arrived
//     on_applied                                           what the journal has committed
//     tick, end_turn                                       what is due; what the turn has collected goes out
//
// Invariants
//  1. A client is told accepted, a result or cancelled after the record was applied (I7), a worker that its
//     completion is recorded likewise.
//  2. A task is handed out after its SUBMIT was applied, to one worker at a time, against its credit (I8);
//     one of a strict type after its LEASE was applied, and not again before that lease is over.
//  3. Every open task is in a queue, waits for its time, or has a lease.
//  4. Nothing that is refused is forgotten in silence: the sender is told what and when to come again.
//
// Thread rule: one owner, no clock. Limits: ServiceLimits; at each of them the sender is told Exhausted.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "broker/tasks/backlog.h"
#include "broker/tasks/fifo.h"
#include "broker/tasks/service_parts.h"
#include "broker/tasks/session_links.h"
#include "broker/tasks/state_machine.h"
#include "broker/tasks/submissions.h"
#include "broker/tasks/workers.h"
#include "shared/base/prng.h"

namespace cidbus {

class TaskService {
 public:
  TaskService(Output& output, TaskMetrics& metrics, const ServiceLimits& service_limits, Prng chance);
  TaskService(const TaskService&) = delete;
  TaskService& operator=(const TaskService&) = delete;

  // Rebuilds everything from the state, a few thousand tasks a call; true once it is done. Nothing else may
  // be called before. REQUIRES: the office's OPEN is applied; the state outlives the service, stays as it is
  // until then, and changes afterwards only by records reported to on_applied().
  bool take_office(Now now, Epoch epoch, StateMachine& state);

  [[nodiscard]] bool has_room_for(std::string_view worker) const;  // false: a new name past the limit
  // A node of any role says hello (again); the driver answers Welcome. REQUIRES: has_room_for() a worker.
  void on_hello(Now now, Peer peer, std::string_view name, Role role, const Hello& hello);
  // What workers and clients say of tasks; false for any other message.
  bool on_message(Now now, Peer peer, const Message& message);
  void on_peer_gone(Now now, Peer peer);  // its connection; a worker's leases stay, a client's session too
  void set_slots(std::string_view worker, std::uint32_t slots);  // it runs so many tasks at once now
  void on_worker_lost(Now now, std::string_view name);  // taken for dead (W3): others get its attempts
  void on_applied(Now now, const Changes& changes);     // after every record or batch of records, in order
  Monotonic tick(Now now);                              // does what is due; when to call again at the latest
  Monotonic end_turn(Now now);  // hands out, sends what was collected; when to tick() at the latest

  void configure(Now now, const ConfigValues& values);  // what is voted on; before office is taken, too
  // False: new submissions are refused with this reason until true; everything that frees space goes on.
  void admit(bool admitted, std::string_view reason);
  void watch(bool wanted) { watched_ = wanted; }  // whether task events are wanted; off at first

  void read_metrics(Now now, Registry& registry);  // those that are looked up; the others count by themselves
  [[nodiscard]] std::size_t memory_used() const;   // of the leader's own structures, without the state's
  void check_invariants();

 private:
  // Clients (service_clients.cpp).
  void on_submit(Now now, Peer peer, const Submit& submit);
  [[nodiscard]] Verdict judge(const SessionLink& link, const Submit& submit, const SubmitItem& item);
  [[nodiscard]] Verdict judge_room(const SessionLink& link, const SubmitItem& item) const;
  [[nodiscard]] Verdict judge_type(std::string_view type);
  [[nodiscard]] Verdict judge_key(const SubmitItem& item);
  void propose_submission(SessionLink& link, const Submit& submit, const SubmitItem& item);
  void on_session_resume(Now now, Peer peer, const SessionResume& resume);
  void on_session_close(const SessionClose& close);
  void on_result_ack(Now now, Peer peer, const ResultAck& ack);
  SessionLink& link_for(Now now, Peer peer, const SessionId& id);
  void answer_accepted(SessionLink& link, const AcceptedItem& item);
  void results_due(SessionLink& link);
  void send_accepted();
  void send_results();
  std::size_t push_results(SessionLink& link);
  [[nodiscard]] ClaimHandle next_to_push(const SessionLink& link) const;
  void propose_acknowledgements();
  void renew_sessions(Now now);

  // Workers (service_workers.cpp).
  void hello_from_worker(Now now, NodeNumber number, Peer peer, const Hello& hello);
  void introduce(NodeNumber number, std::string_view name, const Hello& hello);
  [[nodiscard]] bool knows_types(const Hello& hello) const;
  void reclaim_attempt(Now now, NodeNumber worker, const AttemptId& attempt);
  void on_credit(Peer peer, const Credit& credit);
  void on_renew(Now now, Peer peer, const Renew& renew);
  void on_progress(Peer peer, const Progress& progress);
  void on_complete(Now now, Peer peer, const Complete& complete);
  void complete_one(Now now, NodeNumber worker, const CompleteItem& item);
  void settle_completions(LogIndex applied);
  void complete_other(NodeNumber worker, const CompleteItem& item, TaskHandle task, Handle lease);
  void remember_completion(LogIndex index, NodeNumber worker, const AttemptId& attempt, Handle lease);
  NodeNumber worker_of(Peer peer);
  Handle current_lease(NodeNumber worker, const AttemptId& attempt);
  Handle current_lease(NodeNumber worker, const AttemptId& attempt, TaskHandle task);
  void propose_result(NodeNumber worker, const CompleteItem& item, Handle lease);
  LogIndex propose_requeue(Handle lease, RequeueReason reason, bool costs_try,
                           std::chrono::milliseconds delay, std::string_view error, ByteView log = {});
  void requeue_lost(Handle lease, RequeueReason reason);
  Handle add_lease(Now now, TaskHandle task, std::uint32_t attempt, NodeNumber worker);
  void end_expected(Lease& lease);
  void requeue_all_of(NodeNumber worker, RequeueReason reason, bool only_unconfirmed);
  void expire_leases(Now now);
  void set_processing(Handle lease);
  void acknowledge(NodeNumber worker, const AttemptId& attempt);
  void dispatch(Now now);
  void hand_out(Now now, TaskHandle task, NodeNumber worker);
  void hand_out_strict(Now now);
  void append_dispatch(const Lease& lease);
  [[nodiscard]] bool is_strict(TypeNumber type) const;
  void send_dispatches();
  void send_complete_acks(Now now, bool others_leave);
  void send_revokes();

  // Questions (service_questions.cpp).
  void on_cancel(Peer peer, const Cancel& cancel);
  void on_task_query(Peer peer, const TaskQuery& query);
  void on_task_list(Peer peer, const TaskList& list);
  void answer_cancels(LogIndex applied);
  void answer_waiters(TaskId id);
  void send_waited();
  void forget_questions_of(Peer peer);
  void refuse(Peer peer, Refusal why, std::string_view reason, std::chrono::milliseconds retry_after = {});

  // What a record changed (task_service.cpp).
  void take_over(TaskHandle task);
  void on_change(Now now, const Change& change, const Changes& changes);
  void on_expired(const Change& change, const Changes& changes);
  void settle_submissions(LogIndex applied);
  void on_queued(Now now, const Change& change);
  void on_leased(Now now, const Change& change);
  void on_finished(const Change& change);
  void measure_wait(Now now, const TaskSlot& slot);
  void measure_result(Now now, const CompleteItem& item, Handle lease);
  void schedule(Now now, TaskHandle task, Backlog::Lane lane);
  void detach(TaskHandle task, bool revoke);
  void run_timers(Now now);
  void release_held(Now now);
  void tell(TaskHandle task, TaskState state);
  [[nodiscard]] Monotonic next_deadline(Now now);
  template <typename Record>
  LogIndex propose(RecordType type, const Record& record, Urgency urgency) {
    scratch_.clear();
    encode(record, scratch_);
    return output_.propose(type, scratch_, urgency);
  }

  Output& output_;
  const ServiceLimits limits_;
  Prng chance_;
  StateMachine* state_ = nullptr;
  Epoch epoch_;
  Takeover takeover_;
  bool holding_ = false;  // tasks queued before this office wait for what workers still run
  Monotonic hold_until_;
  std::size_t ungreeted_ = 0;  // workers the state knows that have not said hello in this office
  bool more_ = false;          // the turn was cut at a bound: come again at once
  bool watched_ = false;
  bool admitted_ = true;
  std::string refusal_;  // why not
  ConfigValues config_;
  TaskMetrics& metrics_;

  Positions positions_;
  Backlog backlog_{positions_};
  Leases leases_{positions_};
  TimerWheel timers_;
  Workers workers_;
  RunTimes run_times_;
  SessionLinks links_;
  std::set<std::string, std::less<>> declared_strict_;  // in hellos whose NODE is on the way

  SubmissionsOnTheWay submissions_;
  StateUsage usage_;                                      // as the message being looked at came
  Fifo<CompletionOnTheWay> completions_;                  // each end once, however often it is told
  std::set<std::pair<TaskId, NodeNumber>> late_results_;  // those of completions_ without a lease
  Fifo<CancelOnTheWay> cancels_;
  std::map<std::uint64_t, CancelAsked> cancels_asked_;  // by number
  std::uint64_t last_cancel_ = 0;
  std::set<std::tuple<TaskId, Peer, RequestId>> waiters_;
  std::set<std::tuple<Peer, TaskId, RequestId>> waiters_by_peer_;

  TurnLists turn_;
  Bytes scratch_;
  std::vector<TimerWheel::Due> due_;
};

}  // namespace cidbus
