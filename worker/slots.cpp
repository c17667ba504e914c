#include "worker/slots.h"

#include <deque>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include "shared/io/clock.h"
#include "shared/io/work_desk.h"

namespace cidbus {
namespace {

// What a spent job keeps of its buffer, for the next one.
constexpr std::size_t work_bytes_kept = 4096;

struct Done {
  Job* job = nullptr;
  JobEnd end;
  std::chrono::microseconds elapsed{0};
};
using Desk = WorkDesk<Job*, Done>;

// A handler lets no exception out, but memory may run out anywhere: that costs the attempt, not the worker.
JobEnd run_guarded(JobRunner& runner, Job& job) {
  try {
    return runner.run(job);
  } catch (const std::exception& exception) {
    return {Outcome::Retry, {}, std::string("the task type failed without saying why: ") + exception.what()};
  }
}

void run_slot(std::size_t slot, JobRunner& runner, Desk& desk) {
  auto taken = desk.next(slot, std::nullopt);
  while (taken) {
    const Monotonic began = read_monotonic();
    JobEnd end = run_guarded(runner, **taken);
    const Duration elapsed = read_monotonic() - began;
    taken = desk.next(
        slot, Done{*taken, std::move(end), std::chrono::duration_cast<std::chrono::microseconds>(elapsed)});
  }
}

}  // namespace

// Jobs are the worker's thread's; a slot borrows one until it hands in the end.
struct Slots::State {
  explicit State(std::size_t count) : desk(count) {}

  Job* take_job() {
    if (spent.empty()) return &jobs.emplace_back();
    Job* const job = spent.back();
    spent.pop_back();
    return job;
  }
  void put_back(Job* job) {
    Bytes buffer = std::move(job->work);
    std::destroy_at(job);
    std::construct_at(job);
    if (buffer.capacity() <= work_bytes_kept) job->work = std::move(buffer);
    spent.push_back(job);
  }

  Desk desk;
  std::deque<Job> jobs;      // all there are; as many as were ever held at once
  std::vector<Job*> spent;   // of them: to be used again
  std::vector<Job*> queued;  // not launched yet
  Desk::News news;
  Events events;
  std::vector<std::thread> threads;
};

Slots::Slots(std::uint32_t count, std::function<std::unique_ptr<JobRunner>()> make_runner)
    : state_(std::make_unique<State>(count)) {
  for (std::uint32_t slot = 0; slot < count; ++slot) {
    state_->threads.emplace_back([slot, state = state_.get(), make_runner] {
      const auto runner = make_runner();
      run_slot(slot, *runner, state->desk);
    });
  }
}

Slots::~Slots() {
  state_->desk.close();
  state_->desk.on_begun([](Job* job) { job->cancelled.cancel(); });
  for (std::thread& thread : state_->threads) thread.join();
}

void Slots::set_open(std::uint32_t open) { state_->desk.set_limit(open); }

std::uint32_t Slots::open() const { return static_cast<std::uint32_t>(state_->desk.limit()); }

void Slots::start(const DispatchItem& item) {
  Job* const job = state_->take_job();
  job->attempt = item.attempt;
  job->type = item.type;
  job->work.assign(item.work.begin(), item.work.end());
  state_->queued.push_back(job);
}

bool Slots::launch() {
  if (state_->queued.empty()) return false;
  state_->desk.put(state_->queued);
  return true;
}

bool Slots::withdraw(const AttemptId& attempt) {
  launch();
  const auto job = state_->desk.withdraw([&](const Job* one) { return one->attempt == attempt; });
  if (job) state_->put_back(*job);
  return job.has_value();
}

void Slots::cancel(const AttemptId& attempt) {
  state_->desk.on_begun([&](Job* job) {
    if (job->attempt == attempt) job->cancelled.cancel();
  });
}

std::string Slots::type_of(const AttemptId& attempt) const {
  std::string type;
  state_->desk.on_begun([&](const Job* job) {
    if (job->attempt == attempt) type = job->type;
  });
  return type;
}

int Slots::descriptor() const { return state_->desk.descriptor(); }

Slots::Events& Slots::take_events() {
  Events& events = state_->events;
  events.began.clear();
  events.ended.clear();
  state_->desk.collect(state_->news);
  for (const Job* job : state_->news.begun) events.began.push_back(job->attempt);
  for (Done& done : state_->news.done) {
    events.ended.push_back({done.job->attempt, done.end.outcome, std::move(done.end.result),
                            std::move(done.end.error), done.elapsed, std::move(done.end.log),
                            std::move(done.job->type), std::move(done.job->trace)});
    state_->put_back(done.job);
  }
  events.more_soon = state_->news.more_soon;
  return events;
}

}  // namespace cidbus
