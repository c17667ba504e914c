#include "leecher/outbox_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>

#include "shared/base/prng.h"
#include "shared/io/posix_file_system.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

class OutboxOnDisk : public testing::Test {
 protected:
  void open() {
    outbox_ = {};
    auto opened = OutboxFile::open(files_, folder_.path(), outbox_);
    ASSERT_TRUE(opened) << opened.error().message;
    file_ = *std::move(opened);
    outbox_.check_invariants();
  }
  TaskId queue(std::uint64_t seq) {
    const TaskId name = outbox_.queue({1000}, {}, {seq, "echo", {}, as_bytes("work")}, "key");
    file_->append_changes(outbox_);
    return name;
  }
  void await(std::uint64_t number) {
    while (true) {
      const auto synced = file_->take_synced();
      ASSERT_TRUE(synced) << synced.error().message;
      if (*synced >= number) return;
      pollfd entry{file_->descriptor(), POLLIN, 0};
      ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
    }
  }
  static constexpr std::size_t seal_size = 18;
  [[nodiscard]] std::string path() const { return folder_.path() + "/outbox"; }
  Bytes content() {
    auto file = *files_.open(path());
    Bytes bytes(*file->size());
    EXPECT_TRUE(file->read(0, bytes));
    return bytes;
  }

  TestFolder folder_;
  PosixFileSystem files_;
  Outbox outbox_;
  std::unique_ptr<OutboxFile> file_;
};

TEST_F(OutboxOnDisk, HasAfterARestartWhatItSaidWasSynced) {
  open();
  queue(1);
  outbox_.hand_in({2000}, queue(2), {7});
  file_->append_changes(outbox_);
  queue(3);
  await(3);
  const auto image = outbox_.image();
  file_.reset();
  open();
  EXPECT_EQ(outbox_.image(), image);
}

TEST_F(OutboxOnDisk, LosesNothingThatWasWholeHoweverItsEndWasTorn) {
  open();
  std::vector<std::size_t> whole{content().size() - seal_size};
  for (std::uint64_t seq = 1; seq <= 4; ++seq) {
    queue(seq);
    await(seq);
    whole.push_back(content().size() - seal_size);
  }
  const Bytes all = content();
  Prng chance(3);
  for (std::size_t length = whole[0]; length <= whole.back(); ++length) {
    file_.reset();
    Bytes torn(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length));
    for (std::size_t rubbish = chance.between(0, 20); rubbish > 0; --rubbish)
      torn.push_back(static_cast<std::uint8_t>(chance()));
    ASSERT_TRUE((*files_.create(path()))->write(0, torn));
    open();
    const auto entries = std::upper_bound(whole.begin(), whole.end(), length) - whole.begin() - 1;
    EXPECT_EQ(outbox_.counts().waiting, static_cast<std::size_t>(entries)) << length;
  }
}

TEST_F(OutboxOnDisk, RefusesDamageAndLeavesTheFileAsItIs) {
  open();
  const std::size_t first = content().size() - seal_size;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) queue(seq);
  await(3);
  file_.reset();
  const Bytes all = content();
  std::vector<Bytes> damaged{Bytes(), Bytes(all.begin(), all.begin() + 5), Bytes(500, 0xa7)};
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{9}, first, first + 5, first + 20, all.size() - seal_size - 1}) {
    damaged.push_back(all);
    damaged.back()[at] ^= 0xff;
  }
  for (const Bytes& bytes : damaged) {
    ASSERT_TRUE((*files_.create(path()))->write(0, bytes));
    const auto opened = OutboxFile::open(files_, folder_.path(), outbox_ = {});
    ASSERT_FALSE(opened) << bytes.size();
    EXPECT_EQ(opened.error().kind, FaultKind::BadData);
    EXPECT_THAT(opened.error().message, testing::HasSubstr("damaged"));
    EXPECT_EQ(content(), bytes);
  }
}

TEST_F(OutboxOnDisk, TellsHowMuchOfItsEndWasTorn) {
  open();
  queue(1);
  await(1);
  EXPECT_EQ(file_->torn(), 0);
  file_.reset();
  const Bytes all = content();
  ASSERT_TRUE((*files_.create(path()))->write(0, ByteView(all).first(all.size() - seal_size - 3)));
  open();
  EXPECT_GT(file_->torn(), 0);
  EXPECT_EQ(outbox_.counts().waiting, 0);
}

TEST_F(OutboxOnDisk, RefusesAFileThatContradictsItself) {
  open();
  queue(1);
  await(1);
  file_.reset();
  Bytes twice = content();
  const Bytes once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  ASSERT_TRUE((*files_.create(path()))->write(0, twice));
  const auto opened = OutboxFile::open(files_, folder_.path(), outbox_ = {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, FaultKind::BadData);
}

}  // namespace
}  // namespace cidbus
