#include "tests/sim/worker_node.h"

#include "shared/base/ensure.h"

namespace cidbus::sim {

using namespace std::chrono_literals;

WorkerNode::WorkerNode(const NodeGround& ground, NodeIdentity identity, Prng prng, std::uint32_t slots)
    : Node(ground, std::move(identity), prng), core_(slots, *this), free_slots_(slots) {}

// What it runs ends with its process.
WorkerNode::~WorkerNode() {
  for (const auto& [attempt, job] : running_) {
    if (job.strict) truths().strict.end(attempt);
  }
}

Hello WorkerNode::make_hello() {
  Hello hello;
  hello.role = Role::Worker;
  hello.load.slots = free_slots_;
  hello.task_types = {"echo", "strict"};
  hello.exchange = "worker:1";
  hello.running = core_.held();
  hello.strict_types = {"strict"};
  return hello;
}

void WorkerNode::start(const DispatchItem& item) {
  truths().told.on_dispatched(item.attempt.task);
  waiting_.push_back({item.attempt, to_bytes(item.work), item.strict});
  fill_slots();
}

bool WorkerNode::withdraw(const AttemptId& attempt) {
  return std::erase_if(waiting_, [&](const Job& job) { return job.attempt == attempt; }) > 0;
}

// It stops soon, as handlers must: within a tenth of a lease, less what clocks may differ by.
void WorkerNode::cancel(const AttemptId& attempt) {
  const auto job = running_.find(attempt);
  if (job == running_.end() || job->second.cancelled) return;
  job->second.cancelled = true;
  after(Duration(prng().below(1'500'000'000)), [this, attempt] { finish(attempt); });
}

void WorkerNode::overdue(const AttemptId& attempt, Duration) {
  ENSURE(false, "an attempt that stops soon is said not to", to_text(attempt.task));
}

Duration WorkerNode::run_time(const Job& job) {
  if (job.strict && prng().chance(1, 6)) return Duration(prng().between(1'000'000'000, 60'000'000'000));
  return Duration(prng().chance(1, 40) ? prng().between(500'000'000, 8'000'000'000)
                                       : prng().between(20'000, 30'000'000));
}

void WorkerNode::fill_slots() {
  while (free_slots_ > 0 && !waiting_.empty()) {
    --free_slots_;
    const Job job = waiting_.front();
    waiting_.pop_front();
    ++runs_;
    Job& begun = running_.emplace(job.attempt, job).first->second;
    if (job.strict && !resuming()) truths().strict.begin(job.attempt);
    begun.stood_still = job.strict && resuming();
    // Beginning and ending are told from outside the core's own call, as the slots' threads do.
    after(0ns, [this, attempt = job.attempt] {
      core_.on_begin(now(), attempt);
      wake();
    });
    after(run_time(job), [this, attempt = job.attempt] { finish(attempt); });
  }
}

// Every tenth attempt or so asks for another try, a few fail; what completes answers the task's own bytes.
void WorkerNode::finish(const AttemptId& attempt) {
  const auto place = running_.find(attempt);
  if (place == running_.end()) return;  // it was cancelled and ended then
  const Job job = std::move(place->second);
  running_.erase(place);
  if (job.strict) truths().strict.end(attempt);
  ++free_slots_;
  AttemptEnd end{job.attempt, Outcome::Completed, job.work, {}, 1ms};
  if (job.cancelled) {
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

// A process that stands still can not stop in time; it does nothing, either. When it goes on, slots are
// quicker than the core that looks at the clock. What is stopped then is fenced by its token, and nothing is
// claimed of it; the rest is alone.
void WorkerNode::on_paused() {
  for (auto& [attempt, job] : running_) {
    job.stood_still = job.strict;
    if (job.strict) truths().strict.end(attempt);
  }
}

void WorkerNode::on_resumed() {
  for (auto& [attempt, job] : running_)
    if (std::exchange(job.stood_still, false) && !job.cancelled) truths().strict.go_on(attempt);
}

void WorkerNode::drain() {
  core_.drain(now().monotonic + 2s);
  wake();
}

}  // namespace cidbus::sim
