// The leader's core with tasks in its queue, and nothing around it: no socket, no disk, no codec.

#include <benchmark/benchmark.h>

#include "broker/tasks/records.h"
#include "broker/tasks/task_service.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

// Applies what the service proposes at the end of a turn, as the driver does with durability `memory`.
class Leader final : public Output {
 public:
  Leader() : service_(*this, metrics_, ServiceLimits{}, Prng(1)) {
    apply(RecordType::Node, encoded(NodeRecord{1, "w1", {"echo"}}));
    apply(RecordType::SessionOpen, encoded(SessionRecord{session_}));
    service_.take_office(now_, Epoch{1}, state_);
    now_.monotonic += limits::reclaim;
    service_.tick(now_);
    Hello hello;
    hello.role = Role::Worker;
    hello.task_types = {"echo"};
    service_.on_hello(now_, worker_, "w1", Role::Worker, hello);
  }

  LogIndex propose(RecordType type, ByteView payload, Urgency) override {
    proposed_.push_back({type, to_bytes(payload)});
    return LogIndex{state_.applied().value + proposed_.size()};
  }
  void send(Peer, const Message& message) override {
    if (const auto* dispatch = std::get_if<Dispatch>(&message)) {
      for (const DispatchItem& item : dispatch->items) running_.push_back(item.attempt);
    }
  }
  void event(const TaskEvent&) override {}

  void submit(std::size_t count) {
    const Bytes work(100, 7);
    for (std::size_t task = 0; task < count; ++task, ++seq_)
      apply(RecordType::Submit, encoded(SubmitRecord{session_, seq_, seq_, "echo", {}, work}));
  }
  // Hands out so many, has them completed, and their results acknowledged.
  void run(std::uint32_t count) {
    service_.on_message(now_, worker_, Credit{count});
    turn();
    Complete complete;
    const Bytes result(100, 7);
    for (const AttemptId& attempt : running_)
      complete.items.push_back({attempt, Outcome::Completed, result, {}, std::chrono::microseconds(1)});
    done_ += running_.size();
    running_.clear();
    service_.on_message(now_, worker_, complete);
    turn();
    service_.on_message(now_, client_, ResultAck{session_, done_});
    turn();
  }

 private:
  template <typename Record>
  static Bytes encoded(const Record& record) {
    Bytes payload;
    encode(record, payload);
    return payload;
  }
  void apply(RecordType type, ByteView payload) {
    changes_.clear();
    state_.apply(LogIndex{state_.applied().value + 1}, now_.wall, type, payload, changes_);
    changes_.applied = state_.applied();
    if (type != RecordType::Node && type != RecordType::SessionOpen) service_.on_applied(now_, changes_);
  }
  void turn() {
    service_.end_turn(now_);
    const auto proposed = std::move(proposed_);
    proposed_.clear();
    for (const auto& [type, payload] : proposed) apply(type, payload);
    service_.end_turn(now_);
  }

  static constexpr Peer worker_{1};
  static constexpr Peer client_{2};
  const SessionId session_{{1, 2, 3}};
  Now now_{Monotonic(std::chrono::seconds(1)), WallTime{1'000'000}};
  StateMachine state_;
  Changes changes_;
  Registry registry_;
  TaskMetrics metrics_{registry_};
  TaskService service_;
  std::vector<std::pair<RecordType, Bytes>> proposed_;
  std::vector<AttemptId> running_;
  std::uint64_t seq_ = 1;
  std::uint64_t done_ = 0;
};

void queue_and_run(benchmark::State& state) {
  constexpr std::uint32_t batch = 1000;
  Leader leader;
  leader.submit(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    leader.submit(batch);
    leader.run(batch);
  }
  state.SetItemsProcessed(state.iterations() * batch);
}

BENCHMARK(queue_and_run)->Arg(0)->Arg(1'000'000);

}  // namespace
}  // namespace cidbus
