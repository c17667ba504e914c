// A simulated worker: the real WorkerCore with slots that only let time pass. It offers `echo`, and `strict`,
// which takes longer and must never run twice at once.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <deque>
#include <map>

#include "tests/sim/node.h"
#include "worker/core/worker_core.h"

namespace cidbus::sim {

class WorkerNode : public Node, private WorkerCore::Output {
 public:
  WorkerNode(const NodeGround& ground, NodeIdentity identity, Prng prng, std::uint32_t slots);
  ~WorkerNode() override;

  // Stops in order: it hands back and says goodbye. drained() once it may be removed.
  void drain();
  [[nodiscard]] bool drained() const { return core_.drained(); }
  [[nodiscard]] std::uint64_t runs() const { return runs_; }

 private:
  struct Job {
    AttemptId attempt;
    Bytes work;
    bool strict = false;
    bool cancelled = false;
    bool stood_still = false;
  };

  Hello make_hello() override;
  void on_bound(const Welcome& welcome) override { core_.on_bound(now(), welcome); }
  void on_unbound() override { core_.on_unbound(); }
  void on_message(const Message& message) override { core_.on_message(now(), message); }
  std::optional<Monotonic> turn() override { return core_.end_turn(now()); }
  void on_paused() override;
  void on_resumed() override;

  bool send(const Message& message) override { return Node::send(message); }
  void start(const DispatchItem& item) override;
  bool withdraw(const AttemptId& attempt) override;
  void cancel(const AttemptId& attempt) override;
  void overdue(const AttemptId& attempt, Duration since) override;

  void fill_slots();
  [[nodiscard]] Duration run_time(const Job& job);
  void finish(const AttemptId& attempt);

  WorkerCore core_;
  std::uint32_t free_slots_;
  std::deque<Job> waiting_;
  std::map<AttemptId, Job> running_;
  std::uint64_t runs_ = 0;
};

}  // namespace cidbus::sim
