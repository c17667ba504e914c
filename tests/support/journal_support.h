// What the tests of the journal share: a small journal, batches to put into it, and what it holds.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/journal/batch_builder.h"
#include "broker/journal/data_directory.h"
#include "broker/journal/journal.h"
#include "broker/journal/journal_reader.h"
#include "shared/base/prng.h"
#include "tests/support/simulated_disk.h"

namespace cidbus::journal_test {

inline const std::string folder = "d";
inline const JournalOwner owner{cluster_id("c"), {{1, 2, 3}}};

// 64 identifiers and 56 KiB of batches a segment.
inline JournalOptions small_segments() { return {64 << 10, 8 << 10}; }
// 14 identifiers: segments change by them.
inline JournalOptions few_identifiers() { return {64 << 10, 5 << 10}; }

// One batch of `records` records with payloads of `payload` bytes each; `fill` tells it from another.
inline BatchBytes make_batch(const ChainEnd& before, Epoch epoch, std::size_t records, std::size_t payload,
                             std::uint8_t fill = 0) {
  BatchBuilder builder(epoch, before);
  for (std::size_t k = 0; k < records; ++k)
    builder.append(1, 1, WallTime{static_cast<std::int64_t>(builder.next_index().value)},
                   Bytes(payload, fill));
  return builder.seal();
}

inline ChainEnd end_of(const BatchBytes& batch) { return peek_batch_header(*batch)->end(); }

inline std::vector<NewBatch> as_new(const std::vector<BatchBytes>& batches) {
  std::vector<NewBatch> result;
  for (const BatchBytes& batch : batches) result.push_back({batch, peek_batch_header(*batch)->epoch});
  return result;
}

// Batches that follow `before` and one another.
inline std::vector<BatchBytes> make_batches(ChainEnd before, std::size_t count, std::size_t payload,
                                            Epoch epoch = {1}, std::uint8_t fill = 0) {
  std::vector<BatchBytes> batches;
  for (std::size_t k = 0; k < count; ++k) {
    batches.push_back(make_batch(before, epoch, 1 + k % 3, payload, fill));
    before = end_of(batches.back());
  }
  return batches;
}

inline Result<Journal> open_journal(FileSystem& files, const JournalOptions& options,
                                    JournalRecovery& recovery) {
  const auto names = files.list(folder);
  if (!names) return tl::unexpected(names.error());
  bool made = false;
  for (const std::string& name : *names) made = made || parse_segment_name(name);
  if (!made)
    if (Status status = Journal::create(files, folder, owner, options); !status)
      return tl::unexpected(status.error());
  return Journal::open(files, folder, owner, options, recovery);
}

inline Journal opened(FileSystem& files, const JournalOptions& options) {
  JournalRecovery recovery;
  auto journal = open_journal(files, options, recovery);
  EXPECT_TRUE(journal) << (journal ? "" : journal.error().message);
  return std::move(*journal);
}

// The bytes of all batches from a record on, as replay gives them.
inline std::vector<Bytes> contents(const Journal& journal, LogIndex from) {
  std::vector<Bytes> batches;
  JournalReader reader(journal, from);
  while (true) {
    const auto batch = reader.next_batch();
    EXPECT_TRUE(batch) << (batch ? "" : batch.error().message);
    if (!batch || !*batch) return batches;
    batches.push_back(to_bytes((*batch)->bytes()));
  }
}
inline std::vector<Bytes> contents(const Journal& journal) { return contents(journal, journal.first()); }

inline std::vector<Bytes> bytes_of(const std::vector<BatchBytes>& batches) {
  std::vector<Bytes> result;
  for (const BatchBytes& batch : batches) result.push_back(*batch);
  return result;
}

}  // namespace cidbus::journal_test
