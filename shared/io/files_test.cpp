#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "shared/io/mailbox.h"
#include "shared/io/posix_file_system.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  PosixFileSystem files_;
  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.path();
};

TEST_F(PosixFileSystemTest, PartsAreWrittenOneAfterAnotherAndReadBack) {
  auto file = files_.create(path("a")).value();
  std::vector<Bytes> owned;
  std::vector<ByteView> parts;
  Bytes whole;
  for (std::size_t k = 0; k < 200; ++k) {  // more parts than one system call takes, empty ones among them
    owned.emplace_back(k % 7, static_cast<std::uint8_t>(k));
    whole.insert(whole.end(), owned.back().begin(), owned.back().end());
  }
  parts.assign(owned.begin(), owned.end());
  ASSERT_TRUE(file->write(10, parts));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 10 + whole.size());
  Bytes read(whole.size() + 50);
  EXPECT_EQ(file->read(0, std::span(read).first(10)).value(), 10U);
  EXPECT_EQ(read[9], 0);
  EXPECT_EQ(file->read(10, read).value(), whole.size());
  read.resize(whole.size());
  EXPECT_EQ(read, whole);
  EXPECT_EQ(file->read(1 << 20, read).value(), 0U);
}

TEST_F(PosixFileSystemTest, RoomTakenAheadReadsAsZeros) {
  auto file = files_.create(path("a")).value();
  ASSERT_TRUE(file->write(0, as_bytes("head")));
  ASSERT_TRUE(file->preallocate(8192));
  EXPECT_EQ(file->size().value(), 8192U);
  Bytes read(8192, 1);
  EXPECT_EQ(file->read(0, read).value(), 8192U);
  EXPECT_EQ(as_text(ByteView(read).first(4)), "head");
  EXPECT_EQ(read[8191], 0);
  ASSERT_TRUE(file->resize(100));
  EXPECT_EQ(file->size().value(), 100U);
}

TEST_F(PosixFileSystemTest, NamesAreListedSortedRenamedAndRemoved) {
  ASSERT_TRUE(files_.create_directory(path("one/two")));
  ASSERT_TRUE(files_.create_directory(path("one/two")));
  for (const char* name : {"one/b", "one/a", "one/c"}) ASSERT_TRUE(files_.create(path(name)));
  EXPECT_EQ(files_.list(path("one")).value(), (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_TRUE(files_.rename(path("one/a"), path("one/c")));
  ASSERT_TRUE(files_.remove(path("one/b")));
  ASSERT_TRUE(files_.sync_directory(path("one")));
  EXPECT_EQ(files_.list(path("one")).value(), (std::vector<std::string>{"c"}));
}

TEST_F(PosixFileSystemTest, FaultsSayWhatToDoByTheirKind) {
  EXPECT_EQ(files_.open(path("none")).error().kind, FaultKind::NotFound);
  EXPECT_EQ(files_.list(path("none")).error().kind, FaultKind::NotFound);
  EXPECT_EQ(files_.remove(path("none")).error().kind, FaultKind::NotFound);
  ASSERT_TRUE(files_.create(path("file")));
  EXPECT_EQ(files_.create_directory(path("file/below")).error().kind, FaultKind::NotFound);
  if (::geteuid() != 0) {
    ASSERT_EQ(::chmod(folder_.c_str(), 0500), 0);
    EXPECT_EQ(files_.create(path("no")).error().kind, FaultKind::NotAllowed);
    ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
  }
}

// /dev/full answers every write with ENOSPC.
TEST_F(PosixFileSystemTest, AFullDiskIsToldApartFromABrokenOne) {
  auto file = files_.open("/dev/full").value();
  const Status status = file->write(0, as_bytes("x"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, FaultKind::TryAgain);
  EXPECT_NE(status.error().message.find("free some room"), std::string::npos);
}

// A pipe cannot be synced or written at an offset: the nearest a test can come to a disk that fails.
TEST_F(PosixFileSystemTest, AFileWhoseSyncFailedNeverSyncsAgain) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  auto file = files_.open(path("pipe")).value();
  const Status first = file->sync();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, FaultKind::Failed);
  EXPECT_EQ(file->sync().error().message, first.error().message);
  EXPECT_EQ(file->write(0, as_bytes("x")).error().message, first.error().message);
}

TEST_F(PosixFileSystemTest, AFolderIsLockedOnceAndTheHolderIsNamed) {
  auto lock = files_.lock(folder_);
  ASSERT_TRUE(lock);
  const auto second = files_.lock(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, FaultKind::TryAgain);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())), std::string::npos);
  lock.value().reset();
  EXPECT_TRUE(files_.lock(folder_));
}

TEST_F(PosixFileSystemTest, SpaceIsThatOfTheFileSystem) {
  const DiskSpace space = files_.space(folder_).value();
  EXPECT_GT(space.capacity, 0U);
  EXPECT_LE(space.free, space.capacity);
}

TEST(Mailbox, HandsOverEveryValueInOrderAndItsDescriptorTellsOfThem) {
  Mailbox<int> box;
  EXPECT_FALSE(box.wait(std::chrono::milliseconds(0)));
  EXPECT_TRUE(box.take_all().empty());
  constexpr int count = 20'000;
  std::thread sender([&box] {
    for (int k = 0; k < count; ++k) box.push(k);
  });
  std::vector<int> got;
  while (got.size() < count) {
    ASSERT_TRUE(box.wait());
    for (const int value : box.take_all()) got.push_back(value);
  }
  sender.join();
  for (int k = 0; k < count; ++k) ASSERT_EQ(got[static_cast<std::size_t>(k)], k);
  box.take_all();
  EXPECT_FALSE(box.wait(std::chrono::milliseconds(0)));
}

}  // namespace
}  // namespace cidbus
