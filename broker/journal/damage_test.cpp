// Damage to a journal at rest: each is mended from the second place, or named, and none is silent.
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/journal_support.h"

namespace cidbus {
namespace {

using namespace journal_test;

// 8 identifiers a segment, so that a few batches make three segments.
constexpr JournalOptions tiny_segments{32 << 10, identifiers_offset + 8 * identifier_bytes};
constexpr std::size_t batches_held = 17;

std::vector<BatchBytes> live(SimulatedDisk& disk, bool close_well = true) {
  Journal journal = opened(disk, tiny_segments);
  std::vector<BatchBytes> all = make_batches({}, batches_held, 20);
  for (const BatchBytes& batch : all) EXPECT_TRUE(journal.append(as_new({batch})));
  EXPECT_TRUE(journal.wants_mark());
  EXPECT_TRUE(journal.mark_synced());
  if (close_well) {
    EXPECT_TRUE(journal.close());
  }
  return all;
}

std::string segment_path(std::uint64_t number) { return folder + "/" + segment_name(number); }

enum class Verdict { Whole, Refused, Lost };

struct Found {
  Verdict verdict = Verdict::Lost;
  std::string message;
  JournalRecovery recovery;
};

Found open_damaged(SimulatedDisk& disk, const std::vector<BatchBytes>& all) {
  Found found;
  auto journal = Journal::open(disk, folder, owner, tiny_segments, found.recovery);
  if (journal) {
    found.verdict = contents(*journal) == bytes_of(all) ? Verdict::Whole : Verdict::Lost;
  } else if (journal.error().kind == FaultKind::BadData) {
    found.verdict = Verdict::Refused;
    found.message = journal.error().message;
  } else {
    found.message = journal.error().message;
  }
  return found;
}

Found after(const std::function<void(SimulatedDisk&)>& damage) {
  SimulatedDisk disk;
  const auto all = live(disk);
  disk.kill();
  damage(disk);
  return open_damaged(disk, all);
}

bool names(const std::string& message, const std::string& file, ByteCount offset) {
  return message.find(file + " at " + std::to_string(offset) + ":") != std::string::npos;
}

TEST(JournalDamage, AFlippedBitInABatchIsNamedByFileOffsetAndRecords) {
  SimulatedDisk disk;
  const auto all = live(disk);
  // The first identifier of the second segment tells where the batch stands.
  const Bytes bytes = disk.contents(segment_path(2));
  const auto identifier =
      decode_identifier(ByteView(bytes).subspan(identifiers_offset, identifier_bytes)).found;
  ASSERT_TRUE(identifier);
  for (ByteCount at = 0; at < identifier->length; ++at) {
    const Found found = after([&](SimulatedDisk& damaged) {
      damaged.flip_bit(segment_path(2), identifier->offset + at, static_cast<unsigned>(at % 8));
    });
    ASSERT_EQ(found.verdict, Verdict::Refused) << at;
    EXPECT_TRUE(names(found.message, segment_path(2), identifier->offset)) << found.message;
    EXPECT_NE(found.message.find("record"), std::string::npos) << found.message;
    EXPECT_NE(found.message.find("put this folder back from a copy"), std::string::npos);
    EXPECT_EQ(found.message.find('\n'), std::string::npos);
  }
}

TEST(JournalDamage, AFlippedBitInWhatStandsTwiceIsMendedAndSaidSo) {
  const auto expect_mended = [](ByteCount begin, ByteCount end, std::uint64_t segment) {
    for (ByteCount at = begin; at < end; ++at) {
      SimulatedDisk disk;
      const auto all = live(disk);
      disk.kill();
      disk.flip_bit(segment_path(segment), at, static_cast<unsigned>(at % 8));
      const Found found = open_damaged(disk, all);
      ASSERT_EQ(found.verdict, Verdict::Whole) << at << ' ' << found.message;
      EXPECT_FALSE(found.recovery.mended.empty()) << at;
      disk.crash_losing_all();
      const Found again = open_damaged(disk, all);
      EXPECT_EQ(again.verdict, Verdict::Whole);
      EXPECT_TRUE(again.recovery.mended.empty()) << "what was mended stays so: " << at;
    }
  };
  expect_mended(identifiers_offset, identifiers_offset + 7 * identifier_bytes, 1);
  expect_mended(identifiers_offset, identifiers_offset + 3 * identifier_bytes,
                3);  // the last batch's among them
  expect_mended(seal_offset, seal_offset + 48, 1);
  expect_mended(seal_offset, seal_offset + 48, 2);
}

TEST(JournalDamage, AFlippedBitAnywhereLosesNothingInSilence) {
  std::size_t refused = 0;
  std::size_t whole = 0;
  for (std::uint64_t segment = 1; segment <= 3; ++segment) {
    for (ByteCount at = 0; at < 9 << 10; at += 3) {
      const Found found = after([&](SimulatedDisk& disk) {
        if (at < disk.contents(segment_path(segment)).size())
          disk.flip_bit(segment_path(segment), at, static_cast<unsigned>(at % 8));
      });
      ASSERT_NE(found.verdict, Verdict::Lost)
          << "segment " << segment << " at " << at << ' ' << found.message;
      if (found.verdict == Verdict::Refused) {
        EXPECT_NE(found.message.find(segment_path(segment)), std::string::npos) << found.message;
      }
      ++(found.verdict == Verdict::Refused ? refused : whole);
    }
  }
  EXPECT_GT(refused, 500U);
  EXPECT_GT(whole, 500U);
}

TEST(JournalDamage, ASegmentCutShortAnywhereIsNamedOrLosesNothing) {
  for (std::uint64_t segment = 1; segment <= 3; ++segment) {
    SimulatedDisk measure;
    live(measure);
    const ByteCount size = measure.contents(segment_path(segment)).size();
    for (ByteCount bytes = 0; bytes < size; bytes += 256) {
      const Found found = after([&](SimulatedDisk& disk) { disk.truncate(segment_path(segment), bytes); });
      ASSERT_NE(found.verdict, Verdict::Lost) << segment << ' ' << bytes << ' ' << found.message;
      if (bytes <= tiny_segments.head_bytes) {
        EXPECT_EQ(found.verdict, Verdict::Refused);
      }
      if (found.verdict == Verdict::Refused) {
        EXPECT_NE(found.message.find(segment_path(segment)), std::string::npos) << found.message;
      }
    }
  }
}

TEST(JournalDamage, ALostSegmentIsNamed) {
  for (std::uint64_t segment = 1; segment <= 3; ++segment) {
    const Found found = after([&](SimulatedDisk& disk) { disk.remove_file(segment_path(segment)); });
    if (segment == 1) {
      // What is left does not know whether the first was freed: DataDirectory compares with the snapshot.
      EXPECT_EQ(found.verdict, Verdict::Lost);
      continue;
    }
    ASSERT_EQ(found.verdict, Verdict::Refused);
    EXPECT_TRUE(names(found.message, segment_path(segment), 0)) << found.message;
    EXPECT_NE(found.message.find("the file is missing"), std::string::npos);
  }
  const Found none = after([&](SimulatedDisk& disk) {
    for (std::uint64_t segment = 1; segment <= 3; ++segment) disk.remove_file(segment_path(segment));
  });
  EXPECT_EQ(none.verdict, Verdict::Refused);
}

// Behind the only segment in use stands the next one, still empty: it must not pass for a journal.
TEST(JournalDamage, TheOnlySegmentInUseIsMissedThoughItsSuccessorIsThere) {
  SimulatedDisk disk;
  {
    Journal journal = opened(disk, tiny_segments);
    ASSERT_TRUE(journal.append(as_new(make_batches({}, 1, 20))));
    ASSERT_TRUE(journal.make_spare());
  }
  disk.remove_file(segment_path(1));
  JournalRecovery recovery;
  const auto journal = Journal::open(disk, folder, owner, tiny_segments, recovery, OnDamage::Keep);
  ASSERT_FALSE(journal);
  const std::string& message = journal.error().message;
  EXPECT_TRUE(names(message, segment_path(1), 0)) << message;
}

TEST(JournalDamage, AnUnreadableSectorIsNamedOrLosesNothing) {
  std::size_t refused = 0;
  for (std::uint64_t segment = 1; segment <= 3; ++segment) {
    for (ByteCount at = 0; at < 9 << 10; at += 512) {
      const Found found = after([&](SimulatedDisk& disk) { disk.fail_reads(segment_path(segment), at); });
      ASSERT_NE(found.verdict, Verdict::Lost) << segment << ' ' << at << ' ' << found.message;
      refused += found.verdict == Verdict::Refused ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 40U);
}

void copy(SimulatedDisk& disk, const std::string& from, const std::string& to) {
  const Bytes bytes = disk.contents(from);
  auto file = disk.create(to).value();
  ASSERT_TRUE(file->write(0, bytes));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk.sync_directory(folder));
}

TEST(JournalDamage, ASegmentInTheWrongPlaceIsRefused) {
  const Found moved = after([](SimulatedDisk& disk) { copy(disk, segment_path(1), segment_path(2)); });
  EXPECT_EQ(moved.verdict, Verdict::Refused);
  EXPECT_NE(moved.message.find("its header is that of segment-0000000001"), std::string::npos)
      << moved.message;
}

TEST(JournalDamage, ASegmentOfAnotherDiskIsRefused) {
  SimulatedDisk disk;
  live(disk);
  JournalRecovery recovery;
  const JournalOwner other{owner.cluster, {{9, 9, 9}}};
  const auto journal = Journal::open(disk, folder, other, tiny_segments, recovery);
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find("another broker's journal"), std::string::npos);
}

TEST(JournalDamage, ABatchInAnothersPlaceIsRefusedThoughItsChecksumFits) {
  const Found found = after([](SimulatedDisk& disk) {
    const ByteCount first = tiny_segments.head_bytes;
    const Bytes bytes = disk.contents(segment_path(1));
    auto file = disk.open(segment_path(1)).value();
    ASSERT_TRUE(file->write(first + 3 * 512, ByteView(bytes).subspan(first, 512)));
    ASSERT_TRUE(file->sync());
  });
  EXPECT_EQ(found.verdict, Verdict::Refused);
  EXPECT_NE(found.message.find("another batch stands here"), std::string::npos) << found.message;
}

TEST(JournalDamage, BothPlacesOfABatchAreMissedByWhatStandsBehindThem) {
  const Found found = after([](SimulatedDisk& disk) {
    const ByteCount first = tiny_segments.head_bytes;
    disk.flip_bit(segment_path(1), identifiers_offset + 2 * identifier_bytes);
    disk.flip_bit(segment_path(1), first + 2 * 512);
  });
  EXPECT_EQ(found.verdict, Verdict::Refused);
  EXPECT_NE(found.message.find("neither batch nor identifier is whole"), std::string::npos) << found.message;
}

// After a power cut the mark that the newest group was synced may be lost; then its damage looks like a write
// that never finished. It is cut, and said so.
TEST(JournalDamage, TheNewestBatchAfterAPowerCutCannotBeToldFromATornOneAndIsReported) {
  SimulatedDisk disk;
  auto all = live(disk, false);
  disk.crash_losing_all();
  disk.flip_bit(segment_path(3), tiny_segments.head_bytes + 2 * 512 + 60);
  const ChainEnd lost = end_of(all.back());
  all.pop_back();
  const Found found = open_damaged(disk, all);
  EXPECT_EQ(found.verdict, Verdict::Whole) << found.message;
  ASSERT_EQ(found.recovery.torn.size(), 1U);
  EXPECT_EQ(found.recovery.torn[0].first, next(end_of(all.back()).last));
  EXPECT_EQ(found.recovery.torn[0].last, lost.last);
  EXPECT_EQ(found.recovery.claim, lost);
}

TEST(JournalDamage, TheNewestBatchOfAKilledBrokerIsKnownToHaveBeenSynced) {
  SimulatedDisk disk;
  const auto all = live(disk, false);
  disk.kill();
  disk.flip_bit(segment_path(3), tiny_segments.head_bytes + 2 * 512 + 60);
  EXPECT_EQ(open_damaged(disk, all).verdict, Verdict::Refused);
}

TEST(JournalDamage, ADamagedMarkOfACutIsMended) {
  for (ByteCount bit = 0; bit < identifier_bytes; ++bit) {
    SimulatedDisk disk;
    std::vector<BatchBytes> expected;
    {
      Journal journal = opened(disk, tiny_segments);
      const auto old = make_batches({}, 4, 20);
      ASSERT_TRUE(journal.append(as_new(old)));
      ASSERT_TRUE(journal.cut_from(peek_batch_header(*old[2])->first));
      const auto fresh = make_batches(journal.end(), 2, 20, Epoch{2});
      ASSERT_TRUE(journal.append(as_new(fresh)));
      ASSERT_TRUE(journal.close());
      expected = {old[0], old[1], fresh[0], fresh[1]};
    }
    disk.kill();
    disk.flip_bit(segment_path(1), identifiers_offset + 4 * identifier_bytes + bit, 2);
    const Found found = open_damaged(disk, expected);
    EXPECT_EQ(found.verdict, Verdict::Whole) << found.message;
    EXPECT_EQ(found.recovery.mended.size(), 1U);
  }
}

TEST(JournalDamage, ADamageThatComesWhileReadingIsNamed) {
  SimulatedDisk disk;
  live(disk);
  disk.kill();
  const Journal journal = opened(disk, tiny_segments);
  disk.flip_bit(segment_path(2), tiny_segments.head_bytes + 50);
  JournalReader reader(journal, LogIndex{1});
  while (true) {
    const auto batch = reader.next_batch();
    if (batch) {
      ASSERT_TRUE(*batch);
      continue;
    }
    EXPECT_EQ(batch.error().kind, FaultKind::BadData);
    EXPECT_TRUE(names(batch.error().message, segment_path(2), tiny_segments.head_bytes))
        << batch.error().message;
    break;
  }
}

}  // namespace
}  // namespace cidbus
