// What a worker decides: how much work to ask for, what to say of the attempts it holds, when to hand them
// back.
//
// An attempt is held from its dispatch until the leader has acknowledged how it ended. While held it is
// renewed; a finished one is told again after every reconnect, so a cut or a new leader loses nothing
// (CONSENSUS W4, W5). Credit follows the rate at which tasks complete: enough on the way that slots do not
// idle for a round trip, and no more, so that work is not hoarded from other workers. Where that rate was
// wrong, since tasks turn out long, what waits goes back to the leader, who knows by then that this worker is
// full, and who is not. Rejected: to let the leader take it back; it does not know what has begun.
//
// Invariants
//  1. No credit is granted with which it and the attempts not yet ended would exceed `wanted_tasks()`;
//     with those that wait for their acknowledgement they never exceed limits::tasks_a_worker.
//  2. Each held attempt is in every hello; none is forgotten before its CompleteAck.
//  3. Once draining, nothing new is started.
//  4. A strict attempt begins only once a renewal of it is answered, and is told to stop nine tenths of a
//     lease after the sending of the last one that was (W3). Its end is told when its slot is done, never
//     before: until then nobody else may have it.
//  5. When the attempts in all slots have run for progress_after, what waits behind them is handed back:
//     once for each attempt that comes to run so long, so that it cannot go back and forth.
//
// Thread rule: pure; one owner. Limits: limits::tasks_a_worker.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/time.h"
#include "shared/core/message.h"
#include "shared/node/node_voter.h"

namespace cidbus {

// How a slot's work ended.
struct AttemptEnd {
  AttemptId attempt;
  Outcome outcome = Outcome::Completed;
  Bytes result;
  std::string error;
  std::chrono::microseconds elapsed{0};
  Bytes log = {};          // attempt_history.h
  std::string type = {};   // of the task, for who counts
  std::string trace = {};  // likewise, for who logs; empty for none
};

class WorkerCore {
 public:
  class Output {
   public:
    virtual ~Output() = default;
    // To the leader; false when it cannot be reached.
    virtual bool send(const Message& message) = 0;
    // Queues the attempt for the slots; its views live during the call only.
    virtual void start(const DispatchItem& item) = 0;
    // Takes back an attempt that no slot has begun; false when one has.
    virtual bool withdraw(const AttemptId& attempt) = 0;
    // Asks a running attempt to stop; it ends all the same, by on_end().
    virtual void cancel(const AttemptId& attempt) = 0;
    // One that was told to stop has not ended in all that time, and keeps its slot. Said once an attempt.
    virtual void overdue(const AttemptId& attempt, Duration since) = 0;
  };

  // `votes_by_hand`: a person says what this worker votes for.
  WorkerCore(std::uint32_t slots, Output& output, bool votes_by_hand = false);
  // So many run at once from now on. With fewer, what was granted before is still taken.
  void set_slots(std::uint32_t slots) { slots_ = slots; }

  void on_bound(Now now, const Welcome& welcome);
  void on_unbound();
  // Dispatch, Renewed, CompleteAck, Revoke, Configuration; others are none of its business.
  void on_message(Now now, const Message& message);
  void on_begin(Now now, const AttemptId& attempt);
  void on_end(AttemptEnd end);

  // Hands back what has not begun, waits for the rest until `deadline`, then hands that back too.
  void drain(Monotonic deadline);
  // Draining, and nothing is held.
  [[nodiscard]] bool drained() const { return draining_ && held_.empty(); }

  // Sends what the turn collected. When it wants to be called at the latest.
  std::optional<Monotonic> end_turn(Now now);

  [[nodiscard]] std::vector<AttemptId> held() const;
  // Slots at work, also on what was told as ended and does not stop.
  [[nodiscard]] std::uint32_t busy() const { return occupied_; }
  // Slots whose attempt is over, and whose thread is not.
  [[nodiscard]] std::uint32_t stuck() const { return occupied_ - running_; }
  [[nodiscard]] std::size_t held_count() const { return held_.size(); }
  [[nodiscard]] std::uint32_t wanted_tasks() const;

 private:
  struct Held {
    enum class Stage { Waiting, Running, Ended } stage = Stage::Waiting;
    std::chrono::milliseconds time_limit{0};
    Monotonic began{};  // once it runs
    bool told_progress = false;
    bool revoked = false;
    std::optional<AttemptEnd> end;        // kept until it is acknowledged
    std::unique_ptr<AttemptEnd> stopped;  // told to stop: how it ends, unless it completes all the same
    std::optional<Monotonic>
        give_up_at;  // then it is told as ended, whatever its slot does; strict ones wait

    // Of strict attempts only.
    bool strict = false;
    Duration lease{};
    std::optional<Monotonic> stop_at;  // set by the first renewal that is answered, which lets it begin
    std::string type;                  // until then
    Bytes work;                        // likewise
  };
  struct AttemptHash {  // mostly one attempt a task, and tasks are numbered
    std::size_t operator()(const AttemptId& attempt) const { return attempt.task.value; }
  };
  struct Asked {
    std::uint64_t number = 0;
    Monotonic sent;
  };

  void accept(const DispatchItem& item);
  void on_renewed(Now now, const Renewed& renewed);
  void on_configuration(Now now, const Configuration& configuration);
  void confirm(Now now, Monotonic asked, const AttemptId& attempt);
  // True when no slot has begun it, nor will.
  bool withdraw(const AttemptId& attempt, const Held& held);
  void cancel(const AttemptId& attempt);
  // Whatever runs it is told to stop; how it ends, unless it completes.
  void stop(Held& held, AttemptEnd end);
  // The same; its slot has a moment to say what it leaves behind. When it is to be looked at again.
  Monotonic stop_soon(Now now, Held& held, AttemptEnd end);
  void revoke(const AttemptId& attempt);
  void forget_lost(const AttemptId& attempt);
  void finish(Held& held, AttemptEnd end);
  void give_back_waiting();
  void tell_all_again();
  void measure(Now now);
  void send_ends();
  void send_credit();
  void send_renewals(Now now);
  void ask(Now now, std::vector<AttemptId> attempts);
  void watch_running(Now now);
  void watch_stopping(Now now);
  // Does what is due for one running attempt; when the next thing is.
  Monotonic watch(Now now, const AttemptId& attempt, Held& held);
  [[nodiscard]] std::optional<Monotonic> next_deadline(Now now) const;

  std::uint32_t slots_;
  Output& output_;
  NodeVoter voter_;
  std::pmr::unsynchronized_pool_resource memory_;  // thousands come and go a second
  std::pmr::unordered_map<AttemptId, Held, AttemptHash> held_{&memory_};
  std::uint32_t running_ = 0;  // held and begun
  std::uint32_t occupied_ =
      0;  // slots at work, also on attempts that were told as ended: timed out, handed back
  std::uint32_t ended_ = 0;                                 // held, ended, not acknowledged
  std::vector<AttemptId> to_tell_;                          // ended, not told to this leader yet
  std::map<AttemptId, std::optional<Monotonic>> stopping_;  // told to stop, their slots still at work: when
                                                            // they are overdue; max() once that was said
  bool bound_ = false;
  bool draining_ = false;
  Monotonic drain_deadline_{};
  std::uint32_t credit_ = 0;  // granted to this leader and not used yet
  Duration lease_{};
  Monotonic next_renewal_{};
  std::vector<AttemptId> to_confirm_;  // strict, just dispatched
  std::deque<Asked> asked_;            // renewals that are not answered, the newest of them
  std::uint64_t last_asked_ = 0;
  Monotonic resend_at_{};                  // ends that are not acknowledged by then are told again
  Monotonic watch_at_ = Monotonic::max();  // something is due for a running attempt
  bool runs_long_ = false;                 // one was said to run for progress_after, in this turn
  std::uint32_t ended_in_window_ = 0;
  Monotonic window_began_{};
  std::uint32_t ahead_ = 0;  // attempts wanted beyond the slots
};

}  // namespace cidbus
