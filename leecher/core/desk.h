// A leecher's side of the bus towards those who use it: it answers as a broker would, from what it has and
// from what the leader says.
//
// Submissions go into the outbox and are handed in from there, whether or not the leader is at hand, so that
// there is one way for them and none is handed in twice. Questions are passed on while the leader is there;
// while it is not, what the leecher itself knows is answered, and for the rest the asker is told since when
// it is cut off.
//
// Invariants
//  1. A client is told accepted only of what is synced here: with a task id once a broker has accepted it,
//     with the name of its outbox item while none has (limits::outbox_answer_time after it came, or at once
//     while cut off).
//  2. A result is pushed to a session once under one rseq, and kept until it is acknowledged (CONSENSUS C4).
//  3. Blocks that anybody in the cluster holds, and those held here, are said to be held here and nowhere
//     else: who fetches through a leecher fills its cache.
//  4. While cut off, the only place for new blocks is here.
//
// Pure. Thread rule: one owner, no clock. Limits: limits::desk_* and the outbox's; past them the sender is
// told Exhausted.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "leecher/core/outbox.h"
#include "shared/core/message.h"

namespace cidbus {

// A connection of a client to this leecher; its number is not used twice.
using Guest = Number<struct GuestTag>;

class DeskOutput {
 public:
  virtual ~DeskOutput() = default;
  virtual void tell(Guest guest, const Message& message) = 0;
  // To the leader; nothing happens when it is not there.
  virtual void ask(const Message& message) = 0;
  // Whether the block is here.
  [[nodiscard]] virtual bool holds(const BlockKey& key) const = 0;
};

struct DeskSettings {
  std::string name;
  std::string cluster;
  std::string exchange;  // host:port where its blocks are served
};

class Desk {
 public:
  // REQUIRES: both outlive the desk; the outbox is as its file says, and all of it synced.
  Desk(DeskSettings settings, Outbox& outbox, DeskOutput& output, WallTime now);
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // False for what no client of a leecher may say.
  bool on_message(Now now, Guest guest, const Message& message);
  void on_guest_gone(Guest guest);

  void on_online();
  void on_offline(Now now);
  // What the leader said to ask().
  void on_leader_message(Now now, const Message& message);

  // Every entry of the outbox up to this item is on disk.
  void on_synced(std::uint64_t last_number) { synced_ = last_number; }
  // The item to hand in next, if one may be; from here on it cannot be cancelled any more. 0 for none.
  TaskId begin_hand_in();
  void handed_in(Now now, TaskId item, TaskId task);
  void refused(Now now, TaskId item, Refusal why, std::string_view reason);

  // Tells what the turn has settled. When it wants to be called again; Monotonic::max() for never.
  Monotonic end_turn(Now now);

  [[nodiscard]] bool online() const { return online_; }
  // Since when it is online, or cut off.
  [[nodiscard]] WallTime since() const { return since_; }
  void set_since(WallTime since) { since_ = since; }

 private:
  // Who is to be told how a task ended: a question, or a session.
  struct Watcher {
    Guest guest;  // 0 for a session
    RequestId request;
    TaskId asked;  // the id as it was asked for
    SessionId session;
    std::uint64_t seq = 0;
  };
  // A submission that has not been answered.
  struct Owed {
    Guest guest;
    SessionId session;
    std::uint64_t seq = 0;
    Monotonic answer_by;
  };
  struct KeptResult {
    std::uint64_t rseq = 0;
    std::uint64_t seq = 0;
    TaskInfo info;  // its views point into `texts`
    std::vector<std::string> texts;
    ByteCount bytes = 0;
  };
  struct Session {
    Guest guest;
    Monotonic heard;
    std::uint64_t last_rseq = 0;
    std::deque<KeptResult> unacknowledged;  // by rseq
    std::set<std::uint64_t> watched;        // seqs whose results were asked for, or pushed
  };
  // Passed on to the leader.
  struct Question {
    Guest guest;
    RequestId request;
    std::vector<TaskId> asked;                             // of a TaskQuery or Cancel, as it came
    std::vector<std::pair<TaskId, CancelAnswer>> settled;  // of a Cancel, here
  };

  // Submissions and sessions (desk.cpp).
  void on_submit(Now now, Guest guest, const Submit& submit);
  void on_resume(Now now, Guest guest, const SessionResume& resume);
  void on_result_ack(const ResultAck& ack);
  void acknowledge(Session& session, std::uint64_t cursor);
  Session& session_for(Now now, Guest guest, const SessionId& id);
  void erase_session(const SessionId& id);
  void answer_owed(Now now);
  void watch_for_session(const SessionId& id, std::uint64_t seq, TaskId task);
  bool push(const SessionId& id, std::uint64_t seq, const TaskInfo& info);

  // Questions (desk_questions.cpp).
  void on_query(Guest guest, const TaskQuery& query);
  void on_wait(Guest guest, const TaskQuery& query);
  void on_list(Guest guest, const TaskList& list);
  void on_cancel(Now now, Guest guest, const Cancel& cancel);
  void on_find(Guest guest, const Find& find);
  void on_place(Guest guest, const Place& place);
  void on_snapshot(Guest guest, const SnapshotRequest& request);
  void pass_on_or_refuse(Guest guest, const NameContent& wanted);
  void pass_on_or_refuse(Guest guest, const FindContent& question);
  template <typename Asked>
  void pass_on(Guest guest, Asked message, std::vector<TaskId> asked = {},
               std::vector<std::pair<TaskId, CancelAnswer>> settled = {});
  void on_infos(const TaskInfos& infos);
  void on_cancelled(const CancelAnswers& answers);
  void on_providers(const Providers& providers);
  template <typename Answer>
  void pass_back(Answer answer);
  std::optional<Question> take_question(RequestId request);
  void answer_query(Question& question, const TaskInfos& from_leader);
  void tell_cut_off(Guest guest);
  [[nodiscard]] std::vector<TaskId> tasks_of(const std::vector<TaskId>& asked) const;

  // Waits (desk_questions.cpp).
  void watch(TaskId id, Watcher watcher);
  void on_final(const TaskInfo& info, TaskId id);
  void on_unknown(TaskId id);
  void tell_local_end(TaskId name);
  void ask_waits(Now now);

  const DeskSettings settings_;
  Outbox& outbox_;
  DeskOutput& output_;
  bool online_ = false;
  WallTime since_;
  std::uint64_t synced_;  // items up to this number are on disk
  TaskId handing_in_;     // 0 for none

  std::map<TaskId, Owed> owed_;  // by item
  std::map<SessionId, Session> sessions_;
  ByteCount result_bytes_ = 0;                       // of all unacknowledged
  std::map<TaskId, std::vector<Watcher>> watchers_;  // by task, or by item while it has none
  std::size_t watcher_count_ = 0;                    // of watchers_
  std::set<TaskId> unasked_;                         // tasks with watchers that the leader was not asked for
  Monotonic ask_at_ = Monotonic::max();              // when it is; max() while unasked_ is empty
  std::map<std::uint64_t, Question> questions_;      // by the number they were passed on under
  std::uint64_t last_request_ = 0;
};

// An outbox item as a task, under its own name. Views live as long as the item.
TaskInfo info_of(TaskId name, const Outbox::Item& item);

}  // namespace cidbus
