#include "broker/tasks/task_metrics.h"

namespace cidbus {
namespace {

template <typename Reason, std::size_t Count>
std::array<Counter*, Count> counters_of(Registry& registry, Metric metric, bool (*counts)(Reason)) {
  std::array<Counter*, Count> counters{};
  for (std::size_t place = 0; place < Count; ++place) {
    const auto reason = static_cast<Reason>(place);
    if (counts(reason)) counters[place] = &registry.counter(metric, label_of(to_text(reason)));
  }
  return counters;
}

}  // namespace

TaskMetrics::TaskMetrics(Registry& registry)
    : submitted(registry.counter(Metric::TasksSubmitted)),
      accepted(registry.counter(Metric::TasksAccepted)),
      rejected(
          counters_of<Refusal, refusal_count>(registry, Metric::TasksRejected, [](Refusal) { return true; })),
      finished(counters_of<TaskState, task_state_count>(registry, Metric::TasksFinished, is_final)),
      requeued(registry.counter(Metric::TasksRequeued)),
      stale(registry.counter(Metric::ResultsStale)),
      wait(registry.histogram(Metric::WaitSeconds)),
      run(registry.histogram(Metric::RunSeconds)),
      dispatch(registry.histogram(Metric::DispatchSeconds)) {}

std::uint64_t TaskMetrics::all_finished() const {
  std::uint64_t sum = 0;
  for (const Counter* const counter : finished) sum += counter == nullptr ? 0 : counter->value();
  return sum;
}

}  // namespace cidbus
