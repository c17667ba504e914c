// A million tasks: the bytes one costs, and what a list, a choice, a snapshot and a new office cost among
// them.
#include <gtest/gtest.h>
#include <malloc.h>

#include <ctime>
#include <iostream>

#include "broker/tasks/task_service.h"
#include "broker/tasks/test_support.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

using testing_tasks::Journal;
using testing_tasks::session_id;

constexpr std::size_t million = 1'000'000;
constexpr std::size_t payload = 100;

std::size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class Nowhere final : public Output {
 public:
  LogIndex propose(RecordType, ByteView, Urgency) override { return LogIndex{++proposed_}; }
  void send(Peer, const Message& message) override {
    if (const auto* sent = std::get_if<Dispatch>(&message)) {
      for (const auto& item : sent->items) {
        in_order = in_order && newest < item.attempt.task;
        newest = item.attempt.task;
      }
      dispatched += sent->items.size();
    }
    if (const auto* infos = std::get_if<TaskInfos>(&message)) listed += infos->tasks.size();
  }
  void event(const TaskEvent&) override {}
  std::size_t dispatched = 0;
  std::size_t listed = 0;
  TaskId newest;
  bool in_order = true;

 private:
  std::uint64_t proposed_ = 10 * million;
};

// A million tasks of two types wait in the queue; built once for all tests of the suite.
class AMillionTasks : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::size_t before = allocated();
    journal = new Journal;
    journal->check_every_step = false;
    output = new Nowhere;
    metrics = new TaskMetrics(*new Registry);
    service = new TaskService(*output, *metrics, ServiceLimits{}, Prng(1));
    journal->node(1, "w1", {"echo", "hash"});
    journal->open_session(1);
    const Now now{Monotonic(std::chrono::seconds(1)), journal->now};
    while (!service->take_office(now, Epoch{1}, journal->state)) {
    }
    service->tick({now.monotonic + limits::reclaim, now.wall});
    const std::string work(payload, 'x');
    Bytes record;
    Changes changes;
    for (std::uint64_t seq = 1; seq <= million; ++seq) {
      record.clear();
      changes.clear();
      encode(SubmitRecord{session_id(1), seq, seq, seq % 4 == 0 ? "hash" : "echo", {}, as_bytes(work)},
             record);
      journal->state.apply(LogIndex{++journal->index}, journal->now, RecordType::Submit, record, changes);
      service->on_applied(now, changes);
    }
    measured_bytes = allocated() - before;
  }
  static void TearDownTestSuite() {
    delete service;
    delete output;
    delete journal;
  }

  static Journal* journal;
  static Nowhere* output;
  static TaskMetrics* metrics;
  static TaskService* service;
  static std::size_t measured_bytes;
};
Journal* AMillionTasks::journal = nullptr;
Nowhere* AMillionTasks::output = nullptr;
TaskMetrics* AMillionTasks::metrics = nullptr;
TaskService* AMillionTasks::service = nullptr;
std::size_t AMillionTasks::measured_bytes = 0;

TEST_F(AMillionTasks, CostTheirPayloadAndAtMost160BytesEachTheLeadersQueueIncluded) {
  const std::size_t accounted = journal->state.usage().memory_used + service->memory_used();
  RecordProperty("bytes_a_task", static_cast<int>(accounted / million));
  EXPECT_LE(accounted, million * (payload + 160));
  EXPECT_LE(measured_bytes, million * (payload + 160)) << "by the allocator's own books";
  EXPECT_NEAR(static_cast<double>(accounted), static_cast<double>(measured_bytes),
              0.05 * double(measured_bytes));
}

TEST_F(AMillionTasks, AreListedByLookingAtTheLimitAndAFewMore) {
  const TaskId newest{journal->index};
  for (const TaskId before : {TaskId{}, TaskId{journal->index / 2}, TaskId{5}}) {
    for (const TypeNumber type : std::initializer_list<TypeNumber>{0, 1, 2}) {
      for (const bool pending : {true, false}) {
        RollQuery query{{}, type, before, 100};
        query.state = pending ? TaskState::Pending : TaskState::Failed;
        const RollAnswer answer = journal->state.list(query);
        EXPECT_LE(answer.visited, 100u + 2 * 16);
        if (before.value != 5) {
          EXPECT_EQ(answer.tasks.size(), pending ? 100u : 0u);
        }
      }
    }
  }
  // One failed task among a million is found at once.
  const TaskId lonely{journal->index / 3};
  journal->result(lonely, "no", Outcome::Failed, 1, 0);
  const RollAnswer failed = journal->state.list({TaskState::Failed, 0, newest, 100});
  EXPECT_EQ(failed.tasks, std::vector<TaskHandle>{journal->state.find(lonely)});
  EXPECT_LE(failed.visited, 40u);
  Changes changes = journal->changes;
  service->on_applied({Monotonic(std::chrono::seconds(3)), journal->now}, changes);
}

TEST_F(AMillionTasks, AreHandedOutOldestFirstWithoutLookingAtTheOthers) {
  const Now now{Monotonic(std::chrono::seconds(4)), journal->now};
  Hello hello;
  hello.role = Role::Worker;
  hello.task_types = {"hash"};
  service->on_hello(now, Peer{7}, "w1", Role::Worker, hello);
  service->on_message(now, Peer{7}, Credit{100});
  service->end_turn(now);
  EXPECT_EQ(output->dispatched, 100u);
  // One more a turn, nearly to the last: who looked at all that wait would do so a quarter of a million
  // times, past the time that a test has.
  for (std::size_t turn = 0; turn < 240'000; ++turn) {
    service->on_message(now, Peer{7}, Credit{1});
    service->end_turn(now);
  }
  EXPECT_EQ(output->dispatched, 240'100u);
  EXPECT_TRUE(output->in_order);
  service->on_message(now, Peer{7}, TaskList{RequestId{1}, TaskState::Pending, "hash", 10, TaskId{}});
  EXPECT_EQ(output->listed, 10u);
}

TEST_F(AMillionTasks, AreTakenOverByANewOfficeAFewThousandATurn) {
  constexpr std::size_t tasks_a_turn = 4 * 2048;
  Nowhere elsewhere;
  TaskService next(elsewhere, *metrics, ServiceLimits{}, Prng(2));
  const Now now{Monotonic(std::chrono::seconds(5)), journal->now};
  std::size_t turns = 1;
  while (!next.take_office(now, Epoch{2}, journal->state)) ++turns;
  EXPECT_GE(turns, million / tasks_a_turn);
  EXPECT_LE(turns, million / tasks_a_turn + 3);
  next.check_invariants();
}

TEST_F(AMillionTasks, GoThroughASnapshotInSlicesToAnEqualState) {
  Bytes bytes = testing_tasks::whole_snapshot(journal->state);
  StateMachine loaded;
  SnapshotLoader loader(loaded);
  ASSERT_TRUE(loader.load(bytes).has_value());
  ASSERT_TRUE(loader.finish().has_value());
  bytes = {};
  loaded.check_invariants();
  EXPECT_TRUE(loaded.digest() == journal->state.digest());
  const std::clock_t begun = std::clock();
  EXPECT_TRUE(walked_digest(loaded.tables()) == loaded.digest());
  const double seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  std::cout << "a digest by walking: " << static_cast<int>(seconds * 1e9 / million) << " ns a task\n";
  EXPECT_LE(loaded.usage().memory_used, million * (payload + 150));
}

TEST_F(AMillionTasks, GiveTheirMemoryBackWhenTheyAreDone) {
  const std::size_t full = journal->state.usage().memory_used;
  Bytes record;
  Changes changes;
  encode(SessionRecord{session_id(1)}, record);
  journal->state.apply(LogIndex{++journal->index}, journal->now, RecordType::SessionClose, record, changes);
  for (std::uint64_t id = 3; id < 3 + million; ++id) {
    record.clear();
    changes.clear();
    encode(TaskRecord{TaskId{id}}, record);
    journal->state.apply(LogIndex{++journal->index}, journal->now, RecordType::Cancel, record, changes);
  }
  EXPECT_EQ(journal->state.tables().tasks.size(), limits::finished_kept);
  Nowhere elsewhere;
  TaskService next(elsewhere, *metrics, ServiceLimits{}, Prng(3));
  EXPECT_TRUE(next.take_office({Monotonic(std::chrono::seconds(6)), journal->now}, Epoch{3}, journal->state))
      << "in one turn: a new office does not look at finished tasks";
  EXPECT_LT(journal->state.usage().memory_used, full / 5);
  journal->state.check_invariants();
}

}  // namespace
}  // namespace cidbus
