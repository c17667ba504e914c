#include <gtest/gtest.h>

#include "broker/journal/snapshot_store.h"
#include "shared/base/prng.h"
#include "tests/support/simulated_disk.h"

namespace cidbus {
namespace {

const std::string folder = "d";
const ClusterId cluster = cluster_id("c");

SnapshotInfo info_at(std::uint64_t last) {
  SnapshotInfo info;
  info.cluster = cluster;
  info.last = {{last}, {3}, static_cast<std::uint32_t>(last * 7)};
  info.time = {1000 + static_cast<std::int64_t>(last)};
  info.config_version = 2;
  info.config = {5, 6, 7};
  info.digest = {8, 9};
  return info;
}

std::vector<Bytes> chunks_of(std::uint64_t last) {
  std::vector<Bytes> chunks;
  for (std::size_t k = 0; k < 4; ++k) chunks.emplace_back(300 * (k + 1), static_cast<std::uint8_t>(last + k));
  return chunks;
}

Result<SnapshotStore> open_store(SimulatedDisk& disk, std::vector<std::string>& notices) {
  return SnapshotStore::open(disk, folder, cluster, notices);
}

SnapshotStore opened(SimulatedDisk& disk) {
  std::vector<std::string> notices;
  auto store = open_store(disk, notices);
  EXPECT_TRUE(store) << (store ? "" : store.error().message);
  return std::move(*store);
}

Status write_snapshot(SnapshotStore& store, std::uint64_t last) {
  auto writer = store.begin(info_at(last));
  if (!writer) return tl::unexpected(writer.error());
  for (const Bytes& chunk : chunks_of(last))
    if (Status status = writer->add(chunk); !status) return status;
  if (Status status = writer->finish(); !status) return status;
  while (true) {
    const auto verified = writer->verify_some();
    if (!verified) return tl::unexpected(verified.error());
    if (*verified) return store.install(*writer);
  }
}

void expect_contents(const SnapshotStore& store, const KeptSnapshot& kept, std::uint64_t last) {
  EXPECT_EQ(kept.info, info_at(last));
  auto reader = store.read(kept).value();
  EXPECT_EQ(reader.info(), info_at(last));
  for (const Bytes& expected : chunks_of(last)) {
    const auto chunk = reader.next_chunk();
    ASSERT_TRUE(chunk && *chunk);
    EXPECT_EQ(**chunk, expected);
  }
  EXPECT_FALSE(*reader.next_chunk());
  EXPECT_FALSE(*reader.next_chunk());
}

TEST(Sha256, IsThatOfTheStandardInParts) {
  Sha256 hash;
  hash.update(as_bytes("a"));
  hash.update({});
  hash.update(as_bytes("bc"));
  const Sha256Digest digest = hash.finish();
  // FIPS 180-4 example "abc".
  const Bytes expected{0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                       0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                       0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  EXPECT_EQ(to_bytes(digest), expected);
}

TEST(Snapshots, ReadBackWhatWasWrittenAfterAPowerCut) {
  SimulatedDisk disk;
  {
    SnapshotStore store = opened(disk);
    EXPECT_TRUE(store.kept().empty());
    EXPECT_EQ(store.droppable_before(), LogIndex{1});
    ASSERT_TRUE(write_snapshot(store, 100));
  }
  disk.crash_losing_all();
  const SnapshotStore store = opened(disk);
  ASSERT_EQ(store.kept().size(), 1U);
  expect_contents(store, store.kept()[0], 100);
  EXPECT_EQ(store.droppable_before(), LogIndex{1}) << "one snapshot alone frees nothing";
}

TEST(Snapshots, TheTwoNewestAreKeptAndTheOlderSaysWhatMayBeFreed) {
  SimulatedDisk disk;
  SnapshotStore store = opened(disk);
  for (const std::uint64_t last : {100U, 200U, 300U, 400U}) ASSERT_TRUE(write_snapshot(store, last));
  const auto expect_two = [](const SnapshotStore& found) {
    ASSERT_EQ(found.kept().size(), 2U);
    expect_contents(found, found.kept()[0], 400);
    expect_contents(found, found.kept()[1], 300);
    EXPECT_EQ(found.droppable_before(), LogIndex{301});
  };
  expect_two(store);
  EXPECT_EQ(disk.paths().size(), 2U);
  disk.crash_losing_all();
  expect_two(opened(disk));
}

TEST(Snapshots, APowerCutAtAnyWriteLeavesTheNewestWholeOne) {
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      SimulatedDisk disk;
      std::uint64_t done = 0;
      std::uint64_t writing = 0;
      {
        SnapshotStore store = opened(disk);
        disk.plan(operation, DiskAccident::PowerCut);
        for (const std::uint64_t last : {100U, 200U, 300U}) {
          writing = last;
          if (!write_snapshot(store, last)) break;
          done = last;
        }
        reached = disk.accident_happened();
      }
      Prng prng(seed);
      if (seed == 0) {
        disk.kill();
      } else {
        disk.crash(prng);
      }
      std::vector<std::string> notices;
      auto store = open_store(disk, notices);
      ASSERT_TRUE(store) << store.error().message;
      EXPECT_TRUE(notices.empty()) << notices[0] << " at operation " << operation;
      const std::uint64_t newest = store->kept().empty() ? 0 : store->kept()[0].info.last.last.value;
      EXPECT_TRUE(newest == done || newest == writing) << operation << ": " << newest;
      for (const KeptSnapshot& kept : store->kept()) expect_contents(*store, kept, kept.info.last.last.value);
      if (newest >= 200) {
        EXPECT_EQ(store->kept().size(), 2U);
      }
      for (const std::string& path : disk.paths()) EXPECT_EQ(path.find(".new"), std::string::npos);
    }
    if (!reached) return;
  }
}

TEST(Snapshots, AnyDamageToTheNewestIsNamedAndTheOlderTakesItsPlace) {
  const std::string newest = "d/" + snapshot_name({200});
  SimulatedDisk measure;
  SnapshotStore measured = opened(measure);
  ASSERT_TRUE(write_snapshot(measured, 200));
  const ByteCount size = measure.contents(newest).size();
  for (ByteCount at = 0; at < size; at += 3) {
    SimulatedDisk disk;
    {
      SnapshotStore store = opened(disk);
      ASSERT_TRUE(write_snapshot(store, 100));
      ASSERT_TRUE(write_snapshot(store, 200));
    }
    disk.kill();
    if (at % 2 == 0) {
      disk.flip_bit(newest, at, static_cast<unsigned>(at % 8));
    } else {
      disk.truncate(newest, at);
    }
    std::vector<std::string> notices;
    auto store = open_store(disk, notices);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_EQ(store->kept().size(), 1U) << at;
    expect_contents(*store, store->kept()[0], 100);
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_NE(notices[0].find(newest + " at "), std::string::npos) << notices[0];
    EXPECT_TRUE(disk.exists(newest + ".damaged")) << "renamed, not removed";
    EXPECT_EQ(store->droppable_before(), LogIndex{1});
  }
}

TEST(Snapshots, ASnapshotOfAnotherClusterIsRefused) {
  SimulatedDisk disk;
  SnapshotStore store = opened(disk);
  ASSERT_TRUE(write_snapshot(store, 100));
  std::vector<std::string> notices;
  const auto other = SnapshotStore::open(disk, folder, cluster_id("other"), notices);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, FaultKind::BadData);
}

TEST(Snapshots, NoRoomAtAnyWriteLeavesTheOldOnes) {
  for (std::uint64_t operation = 0;; ++operation) {
    SimulatedDisk disk;
    SnapshotStore store = opened(disk);
    ASSERT_TRUE(write_snapshot(store, 100));
    disk.plan(operation, DiskAccident::NoRoom);
    const Status status = write_snapshot(store, 200);
    if (!disk.accident_happened()) {
      EXPECT_TRUE(status);
      return;
    }
    EXPECT_FALSE(status);
    disk.kill();
    const SnapshotStore again = opened(disk);
    ASSERT_GE(again.kept().size(), 1U);
    expect_contents(again, again.kept().back(), 100);
  }
}

TEST(Snapshots, ADiskThatDoesNotReadBackWhatWasWrittenIsFoundBeforeTheSnapshotCounts) {
  SimulatedDisk disk;
  SnapshotStore store = opened(disk);
  auto writer = store.begin(info_at(100)).value();
  ASSERT_TRUE(writer.add(Bytes(5000, 1)));
  ASSERT_TRUE(writer.finish());
  disk.flip_bit(std::string("d/") + unfinished_snapshot_name, 6000);
  const auto verified = writer.verify_some();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().kind, FaultKind::BadData);
  ASSERT_TRUE(writer.abandon());
  EXPECT_TRUE(disk.paths().empty());
}

TEST(Snapshots, ALargeOneIsReadBackInSteps) {
  SimulatedDisk disk;
  SnapshotStore store = opened(disk);
  auto writer = store.begin(info_at(100)).value();
  for (int k = 0; k < 5; ++k)
    ASSERT_TRUE(writer.add(Bytes(snapshot_chunk_bytes, static_cast<std::uint8_t>(k))));
  ASSERT_TRUE(writer.finish());
  int steps = 1;
  while (!writer.verify_some().value()) ++steps;
  EXPECT_GE(steps, 5);
  ASSERT_TRUE(store.install(writer));
  EXPECT_EQ(verify_snapshot(disk, store.kept()[0].path).value(), disk.contents(store.kept()[0].path).size());
}

TEST(Snapshots, RandomBytesAreNoSnapshot) {
  Prng prng(3);
  for (int k = 0; k < 200; ++k) {
    SimulatedDisk disk;
    Bytes bytes(prng.below(9000));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng());
    auto file = disk.create("d/" + snapshot_name({5})).value();
    ASSERT_TRUE(file->write(0, bytes));
    EXPECT_EQ(verify_snapshot(disk, "d/" + snapshot_name({5})).error().kind, FaultKind::BadData);
  }
}

}  // namespace
}  // namespace cidbus
