#include "tests/sim/worker_node.h"

namespace cidbus::sim {

using namespace std::chrono_literals;

WorkerNode::WorkerNode(Timeline& timeline, Network& network, NodeIdentity identity, Prng prng,
                       std::uint32_t slots)
    : Node(timeline, network, std::move(identity), prng), core_(slots, *this), free_slots_(slots) {}

Hello WorkerNode::make_hello() {
  Hello hello;
  hello.role = Role::Worker;
  hello.slots = free_slots_;
  hello.task_types = {"echo"};
  hello.exchange = "worker:1";
  hello.running = core_.held();
  return hello;
}

void WorkerNode::start(const DispatchItem& item) {
  waiting_.push_back({item.attempt, to_bytes(item.work)});
  fill_slots();
}

bool WorkerNode::withdraw(const AttemptId& attempt) {
  return std::erase_if(waiting_, [&](const Job& job) { return job.attempt == attempt; }) > 0;
}

void WorkerNode::fill_slots() {
  while (free_slots_ > 0 && !waiting_.empty()) {
    --free_slots_;
    const Job job = waiting_.front();
    waiting_.pop_front();
    ++runs_;
    // Beginning and ending are told from outside the core's own call, as the slots' threads do.
    after(0ns, [this, attempt = job.attempt] {
      core_.on_begin(now(), attempt);
      wake();
    });
    const Duration run_time(prng().chance(1, 40) ? prng().between(500'000'000, 8'000'000'000)
                                                 : prng().between(20'000, 30'000'000));
    after(run_time, [this, job] { finish(job); });
  }
}

// Every tenth attempt or so asks for another try, a few fail; what completes answers the task's own bytes.
void WorkerNode::finish(const Job& job) {
  ++free_slots_;
  AttemptEnd end{job.attempt, Outcome::Completed, job.work, {}, 1ms};
  if (cancelled_.erase(job.attempt) > 0) {
    end.outcome = Outcome::Cancelled;
  } else if (prng().chance(1, 12)) {
    end.outcome = Outcome::Retry;
    end.error = "try again";
  } else if (prng().chance(1, 60)) {
    end.outcome = Outcome::Failed;
    end.error = "no good";
  }
  if (end.outcome != Outcome::Completed) end.result.clear();
  core_.on_end(std::move(end));
  fill_slots();
  wake();
}

void WorkerNode::drain() {
  core_.drain(now().monotonic + 2s);
  wake();
}

}  // namespace cidbus::sim
