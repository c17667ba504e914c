// Random histories: the state machine against a model over ordered maps, every invariant after every record.
#include <gtest/gtest.h>

#include "broker/tasks/state_model.h"
#include "broker/tasks/test_support.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

using testing_tasks::Model;
using testing_tasks::session_id;

StateLimits small_limits() {
  StateLimits limits;
  limits.session_ttl = std::chrono::milliseconds(3000);
  limits.key_ttl = std::chrono::milliseconds(2000);
  limits.result_ttl = std::chrono::milliseconds(2500);
  limits.finished_kept = 20;
  limits.session_window = 32;
  return limits;
}

// Writes the same random record to both and compares what they say and what they are.
class History {
 public:
  explicit History(std::uint64_t seed)
      : random_(seed), lazy_(seed % 3 == 0), state(small_limits()), model(small_limits()) {
    write(RecordType::Node, NodeRecord{1, "w1", {"echo"}});
    write(RecordType::Node, NodeRecord{2, "w2", {"hash"}});
  }

  void step() {
    now_.milliseconds += static_cast<std::int64_t>(random_.chance(1, lazy_ ? 80 : 40) ? random_.below(3500)
                                                                                      : random_.below(5));
    switch (random_.below(16)) {
      case 0:
        return session(RecordType::SessionOpen);
      case 1:
        return session(random_.chance(1, 4) ? RecordType::SessionClose : RecordType::SessionRenew);
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        return submit();
      case 7:
      case 8:
        return lease();
      case 9:
        return requeue();
      case 10:
      case 11:
      case 12:
        return result();
      case 13:
        return end(random_.chance(1, 2) ? RecordType::Cancel : RecordType::Expire);
      default:
        return lazy_ && !random_.chance(1, 20) ? (random_.chance(1, 2) ? submit() : result()) : ack();
    }
  }

  void compare() {
    state.check_invariants();
    ASSERT_EQ(state.usage().sessions, model.sessions.size());
    std::size_t rows = 0;
    StateCounts counts{};
    for (const auto& [id, task] : model.tasks) {
      compare_task(TaskId{id}, task);
      ++rows;
      ++counts[static_cast<std::size_t>(task.state)];
    }
    ASSERT_EQ(state.tables().tasks.size(), rows);
    ASSERT_EQ(state.counts(), counts);
    for (const auto& [serial, session] : model.sessions) {
      if (!session.closing) compare_session(session);
    }
    std::vector<std::uint64_t> kept;
    for (Handle task = state.tables().kept.first; task != 0; task = state.task(task).claim.next) {
      kept.push_back(state.task(task).id.value);
    }
    ASSERT_EQ(kept, std::vector<std::uint64_t>(model.kept.begin(), model.kept.end()));
  }

 private:
  Prng random_;
  bool lazy_;  // clients that hardly acknowledge, in sessions that are owed much when they end

 public:
  StateMachine state;
  Model model;
  struct Written {
    LogIndex index;
    WallTime time;
    RecordType type;
    Bytes payload;
  };
  std::vector<Written> journal;

  // What the histories met, so that a change which makes them tame is noticed.
  struct Marks {
    std::size_t clearing = 0, echoes = 0, keyed = 0, kept_full = 0, held = 0, gone_sessions = 0;
  };
  void mark(Marks& marks) const {
    const StateTables& tables = state.tables();
    marks.clearing += tables.closing.count > 0 ? 1 : 0;
    marks.echoes += tables.echoes.size() > 1 ? 1 : 0;
    marks.keyed += tables.keyed.count > 1 ? 1 : 0;
    marks.kept_full += tables.kept.count == small_limits().finished_kept ? 1 : 0;
    marks.held += tables.held_bytes > 3000 ? 1 : 0;
    marks.gone_sessions += tables.refs.size() > tables.sessions.size() ? 1 : 0;
  }

 private:
  template <typename Record>
  void write(RecordType type, const Record& record) {
    journal.push_back({LogIndex{++index_}, now_, type, {}});
    encode(record, journal.back().payload);
    changes_.clear();
    state.apply(LogIndex{index_}, now_, type, journal.back().payload, changes_);
    model.begin(index_, now_);
  }

  SessionId any_session() { return session_id(static_cast<unsigned>(random_.below(5))); }
  TaskId any_task() {
    if (model.tasks.empty()) return TaskId{1};
    auto task = model.tasks.begin();
    std::advance(task, random_.below(model.tasks.size()));
    return random_.chance(1, 30) ? TaskId{random_.below(index_ + 2)} : TaskId{task->first};
  }
  void session(RecordType type) {
    const SessionRecord record{any_session()};
    write(type, record);
    if (type == RecordType::SessionOpen) model.open(record.session);
    if (type == RecordType::SessionRenew) model.renew(record.session);
    if (type == RecordType::SessionClose) model.close(record.session);
    model.clear_away();
  }
  void submit() {
    static const char* const keys[] = {"", "", "k1", "k2", "k3"};
    SubmitRecord record;
    record.session = any_session();
    const Model::Session* known = model.find(record.session);
    const std::uint64_t low = known == nullptr ? 1 : known->low_water;
    record.low_water = random_.chance(1, 3) ? low + random_.below(5) : low;
    record.seq = record.low_water + random_.below(lazy_ ? 30 : 12);
    record.type = random_.chance(1, 3) ? "hash" : "echo";
    record.options.key = keys[random_.below(5)];
    if (random_.chance(1, 8)) record.options.delay = std::chrono::milliseconds(random_.between(1, 50));
    if (random_.chance(1, 8)) record.options.deadline = std::chrono::milliseconds(random_.between(1, 50));
    record.work = as_bytes("some work");
    write(RecordType::Submit, record);
    const auto wanted = model.submit(record);
    std::optional<std::pair<std::uint64_t, bool>> told;
    for (const Change& change : changes_.list) {
      if (change.kind == ChangeKind::Accepted) told = {change.id.value, change.flag};
    }
    ASSERT_EQ(told, wanted);
    model.clear_away();
  }
  void lease() {
    LeaseRecord record{any_task(), 0, static_cast<std::uint32_t>(random_.below(4)), 1};
    if (const auto found = model.tasks.find(record.task.value); found != model.tasks.end()) {
      if (random_.chance(3, 4)) record.attempt = found->second.attempts + 1;
    }
    record.node = static_cast<std::uint16_t>(random_.between(1, 2));
    write(RecordType::Lease, record);
    model.lease(record);
    model.clear_away();
  }
  void requeue() {
    RequeueRecord record;
    record.task = any_task();
    const auto found = model.tasks.find(record.task.value);
    record.attempt = found == model.tasks.end() ? 1 : found->second.attempts;
    if (random_.chance(1, 8)) ++record.attempt;
    record.reason = static_cast<RequeueReason>(random_.below(6));
    record.costs_try = random_.chance(1, 2);
    record.delay = std::chrono::milliseconds(random_.chance(1, 2) ? random_.below(30) : 0);
    record.error = random_.chance(1, 2) ? "it broke" : "";
    write(RecordType::Requeue, record);
    model.requeue(record);
    model.clear_away();
  }
  void result() {
    ResultRecord record;
    record.task = any_task();
    record.attempt = static_cast<std::uint32_t>(random_.below(3));
    record.outcome = static_cast<Outcome>(random_.below(3));
    record.node = static_cast<std::uint16_t>(random_.below(3));
    record.result = as_bytes("an answer");
    record.error = record.outcome == Outcome::Completed ? "" : "a reason";
    write(RecordType::Result, record);
    model.result(record);
    model.clear_away();
  }
  void end(RecordType type) {
    const TaskRecord record{any_task()};
    write(type, record);
    model.end(record.task, type == RecordType::Cancel ? TaskState::Cancelled : TaskState::Timeout);
    model.clear_away();
  }
  void ack() {
    ResultAckRecord record{any_session(), 0};
    const Model::Session* known = model.find(record.session);
    record.cursor = known == nullptr ? 1 : known->cursor + random_.below(4);
    write(RecordType::ResultAck, record);
    model.ack(record);
    model.clear_away();
  }

  void compare_task(TaskId id, const Model::Task& task) {
    const TaskHandle handle = state.find(id);
    ASSERT_NE(handle, 0u) << "task " << id.value << " is gone";
    const TaskSlot& slot = state.task(handle);
    const RareSlot& row = state.rare(handle);
    const TaskInfo info = state.info(handle);
    EXPECT_EQ(slot.state, task.state);
    EXPECT_EQ(info.type, task.type);
    EXPECT_EQ(as_text(info.work), task.work);
    EXPECT_EQ(as_text(info.result), task.result);
    EXPECT_EQ(state.tables().error(row), task.error);
    EXPECT_EQ(info.key, task.key);
    EXPECT_EQ(slot.attempts, task.attempts);
    EXPECT_EQ(slot.tries_used, task.tries_used);
    EXPECT_EQ(slot.lost, task.lost);
    EXPECT_EQ(slot.node, task.node);
    EXPECT_EQ(slot.submitted_at.milliseconds, task.submitted);
    EXPECT_EQ(slot.started_at.milliseconds, task.started);
    EXPECT_EQ(slot.finished_at.milliseconds, task.finished);
    EXPECT_EQ(row.not_before, task.not_before);
    EXPECT_EQ(row.deadline, task.deadline);
    EXPECT_EQ((slot.flags & flag_key_active) != 0, task.key_active);
    EXPECT_EQ((slot.flags & flag_kept) != 0, task.kept);
  }
  void compare_session(const Model::Session& session) {
    const SessionHandle handle = state.find(session.id);
    ASSERT_NE(handle, 0u);
    const SessionSlot& slot = state.session(handle);
    EXPECT_EQ(slot.low_water, session.low_water);
    EXPECT_EQ(slot.next_rseq, session.next_rseq);
    EXPECT_EQ(slot.cursor, session.cursor);
    auto owed = session.owed.begin();
    for (ClaimHandle claim = slot.owed_first; claim != 0; claim = state.claim(claim).next, ++owed) {
      ASSERT_NE(owed, session.owed.end());
      EXPECT_EQ(state.claim(claim).rseq, owed->first);
      EXPECT_EQ(state.task(state.task_of(claim)).id.value, owed->second.first);
      EXPECT_EQ(state.claim(claim).seq, owed->second.second);
    }
    EXPECT_EQ(owed, session.owed.end());
    for (const auto& [seq, task] : session.window) {
      const ClaimHandle claim = state.claim_of(handle, seq);
      ASSERT_NE(claim, 0u);
      EXPECT_EQ(state.task(state.task_of(claim)).id.value, task);
    }
  }

  Changes changes_;
  std::uint64_t index_ = 0;
  WallTime now_{1'000'000};
};

TEST(StateMachine, DoesWhatThePlainModelDoesInEveryRandomHistory) {
  History::Marks marks;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    for (int i = 0; i < 1000; ++i) {
      history.step();
      history.compare();
      history.mark(marks);
      if (testing::Test::HasFailure()) FAIL() << "at step " << i;
    }
  }
  const std::size_t all[] = {marks.clearing,  marks.echoes, marks.keyed,
                             marks.kept_full, marks.held,   marks.gone_sessions};
  for (const std::size_t times : all) EXPECT_GT(times, 100u) << testing::PrintToString(all);
}

TEST(Snapshot, TakenInSlicesWhileRecordsGoOnIsTheStateAtItsBeginning) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    Prng random(seed);
    for (int i = 0; i < 300; ++i) history.step();
    for (int round = 0; round < 6; ++round) {
      const Digest wanted = history.state.digest();
      const LogIndex index = history.state.applied();
      std::vector<Bytes> chunks;
      {
        SnapshotWalk walk(history.state);
        bool done = false;
        while (!done) {
          for (auto steps = random.below(12); steps > 0; --steps) history.step();
          chunks.emplace_back();
          done = walk.slice(random.below(4), 1 << 20, chunks.back());
        }
        for (int i = 0; i < 20; ++i) history.step();
        EXPECT_EQ(walk.index(), index);
      }
      std::vector<Bytes> shuffled;
      while (!chunks.empty()) {
        const auto at = static_cast<std::ptrdiff_t>(random.below(chunks.size()));
        shuffled.push_back(std::move(chunks[static_cast<std::size_t>(at)]));
        chunks.erase(chunks.begin() + at);
      }
      StateMachine loaded(small_limits(), seed);
      SnapshotLoader loader(loaded);
      for (const Bytes& chunk : shuffled) ASSERT_TRUE(loader.load(chunk).has_value());
      const Status finished = loader.finish();
      ASSERT_TRUE(finished.has_value()) << finished.error().message;
      loaded.check_invariants();
      ASSERT_TRUE(loaded.digest() == wanted);
      Changes changes;
      for (const History::Written& record : history.journal) {
        if (record.index > index)
          loaded.apply(record.index, record.time, record.type, record.payload, changes);
      }
      loaded.check_invariants();
      ASSERT_TRUE(loaded.digest() == history.state.digest()) << "a loaded state went another way";
    }
  }
}

}  // namespace
}  // namespace cidbus
