#include "worker/slots.h"

#include <exception>
#include <thread>
#include <unordered_map>
#include <utility>

#include "shared/io/clock.h"
#include "shared/io/mailbox.h"
#include "shared/io/work_queue.h"

namespace cidbus {
namespace {

// So many ends since the last look, with more to run, and they are gathered rather than told one by one.
constexpr std::size_t gather_from = 4;

struct AttemptHash {
  std::size_t operator()(const AttemptId& attempt) const {
    return attempt.task.value;
  }  // mostly one attempt a task
};

// Shared by the slot that runs it and the worker that may cancel it; whoever is last lets it go.
using SharedJob = std::shared_ptr<Job>;
using Event = std::variant<AttemptId, AttemptEnd>;  // began, ended

// A handler lets no exception out, but memory may run out anywhere: that costs the attempt, not the worker.
JobEnd run_guarded(JobRunner& runner, Job& job) {
  try {
    return runner.run(job);
  } catch (const std::exception& exception) {
    return {Outcome::Retry, {}, std::string("the task type failed without saying why: ") + exception.what()};
  }
}

void run_slot(JobRunner& runner, WorkQueue<SharedJob>& queue, Mailbox<Event>& events) {
  while (const auto taken = queue.take()) {
    Job& job = **taken;
    events.push(job.attempt);
    const Monotonic began = read_clock().monotonic;
    JobEnd end = run_guarded(runner, job);
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::microseconds>(read_clock().monotonic - began);
    AttemptEnd told{job.attempt, end.outcome, std::move(end.result), std::move(end.error), elapsed,
                    std::move(end.log)};
    if (queue.empty())
      events.push_and_ring(std::move(told));
    else
      events.push(std::move(told));
  }
}

}  // namespace

struct Slots::State {
  WorkQueue<SharedJob> queue;
  Mailbox<Event> events;
  std::vector<SharedJob> started;                              // not launched yet
  std::unordered_map<AttemptId, SharedJob, AttemptHash> jobs;  // queued or begun, not known to have ended
  std::vector<std::thread> threads;
};

Slots::Slots(std::uint32_t count, std::function<std::unique_ptr<JobRunner>()> make_runner)
    : state_(std::make_unique<State>()) {
  for (std::uint32_t slot = 0; slot < count; ++slot) {
    state_->threads.emplace_back([state = state_.get(), make_runner] {
      const auto runner = make_runner();
      run_slot(*runner, state->queue, state->events);
    });
  }
}

Slots::~Slots() {
  state_->queue.close();
  for (const auto& [attempt, job] : state_->jobs) job->cancelled.cancel();
  for (std::thread& thread : state_->threads) thread.join();
}

void Slots::start(const DispatchItem& item) {
  auto job = std::make_shared<Job>();
  job->attempt = item.attempt;
  job->type = item.type;
  job->work = to_bytes(item.work);
  state_->jobs.emplace(item.attempt, job);
  state_->started.push_back(std::move(job));
}

void Slots::launch() {
  if (state_->started.empty()) return;
  state_->queue.push_all(std::move(state_->started));
  state_->started.clear();
}

bool Slots::withdraw(const AttemptId& attempt) {
  launch();
  const auto job = state_->jobs.find(attempt);
  if (job == state_->jobs.end() || !state_->queue.withdraw(job->second)) return false;
  state_->jobs.erase(job);
  return true;
}

void Slots::cancel(const AttemptId& attempt) {
  const auto job = state_->jobs.find(attempt);
  if (job != state_->jobs.end()) job->second->cancelled.cancel();
}

int Slots::descriptor() const { return state_->events.fd(); }

Slots::Events Slots::take_events() {
  Events events;
  for (Event& event : state_->events.take_all()) {
    if (auto* end = std::get_if<AttemptEnd>(&event)) {
      state_->jobs.erase(end->attempt);
      events.ended.push_back(std::move(*end));
    } else {
      events.began.push_back(std::get<AttemptId>(event));
    }
  }
  events.more_soon = events.ended.size() >= gather_from && !state_->queue.empty();
  if (events.more_soon) state_->events.come_again();
  return events;
}

}  // namespace cidbus
