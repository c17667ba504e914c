#include "broker/tasks/snapshot.h"

#include <gtest/gtest.h>

#include "broker/tasks/test_support.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

using testing_tasks::Journal;

// Something of everything: sessions open, closing and gone; tasks in every state; keys, echoes, errors.
void fill(Journal& journal) {
  journal.check_every_step = false;
  journal.node(1, "w1", {"echo", "hash"});
  for (unsigned session = 1; session <= 4; ++session) {
    journal.open_session(session);
    for (std::uint64_t seq = 1; seq <= 30; ++seq) {
      TaskOptions options;
      if (seq % 7 == 0) options.key = "key";
      if (seq % 5 == 0) options.deadline = std::chrono::milliseconds(5);
      const testing_tasks::Answer answer =
          journal.submit(session, seq, options, 1, seq % 2 == 0 ? "echo" : "hash");
      if (answer.duplicate) continue;
      journal.lease(answer.task);
      if (seq % 3 == 0) journal.result(answer.task);
      if (seq % 3 == 1) journal.requeue(answer.task, 1, RequeueReason::Retry, true, 5, "an error");
    }
  }
  journal.close_session(3);
  for (const std::uint64_t token : {1, 2}) {
    journal.write(RecordType::Propose, ProposeRecord{token,
                                                     ProposalKind::ConfigChange,
                                                     token == 1 ? "key_ttl" : "lease_length",
                                                     3'600'000,
                                                     "anna",
                                                     std::chrono::hours(1),
                                                     {"b1", "w1"}});
    journal.write(RecordType::Vote, VoteRecord{token, true, false, "b1", {}});
  }
  journal.write(RecordType::Vote, VoteRecord{1, true, true, "w1", {}});
  journal.write(RecordType::Decide, DecideRecord{1, ProposalStatus::Accepted});
  journal.check_every_step = true;
}

TEST(Snapshot, OfAnEmptyStateLoadsToAnEmptyState) {
  StateMachine empty;
  const Bytes bytes = testing_tasks::whole_snapshot(empty);
  StateMachine loaded;
  SnapshotLoader loader(loaded);
  ASSERT_TRUE(loader.load(bytes).has_value());
  ASSERT_TRUE(loader.finish().has_value());
  EXPECT_TRUE(loaded.digest() == empty.digest());
}

TEST(Snapshot, HoldsWhatIsKeptOfAttempts) {
  Journal journal;
  journal.node(1, "w1");
  journal.open_session(1);
  const TaskId task = journal.submit(1, 1).task;
  const Bytes log = encode_log({"exited with 75", "said", "cried"});
  for (std::uint32_t attempt = 1; attempt <= 6; ++attempt) {
    journal.lease(task, attempt);
    journal.write(RecordType::Requeue,
                  RequeueRecord{task, 0, attempt, RequeueReason::Retry, true, {}, "busy", log});
  }
  journal.lease(task, 7);
  journal.write(RecordType::Result,
                ResultRecord{task, 0, 7, Outcome::Completed, 1, {}, {}, as_bytes("result"), log});
  EXPECT_GT(journal.state.usage().held_bytes, limits::attempts_logged * log.size()) << "it is accounted for";

  StateMachine loaded;
  SnapshotLoader loader(loaded);
  ASSERT_TRUE(loader.load(testing_tasks::whole_snapshot(journal.state)).has_value());
  ASSERT_TRUE(loader.finish().has_value());
  EXPECT_TRUE(loaded.digest() == journal.state.digest());
  const auto attempts = decode_history(loaded.history(loaded.find(task)));
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), limits::attempts_logged);
  EXPECT_EQ(attempts->front().attempt, 4u);
  EXPECT_EQ(attempts->front().how, "retry");
  EXPECT_EQ(attempts->front().error, "busy");
  EXPECT_EQ(attempts->back().attempt, 7u);
  EXPECT_EQ(attempts->back().how, "completed");
  EXPECT_EQ(attempts->back().worker, "w1");
  EXPECT_EQ(decode_log(attempts->back().log)->errors, "cried");
}

TEST(Snapshot, LoadsFromChunksThatAreCutAnywhere) {
  Journal journal;
  fill(journal);
  const Bytes whole = testing_tasks::whole_snapshot(journal.state);
  for (const std::size_t length : {std::size_t{1}, std::size_t{3}, std::size_t{64}, std::size_t{1000}}) {
    StateMachine loaded;
    SnapshotLoader loader(loaded);
    for (std::size_t at = 0; at < whole.size(); at += length) {
      const ByteView chunk = ByteView(whole).subspan(at, std::min(length, whole.size() - at));
      ASSERT_TRUE(loader.load(chunk).has_value()) << length << " at " << at;
    }
    ASSERT_TRUE(loader.finish().has_value()) << length;
    EXPECT_TRUE(loaded.digest() == journal.state.digest()) << length;
  }
}

TEST(Snapshot, SlicesAreBoundedInRowsAndBytes) {
  Journal journal;
  fill(journal);
  SnapshotWalk walk(journal.state);
  Bytes chunk;
  walk.slice(0, 1 << 20, chunk);
  const std::size_t header = chunk.size();
  std::size_t slices = 0;
  for (bool done = false; !done; ++slices) {
    chunk.clear();
    done = walk.slice(5, 1 << 20, chunk);
    EXPECT_LT(chunk.size(), 5 * 400u);
  }
  EXPECT_GT(slices, 20u);
  EXPECT_LT(header, 800u);
}

TEST(Snapshot, ThatIsAbandonedLeavesTheStateFreeForAnother) {
  Journal journal;
  fill(journal);
  {
    SnapshotWalk walk(journal.state);
    Bytes chunk;
    walk.slice(3, 1 << 20, chunk);
  }
  journal.submit(1, 31);
  EXPECT_FALSE(testing_tasks::whole_snapshot(journal.state).empty());
}

TEST(Snapshot, OfAnOlderVersionHasNoConfiguration) {
  Journal journal;
  fill(journal);
  EXPECT_EQ(journal.state.config().version(), 1U);
  Bytes older;
  const Bytes whole = testing_tasks::whole_snapshot(journal.state);
  for (ByteReader reader{ByteView(whole)}; !reader.at_end();) {
    const ByteView rest = reader.rest();
    const auto kind = static_cast<RowKind>(reader.number<std::uint8_t>());
    const std::size_t length = reader.sized().size() + 5;
    if (kind == RowKind::Config) continue;
    const std::size_t row = older.size();
    older.insert(older.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
    if (kind == RowKind::Header) older[row + 5] = snapshot_version_with_config - 1;
  }
  StateMachine loaded;
  SnapshotLoader loader(loaded);
  ASSERT_TRUE(loader.load(older).has_value());
  ASSERT_TRUE(loader.finish().has_value());
  EXPECT_EQ(loaded.config().version(), 0U);
  EXPECT_EQ(loaded.usage().tasks, journal.state.usage().tasks);
  EXPECT_EQ(loaded.state_limits().key_ttl, StateLimits{}.key_ttl);
}

// Version 5 ends with a digest of another kind, which nothing is compared with.
TEST(Snapshot, OfAVersionWithAnotherDigestIsLoaded) {
  Journal journal;
  fill(journal);
  Bytes older = testing_tasks::whole_snapshot(journal.state);
  older[5] = snapshot_version_with_digest - 1;
  older.back() ^= 1;
  StateMachine loaded;
  SnapshotLoader loader(loaded);
  ASSERT_TRUE(loader.load(older).has_value());
  ASSERT_TRUE(loader.finish().has_value());
  loaded.check_invariants();
  EXPECT_TRUE(loaded.digest() == journal.state.digest());
  older[5] = snapshot_version;
  StateMachine refusing;
  SnapshotLoader strict(refusing);
  ASSERT_TRUE(strict.load(older).has_value());
  EXPECT_FALSE(strict.finish().has_value());
}

TEST(Snapshot, WithALostRowADoubledRowOrACutOneIsRefused) {
  Journal journal;
  fill(journal);
  const Bytes whole = testing_tasks::whole_snapshot(journal.state);
  std::vector<ByteView> rows;
  for (ByteReader reader{ByteView(whole)}; !reader.at_end();) {
    const ByteView rest = reader.rest();
    reader.number<std::uint8_t>();
    const std::size_t length = reader.sized().size();
    rows.push_back(rest.first(length + 5));
  }
  const auto loads = [&](auto&& each) {
    StateMachine loaded;
    SnapshotLoader loader(loaded);
    bool good = true;
    each([&](ByteView row) { good = good && loader.load(row).has_value(); });
    return good && loader.finish().has_value();
  };
  EXPECT_TRUE(loads([&](auto&& put) {
    for (const ByteView row : rows) put(row);
  }));
  for (std::size_t bad = 0; bad < rows.size(); ++bad) {
    EXPECT_FALSE(loads([&](auto&& put) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i != bad) put(rows[i]);
      }
    })) << "without row "
        << bad;
    if (bad + 1 < rows.size()) {  // a doubled end row says the same twice
      EXPECT_FALSE(loads([&](auto&& put) {
        for (const ByteView row : rows) put(row);
        put(rows[bad]);
      })) << "with row "
          << bad << " twice";
    }
    EXPECT_FALSE(loads([&](auto&& put) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        put(i == bad ? rows[i].first(rows[i].size() - 1) : rows[i]);
    })) << "row "
        << bad << " cut";
  }
}

// R7: the digest at its end is that of the state it was written of.
TEST(Snapshot, OfChangedBytesIsRefusedOrLoadsToTheSameStateAndNeverAborts) {
  Journal journal;
  fill(journal);
  const Bytes whole = testing_tasks::whole_snapshot(journal.state);
  Prng random(23);
  std::size_t refused = 0;
  for (int round = 0; round < 4000; ++round) {
    Bytes bytes = whole;
    for (auto changes = random.between(1, 3); changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random());
    }
    StateMachine loaded;
    SnapshotLoader loader(loaded);
    if (loader.load(bytes).has_value() && loader.finish().has_value()) {
      loaded.check_invariants();
      EXPECT_TRUE(loaded.digest() == journal.state.digest());
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 3500u);
}

}  // namespace
}  // namespace cidbus
