#include "broker/tasks/digest.h"

#include <gtest/gtest.h>

#include <functional>

#include "broker/tasks/test_support.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

using testing_tasks::Journal;
using testing_tasks::session_id;

// A task with everything that a row can have: key, deadline, error, history, an echo; and one that is done.
void fill(Journal& journal) {
  journal.node(1, "w1", {"echo", "hash"});
  journal.open_session(1);
  TaskOptions options;
  options.key = "key";
  options.deadline = std::chrono::milliseconds(50);
  options.time_limit = std::chrono::milliseconds(60);
  options.delay = std::chrono::milliseconds(70);
  options.backoff = std::chrono::milliseconds(80);
  const TaskId task = journal.submit(1, 1, options).task;
  journal.submit(1, 2, options);
  journal.lease(task);
  journal.requeue(task, 1, RequeueReason::Retry, true, 5, "an error");
  journal.result(journal.submit(1, 3).task);
}

// Different records at one place in the same journal give different digests.
template <typename Record>
Digest after(RecordType type, const Record& record) {
  Journal journal;
  fill(journal);
  journal.write(type, record);
  return journal.state.digest();
}

TEST(DigestTest, IsTheSameWhateverTheHashSeedAndWhereverRowsLie) {
  Journal one;
  fill(one);
  Journal other;
  // Rows and handles that have come and gone before.
  StateMachine elsewhere(StateLimits{}, 99);
  SnapshotLoader loader(elsewhere);
  ASSERT_TRUE(loader.load(testing_tasks::whole_snapshot(one.state)));
  ASSERT_TRUE(loader.finish());
  EXPECT_EQ(elsewhere.digest(), one.state.digest());
  EXPECT_EQ(walked_digest(elsewhere.tables()), one.state.digest());
  EXPECT_NE(other.state.digest(), one.state.digest());
}

TEST(DigestTest, TellsRecordsApartThatDifferInOneField) {
  const TaskId task{3};
  const auto now = [](auto... milliseconds) { return std::chrono::milliseconds(milliseconds...); };
  const SubmitRecord submit{session_id(1), 9, 1, "echo", {}, as_bytes("work")};
  std::vector<Digest> all;
  const auto add = [&](const SubmitRecord& record) { all.push_back(after(RecordType::Submit, record)); };
  add(submit);
  SubmitRecord changed = submit;
  changed.work = as_bytes("worK");
  add(changed);
  changed = submit;
  changed.type = "hash";
  add(changed);
  changed = submit;
  changed.seq = 10;
  add(changed);
  changed = submit;
  changed.options.priority = 2;
  add(changed);
  changed = submit;
  changed.options.deadline = now(7);
  add(changed);
  changed = submit;
  changed.options.key = "another";
  add(changed);
  all.push_back(after(RecordType::Lease, LeaseRecord{task, 0, 2, 1}));
  all.push_back(after(RecordType::Lease, LeaseRecord{task, 0, 3, 1}));
  for (const char* result : {"one", "two"})
    all.push_back(
        after(RecordType::Result, ResultRecord{task, 0, 1, Outcome::Completed, 1, {}, "", as_bytes(result)}));
  for (const char* error : {"one", "two"})
    all.push_back(after(RecordType::Result, ResultRecord{task, 0, 1, Outcome::Failed, 1, {}, error, {}}));
  all.push_back(after(RecordType::Cancel, TaskRecord{task}));
  all.push_back(after(RecordType::Expire, TaskRecord{task}));
  for (const std::uint64_t cursor : {0, 1})
    all.push_back(after(RecordType::ResultAck, ResultAckRecord{session_id(1), cursor}));
  for (const unsigned session : {2, 3})
    all.push_back(after(RecordType::SessionOpen, SessionRecord{session_id(session)}));
  all.push_back(after(RecordType::SessionClose, SessionRecord{session_id(1)}));
  for (const char* type : {"one", "two"}) all.push_back(after(RecordType::Node, NodeRecord{2, "w2", {type}}));
  all.push_back(after(RecordType::Node, NodeRecord{2, "w2", {"one"}, {"one"}}));
  for (const std::uint64_t epoch : {2, 3})
    all.push_back(after(RecordType::Open, OpenRecord{{epoch}, "b", "h:1"}));
  all.push_back(after(RecordType::Open, OpenRecord{{3}, "b", "h:2"}));
  for (const char* name : {"one", "two"})
    all.push_back(after(RecordType::Name, NameRecord{name, as_bytes("a cid"), {}}));
  for (const std::uint64_t token : {1, 2})
    all.push_back(
        after(RecordType::Propose,
              ProposeRecord{
                  token, ProposalKind::ConfigChange, "key_ttl", 1, "anna", std::chrono::hours(1), {"b1"}}));
  for (std::size_t one = 0; one < all.size(); ++one)
    for (std::size_t other = 0; other < one; ++other)
      EXPECT_NE(all[one], all[other]) << other << " and " << one;
}

// Memory that forgets a bit shows at the next change of the row, and at the next walk.
class Forgetful : public testing::TestWithParam<std::function<void(StateTables&, TaskSlot&)>> {};

TEST_P(Forgetful, RowsAreNoticed) {
  Journal good;
  fill(good);
  Journal bad;
  fill(bad);
  ASSERT_EQ(good.state.digest(), bad.state.digest());
  StateTables& tables = bad.state.tables();
  bad.check_every_step = false;
  bad.renew_session(1);
  good.renew_session(1);
  tables.edit_task(tables.find_task(TaskId{7}));  // another row is the one being edited
  GetParam()(tables, tables.tasks[tables.find_task(TaskId{3})]);
  EXPECT_NE(walked_digest(tables), tables.digest());
  EXPECT_EQ(tables.digest(), good.state.digest()) << "nothing has looked at it yet";
  for (Journal* journal : {&good, &bad}) journal->cancel(TaskId{3});
  EXPECT_NE(tables.digest(), good.state.digest());
}

INSTANTIATE_TEST_SUITE_P(
    Fields, Forgetful,
    testing::Values([](StateTables&, TaskSlot& task) { ++task.submitted_at.milliseconds; },
                    [](StateTables&, TaskSlot& task) { ++task.started_at.milliseconds; },
                    [](StateTables&, TaskSlot& task) { ++task.attempts; },
                    [](StateTables&, TaskSlot& task) { task.priority ^= 1; },
                    [](StateTables&, TaskSlot& task) { task.tries ^= 1; },
                    [](StateTables&, TaskSlot& task) { task.tries_used ^= 1; },
                    [](StateTables&, TaskSlot& task) { task.lost ^= 1; },
                    [](StateTables&, TaskSlot& task) { task.node ^= 1; },
                    [](StateTables& tables, TaskSlot& task) { ++tables.rares[task.rare].deadline; },
                    [](StateTables& tables, TaskSlot& task) { ++tables.rares[task.rare].time_limit; },
                    [](StateTables& tables, TaskSlot& task) { ++tables.rares[task.rare].backoff; },
                    [](StateTables& tables, TaskSlot& task) { ++tables.rares[task.rare].not_before; }));

TEST(DigestTest, ASnapshotOfRowsThatForgotEndsTheProcess) {
  Journal journal;
  fill(journal);
  StateTables& tables = journal.state.tables();
  const TaskSlot& task = tables.tasks[tables.find_task(TaskId{3})];
  const ByteView work = tables.arena.get(task.work, task.work_size);
  const_cast<std::uint8_t*>(work.data())[1] ^= 4;
  EXPECT_DEATH(testing_tasks::whole_snapshot(journal.state), "rows of the state");
}

TEST(ContentTest, DiffersWithEachByteEachLengthAndEachMeaning) {
  Prng random(1);
  for (std::size_t length = 1; length <= 200; ++length) {
    Bytes bytes(length);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const std::uint64_t whole = content_of(ContentKind::Work, bytes);
    EXPECT_NE(whole, content_of(ContentKind::Result, bytes));
    for (std::size_t at = 0; at < length; ++at) {
      bytes[at] ^= 0x10;
      EXPECT_NE(whole, content_of(ContentKind::Work, bytes)) << at << " of " << length;
      bytes[at] ^= 0x10;
    }
    bytes.push_back(0);
    EXPECT_NE(whole, content_of(ContentKind::Work, bytes)) << length;
  }
  EXPECT_EQ(content_of(ContentKind::Work, ByteView{}), 0U);
}

}  // namespace
}  // namespace cidbus
