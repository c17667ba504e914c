#include "broker/tool/journal_tool.h"

#include <gtest/gtest.h>

#include "broker/tasks/records.h"
#include "tests/support/disk_rig.h"

namespace cidbus {
namespace {

using namespace journal_test;

// The folder of a broker, written by a real one's options (the tool knows no others), and closed in order.
class JournalTool : public testing::Test {
 protected:
  JournalTool() : all_(make_batches({}, 30, 100)) { live("data", "b1"); }

  void live(const std::string& folder, const std::string& name) {
    DataDirectoryOptions options;
    options.folder = folder;
    options.cluster = "kitchen";
    options.node = name;
    options.fresh_incarnation = {{static_cast<std::uint8_t>(name.back())}};
    options.marks.reserve_bytes = 1 << 20;
    auto directory = DataDirectory::open(files_, options);
    ASSERT_TRUE(directory) << directory.error().message;
    ASSERT_TRUE(directory->journal().append(as_new(all_)));
    ASSERT_TRUE(directory->journal().close());
  }
  void damage(const std::string& folder, unsigned place) {
    const std::string path = folder + "/journal/segment-0000000001";
    const Bytes head = files_.contents(path);
    const auto identifier =
        decode_identifier(ByteView(head).subspan(identifier_offset(place), identifier_bytes)).found;
    ASSERT_TRUE(identifier);
    files_.flip_bit(path, identifier->offset + 50);
  }
  PrintLine print() {
    return [this](const std::string& line) { lines_.push_back(line); };
  }
  [[nodiscard]] std::size_t lines_with(const std::string& text) const {
    std::size_t count = 0;
    for (const std::string& line : lines_) count += line.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

  SimulatedDisk files_;
  std::vector<BatchBytes> all_;
  std::vector<std::string> lines_;
};

TEST_F(JournalTool, VerifyingAWholeJournalSaysSoAndChangesNothing) {
  const std::uint64_t before = files_.operations();
  EXPECT_TRUE(verify_journal(files_, "data", print()));
  EXPECT_EQ(files_.operations(), before);
  EXPECT_EQ(lines_with("journal: whole, records 1 to 60"), 1U) << lines_.back();
}

TEST_F(JournalTool, VerifyingNamesEachDamageByFileOffsetAndRecords) {
  damage("data", 3);
  damage("data", 9);
  const Status verified = verify_journal(files_, "data", print());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().kind, FaultKind::BadData);
  EXPECT_EQ(lines_with("checksum does not fit (damaged)"), 2U);
  EXPECT_EQ(lines_with("segment-0000000001 at "), 2U);
}

TEST_F(JournalTool, DumpGivesALineARecordAndNamesWhatIsDamagedInItsPlace) {
  ASSERT_TRUE(dump_journal(files_, "data", {1}, {~0ULL}, print()));
  EXPECT_EQ(lines_.size(), 60U);
  EXPECT_EQ(lines_.front().substr(0, 10), "1 epoch=1 ");
  lines_.clear();
  ASSERT_TRUE(dump_journal(files_, "data", {7}, {9}, print()));
  EXPECT_EQ(lines_.size(), 3U);
  damage("data", 0);
  lines_.clear();
  EXPECT_FALSE(dump_journal(files_, "data", {1}, {~0ULL}, print()));
  EXPECT_EQ(lines_.size(), 60U) << "one line for the batch of one record";
  EXPECT_EQ(lines_with("damaged"), 1U);
}

TEST_F(JournalTool, RepairPutsBackExactlyWhatIsDamagedFromACopy) {
  live("copy", "b2");
  damage("data", 3);
  damage("data", 9);
  damage("copy", 9);
  const Status partly = repair_journal(files_, "data", "copy", print());
  ASSERT_FALSE(partly);
  EXPECT_NE(partly.error().message.find("another broker"), std::string::npos);
  EXPECT_EQ(lines_with("1 of 2 damaged batches put back"), 1U);
  live("third", "b3");
  EXPECT_TRUE(repair_journal(files_, "data", "third", print()));
  lines_.clear();
  EXPECT_TRUE(verify_journal(files_, "data", print()));
}

TEST_F(JournalTool, CutKeepsWhatReadsWithoutAGapAndTheOldFilesToo) {
  damage("data", 12);
  EXPECT_TRUE(cut_journal(files_, "data", print()));
  EXPECT_EQ(lines_with("are lost"), 1U);
  EXPECT_TRUE(files_.exists("data/journal/segment-0000000001.damaged"));
  lines_.clear();
  EXPECT_TRUE(dump_journal(files_, "data", {1}, {~0ULL}, print()));
  EXPECT_EQ(lines_.size(), peek_batch_header(*all_[11])->last().value);
  EXPECT_TRUE(verify_journal(files_, "data", print()));
}

TEST_F(JournalTool, AFolderThatIsNoBrokersIsWrongUsage) {
  const Status refused = verify_journal(files_, "nowhere", print());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, FaultKind::BadUsage);
}

}  // namespace
}  // namespace cidbus
