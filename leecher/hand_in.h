// Hands the outbox in to the leader: one submission at a time, each under its key, over a session of its own.
//
// The session core repeats what is lost and goes from leader to leader; what it answers goes to the desk.
//
// Invariants: 1. an item is handed in after those before it were accepted or refused. 2. Time spent in the
// outbox counts: it is taken off the delay, and off the deadline, past which the item is refused here.
//
// Thread rule: the desk's. Limits: one item on its way.
#pragma once

#include "client/session_core.h"
#include "leecher/core/desk.h"

namespace cidbus {

class HandIn final : private SessionOutput {
 public:
  // REQUIRES: both outlive it.
  HandIn(Outbox& outbox, Desk& desk, DeskOutput& output);

  void on_bound(Now now);
  void on_unbound(Now now) { core_.on_unbound(now.monotonic); }
  // What the leader said. False when it is not for this session.
  bool on_message(Now now, const Message& message);
  // Begins with the next item unless `held_back`; when it wants to be called again.
  Monotonic end_turn(Now now, bool held_back);
  // Why a broker took nothing lately; empty once it does.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  bool begin_next();
  void send(const Message& message) override { output_.ask(message); }
  void accepted(Ticket ticket, TaskId task, bool duplicate) override;
  void rejected(Ticket ticket, Refusal why, std::string_view reason, std::chrono::milliseconds) override;
  void result(Ticket, const TaskInfo&) override {}
  void unknown(Ticket ticket, TaskId task) override;
  SessionId new_session() override;
  void paused(std::string_view reason, std::chrono::milliseconds) override { trouble_ = reason; }

  Outbox& outbox_;
  Desk& desk_;
  DeskOutput& output_;
  SessionCore core_;
  Now now_;      // of the call under way
  TaskId item_;  // on its way; 0 for none
  std::string trouble_;
};

}  // namespace cidbus
