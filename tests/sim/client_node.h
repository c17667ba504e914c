// A simulated client: the real SessionCore under a random workload, with a ledger of what it was told.
//
// The ledger is the checker of what a client sees: accepted at most once, a result at most once and only when
// accepted, and the result that belongs to the submission.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>
#include <set>

#include "client/session_core.h"
#include "tests/sim/checkers/result_order.h"
#include "tests/sim/node.h"

namespace cidbus::sim {

class ClientNode : public Node, private SessionOutput {
 public:
  struct Entry {
    Bytes work;
    TaskId task;  // 0 until accepted
    bool rejected = false;
    bool unknown = false;
    std::uint32_t results = 0;
    TaskState state = TaskState::Pending;
  };

  ClientNode(const NodeGround& ground, NodeIdentity identity, Prng prng, std::uint32_t submissions);

  // Everything was submitted and answered, and every accepted task's result has come.
  [[nodiscard]] bool done() const { return left_ == 0 && core_.idle(); }
  [[nodiscard]] const std::map<Ticket, Entry>& ledger() const { return ledger_; }
  // It was told that they are cancelled.
  [[nodiscard]] const std::set<TaskId>& cancelled() const { return cancelled_; }

 private:
  Hello make_hello() override;
  void on_bound(const Welcome& welcome) override { core_.on_bound(now().monotonic, welcome.credit); }
  void on_unbound() override { core_.on_unbound(now().monotonic); }
  void on_message(const Message& message) override;
  void on_cancel_answers(const CancelAnswers& answers);
  std::optional<Monotonic> turn() override;

  void send(const Message& message) override { Node::send(message); }
  void accepted(Ticket ticket, TaskId task, bool duplicate) override;
  void rejected(Ticket ticket, Refusal why, std::string_view reason,
                std::chrono::milliseconds retry_after) override;
  void result(Ticket ticket, const TaskInfo& info) override;
  void unknown(Ticket ticket, TaskId task) override;
  SessionId new_session() override;

  void submit_some();

  SessionCore core_;
  std::uint32_t left_;
  std::uint32_t submitted_ = 0;
  std::map<Ticket, Entry> ledger_;
  ResultOrder order_;
  std::set<TaskId> cancelled_;
  std::uint64_t last_request_ = 0;
};

}  // namespace cidbus::sim
