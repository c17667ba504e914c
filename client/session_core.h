// The client's side of a session (CONSENSUS C1-C4): submissions go out until they are answered, results come
// in once each, over any number of brokers, losses and repeats.
//
// A pure machine. The leader link finds the broker in office and tells this core when it is bound to one and
// when it is not; the core says what to send and calls back what happened. Everything is sent from tick(),
// the end of a turn, so that whatever a turn collected leaves as one message.
//
// Invariants
//  1. Every submission is called back: accepted, rejected or unknown; once accepted, result or unknown.
//  2. accepted() and result() are called at most once a ticket, accepted() before result().
//  3. Within a session, results are called back in the order of rseq, without gaps: what is at or below the
//     cursor is dropped, what is above the next one is dropped too and asked for again.
//  4. A submission that may have reached a broker is sent again only under the same identity: the same
//     session and seq, or the same key. When its session expired and it has no key, it is reported
//     unknown.
//  5. No more than the broker's credit is on the way unanswered, and one only until a broker has answered for
//     the session. A broker takes an unknown session with low water 1 for a new one, any other for expired.
//
// Tasks whose results the session cannot push (accepted under a key that another session used, or owed by a
// session that expired) are waited for by their ids, with requests numbered from `first_request` up.
//
// Thread rule: one owner. A callback may call submit() and nothing else. Limits: SessionSettings.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "client/submissions.h"
#include "shared/base/prng.h"
#include "shared/core/message.h"

namespace cidbus {

// What the core asks of its surroundings. Views end with the call.
class SessionOutput {
 public:
  virtual ~SessionOutput() = default;
  // To the broker the session is bound to.
  virtual void send(const Message& message) = 0;
  // Durable at the broker. `duplicate`: this session or this key had submitted it before.
  virtual void accepted(Ticket ticket, TaskId task, bool duplicate) = 0;
  // Not accepted, and nothing of it is kept.
  virtual void rejected(Ticket ticket, Refusal why, std::string_view reason,
                        std::chrono::milliseconds retry_after) = 0;
  // The task is final: completed or not, `info.state` says.
  virtual void result(Ticket ticket, const TaskInfo& info) = 0;
  // The session expired. Without a task: whether the submission was accepted cannot be told. With a task: it
  // was accepted, and the brokers no longer remember how it ended.
  virtual void unknown(Ticket ticket, TaskId task) = 0;
  // The broker has no room; nothing is sent for a while. Told once a refusal, with its reason.
  virtual void paused(std::string_view reason, std::chrono::milliseconds retry_after) {
    static_cast<void>(reason);
    static_cast<void>(retry_after);
  }
  // 128 fresh random bits, for the session after an expired one.
  virtual SessionId new_session() = 0;
};

struct SessionSettings {
  // False: a submission is done with once accepted, and results are taken off the broker unseen.
  bool await_results = true;
  // True: what a broker has no room for is sent again after its retry-after. False: it is called back.
  bool retry_exhausted = true;
  std::size_t unanswered_bytes = 16 << 20;             // submissions held before has_room() says no
  std::size_t held = 1'000'000;                        // submissions not done with before has_room() says no
  Duration silence = std::chrono::seconds(2);          // without an answer: send again; doubles up to
  Duration silence_most = std::chrono::seconds(30);    //
  Duration result_silence = std::chrono::seconds(10);  // with results owed: ask again; doubles up to
  Duration result_silence_most = std::chrono::seconds(120);
};

class SessionCore {
 public:
  static constexpr std::uint64_t first_request = std::uint64_t{1} << 63;

  SessionCore(SessionId session, SessionSettings settings, SessionOutput& output);

  [[nodiscard]] bool has_room() const;
  // Queues a submission; the bytes are copied.
  // REQUIRES: has_room(), not closed, a valid type name, work and key within base/limits/.
  Ticket submit(std::string_view type, const TaskOptions& options, ByteView work);

  // A leader took this client in; `credit` submissions may be on the way to it unanswered.
  void on_bound(Monotonic now, std::uint32_t credit);
  void on_unbound(Monotonic now);
  // What the bound broker said. False when it is not for the session.
  bool on_message(Monotonic now, const Message& message);
  // The end of a turn: sends what is due. The next time it wants to be called; Monotonic::max() for none.
  Monotonic tick(Monotonic now);

  // Ends the session at the next tick(): the broker forgets it and what it still owed. Tasks go on.
  void close();

  [[nodiscard]] const SessionId& session() const { return session_; }
  [[nodiscard]] std::uint64_t cursor() const { return cursor_; }
  [[nodiscard]] bool bound() const { return bound_; }
  // Nothing queued, on the way or owed.
  [[nodiscard]] bool idle() const { return submissions_.empty() && watched_.empty(); }
  [[nodiscard]] std::size_t unanswered() const { return submissions_.unanswered(); }

 private:
  void on_accepted(Monotonic now, const Accepted& accepted);
  void on_rejected(Monotonic now, const Rejected& rejected);
  void on_results(Monotonic now, const Results& results);
  void on_task_infos(Monotonic now, const TaskInfos& infos);
  void on_answered(Monotonic now);
  void reject(const RejectedItem& item, std::uint64_t seq, Submissions::Entry& entry);
  void deliver(const ResultItem& item);
  void accept(Submissions::Entry& entry, TaskId task, bool duplicate);
  void watch(TaskId task, Ticket ticket);
  std::vector<Ticket> take_watchers(TaskId task);
  void establish(Monotonic now);
  void renew_session(Monotonic now);
  void give_up(const std::vector<Ticket>& tickets);
  void pause(Monotonic now, std::chrono::milliseconds retry_after);

  void send_resume(Monotonic now);
  bool send_submissions(Monotonic now);  // whether any left
  void send_questions();
  void send_acknowledgement();
  void send_close();
  [[nodiscard]] bool owed() const { return submissions_.accepted() > 0 || !watched_.empty(); }

  SessionId session_;
  const SessionSettings settings_;
  SessionOutput& output_;
  Prng chance_;  // of the back-off, seeded by the session

  Submissions submissions_;
  std::multimap<TaskId, Ticket> watched_;  // tasks waited for by id, with whom to tell
  std::vector<TaskId> unasked_;            // those the bound broker was not asked for yet
  std::uint64_t next_request_ = first_request;

  bool bound_ = false;
  std::uint32_t window_ = 0;  // the bound broker's credit
  Monotonic last_contact_;    // when the last binding ended
  bool closing_ = false;
  bool closed_ = false;  // SessionClose went out

  // Of this session; set back when it is renewed.
  bool opened_ = false;               // something was sent under it
  bool opened_elsewhere_ = false;     // on an earlier binding
  bool established_ = false;          // a broker has answered, so its journal knows the session
  bool resumed_ = false;              // SessionResume went out on this binding and nothing came back yet
  std::uint64_t cursor_ = 0;          // every rseq up to here was called back; only grows
  std::uint64_t highest_rseq_ = 0;    // seen; above the cursor while a gap waits to be filled
  std::uint64_t answered_below_ = 1;  // the low water when the resend timer was set
  std::uint64_t acknowledged_ = 0;    // the cursor that the broker was told

  // Timers; Monotonic::max() when not set.
  Monotonic acknowledge_at_ = Monotonic::max();  // the broker is told of the cursor; earlier with submissions
  Monotonic resend_at_ = Monotonic::max();       // what is in flight goes out again
  Duration silence_;                             // the wait before that
  Monotonic resume_at_ = Monotonic::max();       // the results owed are asked for again
  Duration result_silence_;
  Monotonic last_resume_ = Monotonic::min();
  Monotonic paused_until_ = Monotonic::min();  // the broker has no room before then
  unsigned pauses_ = 0;                        // in a row
};

}  // namespace cidbus
