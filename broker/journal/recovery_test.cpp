// A crash at every write of a short life of a journal, and what is there afterwards.
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/journal_support.h"

namespace cidbus {
namespace {

using namespace journal_test;

// What a journal that may have crashed at any moment is allowed to hold.
struct Ledger {
  std::vector<BatchBytes> held;  // acknowledged
  std::vector<BatchBytes>
      writing;  // an append under way: any number of them, from the first on, may be there
  std::optional<std::size_t> cutting_to;  // a cut under way: this many of `held`, or all of them

  [[nodiscard]] bool allows(const std::vector<Bytes>& found, std::size_t freed) const {
    std::vector<Bytes> all = bytes_of(held);
    for (const Bytes& bytes : bytes_of(writing)) all.push_back(bytes);
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(freed));
    if (found.size() > all.size() || !std::equal(found.begin(), found.end(), all.begin())) return false;
    const std::size_t count = found.size() + freed;
    return count >= held.size() || (cutting_to && count == *cutting_to);
  }
};

using Crash = std::function<void(SimulatedDisk&)>;

// One way for a journal to live. Stops at the first fault: the power went.
class Life {
 public:
  explicit Life(SimulatedDisk& disk) : disk_(disk) {}

  Ledger run() {
    JournalRecovery recovery;
    auto journal = open_journal(disk_, few_identifiers(), recovery);
    if (!journal) return ledger_;
    live(*journal);
    return ledger_;
  }

 private:
  bool live(Journal& journal) {
    return append(journal, 1, 10) && append(journal, 5, 200) && append(journal, 3, 600) && cut(journal, 6) &&
           append(journal, 2, 10) && spare(journal) && append(journal, 12, 40) && append(journal, 14, 10) &&
           cut(journal, 25) && cut(journal, 11) && append(journal, 4, 3000) && cut(journal, 0) &&
           append(journal, 20, 10) && drop(journal) && append(journal, 2, 10) && journal.close().has_value();
  }
  bool append(Journal& journal, std::size_t count, std::size_t payload) {
    epoch_.value += 1;
    ledger_.writing = make_batches(journal.end(), count, payload, epoch_);
    if (!journal.append(as_new(ledger_.writing))) return false;
    ledger_.held.insert(ledger_.held.end(), ledger_.writing.begin(), ledger_.writing.end());
    ledger_.writing.clear();
    return true;
  }
  bool cut(Journal& journal, std::size_t keep) {
    if (keep >= ledger_.held.size()) return true;
    ledger_.cutting_to = keep;
    if (!journal.cut_from(peek_batch_header(*ledger_.held[keep])->first)) return false;
    ledger_.held.resize(keep);
    ledger_.cutting_to.reset();
    return true;
  }
  bool spare(Journal& journal) { return journal.make_spare().has_value(); }
  bool drop(Journal& journal) {
    while (true) {
      const auto more = journal.drop_one_before(journal.end().last);
      if (!more || !*more) return more.has_value();
    }
  }

  SimulatedDisk& disk_;
  Ledger ledger_;
  Epoch epoch_;
};

// Opens what the crash has left, looks whether it may be so, writes on, and looks again after another power
// cut.
void expect_recovered(SimulatedDisk& disk, const Ledger& ledger, const std::string& where) {
  std::vector<Bytes> found;
  std::vector<BatchBytes> more;
  {
    JournalRecovery recovery;
    auto journal = open_journal(disk, few_identifiers(), recovery);
    ASSERT_TRUE(journal) << where << ": " << journal.error().message;
    std::size_t freed = 0;
    while (freed < ledger.held.size() && peek_batch_header(*ledger.held[freed])->first < journal->first())
      ++freed;
    found = contents(*journal);
    ASSERT_TRUE(ledger.allows(found, freed)) << where << ": " << found.size() << " batches found, " << freed
                                             << " freed, of " << ledger.held.size();
    more = make_batches(journal->end(), 3, 100, Epoch{1000}, 5);
    ASSERT_TRUE(journal->append(as_new(more))) << where;
  }
  disk.crash_losing_all();
  for (const Bytes& bytes : bytes_of(more)) found.push_back(bytes);
  const auto again = contents(opened(disk, few_identifiers()));
  ASSERT_TRUE(again == found) << where << ": " << again.size() << " batches, not the " << found.size()
                              << " found";
}

std::vector<std::pair<std::string, Crash>> crashes() {
  std::vector<std::pair<std::string, Crash>> all;
  all.emplace_back("losing all", [](SimulatedDisk& disk) { disk.crash_losing_all(); });
  all.emplace_back("keeping all", [](SimulatedDisk& disk) { disk.crash_keeping_all(); });
  all.emplace_back("killed", [](SimulatedDisk& disk) { disk.kill(); });
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    all.emplace_back("seed " + std::to_string(seed), [seed](SimulatedDisk& disk) {
      Prng prng(seed);
      disk.crash(prng);
    });
  return all;
}

TEST(JournalRecovery, APowerCutAtAnyWriteLosesNothingThatWasAcknowledged) {
  std::uint64_t operation = 0;
  for (bool reached = true; reached; ++operation) {
    for (const auto& [name, crash] : crashes()) {
      SimulatedDisk disk;
      disk.plan(operation, DiskAccident::PowerCut);
      const Ledger ledger = Life(disk).run();
      reached = disk.accident_happened();
      crash(disk);
      expect_recovered(disk, ledger, "operation " + std::to_string(operation) + ", " + name);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_GT(operation, 60U);
}

void die(SimulatedDisk& disk, Prng& prng) {
  if (prng.chance(1, 3)) {
    disk.kill();
  } else {
    disk.crash(prng);
  }
}

TEST(JournalRecovery, APowerCutDuringRecoveryIsRecoveredFromToo) {
  std::uint64_t second_cuts = 0;
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      for (std::uint64_t second = 0;; ++second) {
        SimulatedDisk disk;
        Prng prng(1000 * operation + seed);
        disk.plan(operation, DiskAccident::PowerCut);
        const Ledger ledger = Life(disk).run();
        reached = disk.accident_happened();
        die(disk, prng);
        disk.plan(second, DiskAccident::PowerCut);
        JournalRecovery recovery;
        (void)open_journal(disk, few_identifiers(), recovery);
        if (!disk.accident_happened()) break;
        die(disk, prng);
        ++second_cuts;
        expect_recovered(disk, ledger,
                         "operations " + std::to_string(operation) + " and " + std::to_string(second) +
                             ", seed " + std::to_string(seed));
        if (testing::Test::HasFatalFailure()) return;
      }
    }
    if (!reached) break;
  }
  EXPECT_GT(second_cuts, 500U);
}

TEST(JournalRecovery, AFailedDiskAtAnyOperationLosesNothingThatWasAcknowledged) {
  for (std::uint64_t operation = 0;; ++operation) {
    SimulatedDisk disk;
    disk.plan(operation, DiskAccident::Broken);
    const Ledger ledger = Life(disk).run();
    const bool reached = disk.accident_happened();
    Prng prng(operation);
    disk.crash(prng);
    expect_recovered(disk, ledger, "operation " + std::to_string(operation));
    if (!reached || testing::Test::HasFatalFailure()) return;
  }
}

TEST(JournalRecovery, BegunAnewOrNotAtAnyPowerCut) {
  const ChainEnd base{{500}, {9}, 77};
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (const auto& [name, crash] : crashes()) {
      SimulatedDisk disk;
      Ledger ledger;
      {
        Journal journal = opened(disk, few_identifiers());
        ledger.held = make_batches(journal.end(), 40, 10);
        ASSERT_TRUE(journal.append(as_new(ledger.held)));
        disk.plan(operation, DiskAccident::PowerCut);
        (void)journal.begin_anew(base);
        reached = disk.accident_happened();
      }
      crash(disk);
      const Journal journal = opened(disk, few_identifiers());
      const bool anew = journal.end() == base && contents(journal).empty();
      EXPECT_TRUE(anew || contents(journal) == bytes_of(ledger.held)) << operation << ' ' << name;
      EXPECT_TRUE(anew || reached) << operation << ' ' << name;
    }
    if (!reached) return;
  }
}

TEST(JournalRecovery, ATornTailIsCutAndSaidSo) {
  // Every sector that the last append wrote survives or not, in every combination that 200 seeds come by.
  std::size_t torn = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimulatedDisk disk;
    Journal journal = opened(disk, small_segments());
    const auto held = make_batches(journal.end(), 5, 100);
    ASSERT_TRUE(journal.append(as_new(held)));
    disk.plan(2, DiskAccident::PowerCut);  // data and identifiers are written, the sync does not come
    const auto lost = make_batches(journal.end(), 3, 2000, Epoch{2});
    ASSERT_FALSE(journal.append(as_new(lost)));
    Prng prng(seed);
    disk.crash(prng);
    JournalRecovery recovery;
    auto again = open_journal(disk, small_segments(), recovery);
    ASSERT_TRUE(again) << again.error().message;
    const auto found = contents(*again);
    ASSERT_GE(found.size(), held.size());
    torn += found.size() < held.size() + lost.size() && !recovery.torn.empty() ? 1 : 0;
    JournalRecovery second;
    disk.kill();
    auto third = open_journal(disk, small_segments(), second);
    ASSERT_TRUE(third);
    EXPECT_EQ(contents(*third), found) << "a recovery that is repeated changes nothing";
  }
  EXPECT_GT(torn, 50U);
}

// R6: a sync that failed has thrown away what it was to write, and a machine that lives on shows it all the
// same.
TEST(JournalRecovery, WhatAFailedSyncLeftInTheMachinesMemoryIsNotReliedOn) {
  SimulatedDisk disk;
  std::vector<Bytes> held;
  {
    Journal journal = opened(disk, small_segments());
    const auto first = make_batches(journal.end(), 3, 100);
    ASSERT_TRUE(journal.append(as_new(first)));
    held = bytes_of(first);
    disk.plan(2, DiskAccident::Broken);  // after the batches and their identifiers: the sync
    ASSERT_FALSE(journal.append(as_new(make_batches(journal.end(), 3, 2000))));
  }
  disk.kill();
  {
    Journal journal = opened(disk, small_segments());
    EXPECT_EQ(contents(journal, journal.first()), held);
    const auto next = make_batches(journal.end(), 2, 100, {2});
    ASSERT_TRUE(journal.append(as_new(next)));
    for (const Bytes& bytes : bytes_of(next)) held.push_back(bytes);
  }
  disk.crash_losing_all();
  Journal journal = opened(disk, small_segments());
  EXPECT_EQ(contents(journal, journal.first()), held);
}

}  // namespace
}  // namespace cidbus
