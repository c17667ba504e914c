#include "observer/history_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "observer/history_command.h"
#include "observer/history_keeper.h"
#include "shared/io/clock.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

constexpr std::int64_t start = 1'700'000'400;  // a multiple of 60
WallTime at(std::int64_t second) { return {(start + second) * 1000}; }
const SeriesName busy{"w1", "slots_busy"};

struct HistoryFileTest : testing::Test {
  HistoryFile open(ByteCount most = limits::history_file_bytes) {
    auto file = HistoryFile::open(folder, most);
    EXPECT_TRUE(file) << file.error().message;
    return std::move(*file);
  }
  static std::vector<Bucket> read(HistoryFile& file, Resolution resolution, std::int64_t from = 0,
                                  std::int64_t to = 86'400) {
    std::vector<Bucket> found;
    EXPECT_TRUE(file.read(busy, resolution, start + from, start + to,
                          [&](const Bucket& bucket) { found.push_back(bucket); }));
    return found;
  }

  TemporaryFolder temporary;
  const std::string& folder = temporary.path();
};

class QuietLog : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level >= LogLevel::Warning) lines.emplace_back(line);
  }
  std::vector<std::string> lines;
};

TEST_F(HistoryFileTest, WhatWasWrittenInPartsReadsAsOne) {
  History history;
  HistoryFile file = open();
  for (int second = 0; second < 150; ++second) {
    history.add({"w1", "slots_busy", at(second), static_cast<double>(second)});
    if (second % 50 != 49) continue;
    ASSERT_TRUE(file.write(history.changed_since(span_start(start + second - 49, Resolution::Minute))));
  }
  EXPECT_EQ(read(file, Resolution::Second).size(), 150U);
  EXPECT_EQ(read(file, Resolution::Second, 70, 72).front().last, 70);
  const auto minutes = read(file, Resolution::Minute);
  ASSERT_EQ(minutes.size(), 3U);
  EXPECT_EQ(minutes[1].sum, history.range(busy, Resolution::Minute, start + 60, start + 120)[0].sum);
  const auto hours = read(file, Resolution::Hour, -3600);
  ASSERT_EQ(hours.size(), 1U);
  EXPECT_EQ(hours[0].count, 150U);
}

TEST_F(HistoryFileTest, ARowIsReplacedOnlyByOneThatHoldsAsMuch) {
  HistoryFile file = open();
  Bucket whole = bucket_of(start, 1);
  whole.add(2);
  ASSERT_TRUE(file.write({{busy, {{start, 1}, {start + 1, 2}}, {whole}, {}}}));
  ASSERT_TRUE(file.write({{busy, {{start + 1, 9}}, {bucket_of(start, 9)}, {}}}));
  EXPECT_EQ(read(file, Resolution::Second).size(), 2U);
  EXPECT_EQ(read(file, Resolution::Minute)[0].count, 2U);
}

TEST_F(HistoryFileTest, StaysBelowItsSizeAndLosesTheOldestSecondsFirst) {
  HistoryFile file = open(limits::history_file_least);
  for (std::int64_t minute = 0; minute < 300; ++minute) {
    std::vector<SeriesPart> parts;
    for (int node = 0; node < 20; ++node) {
      SeriesPart part{
          {"w" + std::to_string(node), "slots_busy"}, {}, {bucket_of(start + minute * 60, 1)}, {}};
      for (int second = 0; second < 60; ++second) part.seconds.push_back({start + minute * 60 + second, 1});
      parts.push_back(std::move(part));
    }
    ASSERT_TRUE(file.write(parts));
  }
  EXPECT_LT(std::filesystem::file_size(folder + "/history.sqlite"), limits::history_file_least * 3 / 2);
  EXPECT_TRUE(read(file, Resolution::Second, 0, 3600).empty());
  EXPECT_EQ(read(file, Resolution::Second, 299 * 60, 300 * 60).size(), 60U);
  EXPECT_EQ(read(file, Resolution::Minute).size(), 300U) << "minutes are kept longer";
}

TEST_F(HistoryFileTest, DropsWhatIsOlderThanItKeeps) {
  HistoryFile file = open();
  ASSERT_TRUE(file.write({{busy, {{start, 1}}, {bucket_of(start, 1)}, {bucket_of(start, 1)}}}));
  ASSERT_TRUE(file.drop_old(at(2 * 86'400)));
  EXPECT_TRUE(read(file, Resolution::Second).empty());
  EXPECT_EQ(read(file, Resolution::Minute).size(), 1U);
  ASSERT_TRUE(file.drop_old(at(800 * 86'400)));
  EXPECT_TRUE(file.list()->empty());
}

// A window of an hour, six days ago: its seconds are gone, and its minutes are there.
TEST_F(HistoryFileTest, AShortWindowOfLongAgoIsToldInWhatIsLeftOfIt) {
  {
    HistoryFile file = open();
    EXPECT_EQ(*file.kept_since(), (KeptSince{nothing_kept, nothing_kept, nothing_kept}));
    SeriesPart part{busy, {{start + 6 * 86'400, 1}}, {}, {}};
    for (std::int64_t minute = 0; minute < 60; ++minute)
      part.minutes.push_back(bucket_of(start + minute * 60, 1));
    ASSERT_TRUE(file.write({part}));
    EXPECT_EQ(*file.kept_since(), (KeptSince{start + 6 * 86'400, start, nothing_kept}));
  }
  const std::string from = to_rfc3339(at(0)).substr(0, 19) + "Z";
  const std::string to = to_rfc3339(at(3600)).substr(0, 19) + "Z";
  const std::vector<const char*> words{"cidbus-observer", "history",    "export", "--data",  folder.c_str(),
                                       "--from",          from.c_str(), "--to",   to.c_str()};
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_history_command(static_cast<int>(words.size()), words.data()), 0);
  const std::string told = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 61) << "a heading and 60 minutes:\n" << told;
}

TEST_F(HistoryFileTest, WhatIsNoHistoryIsRefusedAndLeftAlone) {
  EXPECT_EQ(HistoryFile::open_read_only(folder).error().kind, FaultKind::NotFound);
  std::ofstream(folder + "/history.sqlite") << std::string(8192, 'x');
  const auto opened = HistoryFile::open(folder, limits::history_file_bytes);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, FaultKind::BadData);
  EXPECT_EQ(std::filesystem::file_size(folder + "/history.sqlite"), 8192U);
}

TEST_F(HistoryFileTest, KnowsWhatSinksWereToldOfAnAlert) {
  Alert untold{"a1", "busy", "w1", "load", AlertLevel::Warning, 1, "text", at(0)};
  Alert worse = untold;
  worse.id = "a2";
  Alert over = untold;
  over.id = "a3";
  Alert done = untold;
  done.id = "a4";
  {
    HistoryFile file = open();
    for (const Alert* alert : {&untold, &worse, &over, &done})
      ASSERT_TRUE(file.write({}, {{{AlertChange::Raised, *alert, at(0)}, false}}));
    for (const Alert* alert : {&worse, &over, &done})
      ASSERT_TRUE(file.write({}, {{{AlertChange::Raised, *alert, at(0)}, true}}));
    worse.level = AlertLevel::Critical;
    ASSERT_TRUE(file.write({}, {{{AlertChange::Worsened, worse, at(1)}, false}}));
    for (const Alert* alert : {&over, &done})
      ASSERT_TRUE(file.write({}, {{{AlertChange::Resolved, *alert, at(2)}, false}}));
    ASSERT_TRUE(file.write({}, {{{AlertChange::Resolved, done, at(2)}, true}}));
  }
  HistoryFile file = open();
  const auto left = file.left_alerts();
  ASSERT_TRUE(left) << left.error().message;
  ASSERT_EQ(left->size(), 3U) << "of the last one all is done";
  EXPECT_EQ(left->at(0).told, std::nullopt);
  EXPECT_EQ(left->at(1).told, AlertLevel::Warning);
  EXPECT_EQ(left->at(1).past.alert.level, AlertLevel::Critical);
  EXPECT_EQ(left->at(2).told, AlertLevel::Warning);
  EXPECT_EQ(left->at(2).past.resolved_at, at(2));
  ASSERT_TRUE(file.drop_old(at(40 * 86'400)));
  EXPECT_EQ(file.alerts(true)->size(), 2U) << "those that are raised";
}

TEST_F(HistoryFileTest, TheKeeperGivesBackWhatAnEarlierOneWasGiven) {
  const Now now = read_clock();
  QuietLog log;
  History before;
  {
    auto keeper = HistoryKeeper::open(folder, limits::history_file_bytes, now, before, log);
    ASSERT_TRUE(keeper);
    EXPECT_EQ(HistoryKeeper::open(folder, limits::history_file_bytes, now, before, log).error().kind,
              FaultKind::TryAgain)
        << "one process keeps it";
    for (int second = -20; second < 0; ++second)
      before.add({"w1", "slots_busy", now.wall + std::chrono::seconds(second), 7});
  }
  History after;
  auto keeper = HistoryKeeper::open(folder, limits::history_file_bytes, now, after, log);
  ASSERT_TRUE(keeper);
  EXPECT_EQ(after.names(), before.names());
  const std::int64_t second = now.wall.milliseconds / 1000;
  for (const Resolution resolution : {Resolution::Second, Resolution::Minute, Resolution::Hour})
    EXPECT_EQ(after.range(busy, resolution, 0, second + 60).size(),
              before.range(busy, resolution, 0, second + 60).size());
  EXPECT_TRUE(log.lines.empty());
}

}  // namespace
}  // namespace cidbus
