#include "broker/tasks/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/tasks/name_service.h"
#include "broker/tasks/snapshot.h"
#include "broker/tasks/test_support.h"
#include "shared/base/limits/names.h"

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Bytes cid{1, 2, 3};

NameRecord record(std::string_view name,
                  std::vector<std::pair<std::string_view, std::string_view>> tags = {}) {
  return {name, cid, std::move(tags)};
}

std::vector<std::string> names(const Catalogue& catalogue, const FindContent& question) {
  std::vector<std::string> found;
  for (const ContentName& entry : catalogue.find(question).entries) found.emplace_back(entry.name);
  return found;
}

TEST(CatalogueTest, NamesAreFoundByPatternAndByAllOfTheTagsAskedFor) {
  Catalogue catalogue;
  catalogue.set(record("holiday/2025", {{"year", "2025"}, {"kind", "photo"}}), {1});
  catalogue.set(record("holiday/2026", {{"year", "2026"}, {"kind", "photo"}}), {2});
  catalogue.set(record("report", {{"year", "2026"}}), {3});
  EXPECT_THAT(names(catalogue, {{}, "", {}, "", 10}), ElementsAre("holiday/2025", "holiday/2026", "report"));
  EXPECT_THAT(names(catalogue, {{}, "holiday*", {}, "", 10}), ElementsAre("holiday/2025", "holiday/2026"));
  EXPECT_THAT(names(catalogue, {{}, "*2026", {}, "", 10}), ElementsAre("holiday/2026"));
  EXPECT_THAT(names(catalogue, {{}, "", {{"year", "2026"}}, "", 10}), ElementsAre("holiday/2026", "report"));
  EXPECT_THAT(names(catalogue, {{}, "", {{"year", "2026"}, {"kind", "photo"}}, "", 10}),
              ElementsAre("holiday/2026"));
  EXPECT_THAT(names(catalogue, {{}, "nothing", {}, "", 10}), IsEmpty());
}

TEST(CatalogueTest, ANameGivenAgainReplacesWhatItNamedAndOneTakenOffIsGone) {
  Catalogue catalogue;
  catalogue.set(record("a", {{"k", "v"}}), {1});
  const Bytes other{9};
  catalogue.set({"a", other, {}}, {2});
  EXPECT_EQ(catalogue.size(), 1U);
  EXPECT_TRUE(equal(catalogue.find("a")->cid, other));
  EXPECT_THAT(catalogue.find("a")->tags, IsEmpty());
  catalogue.set({"a", {}, {}}, {3});
  EXPECT_EQ(catalogue.size(), 0U);
  EXPECT_EQ(catalogue.bytes(), 0U);
}

TEST(CatalogueTest, AnswersComeInPagesOfBoundedWorkThatTogetherAreAll) {
  Catalogue catalogue;
  const std::size_t count = limits::names_looked_at * 2 + 7;
  for (std::size_t i = 0; i < count; ++i) catalogue.set(record("n" + std::to_string(i), {{"k", "v"}}), {1});
  for (const std::uint32_t limit : {100U, 4096U}) {
    std::size_t found = 0;
    std::string after;
    do {
      const auto page = catalogue.find({{}, "n*", {{"k", "v"}}, after, limit});
      EXPECT_LE(page.entries.size(), limit);
      found += page.entries.size();
      after = page.next;
    } while (!after.empty());
    EXPECT_EQ(found, count);
  }
  const auto none = catalogue.find({{}, "n*", {{"k", "other"}}, "", 100});
  EXPECT_THAT(none.entries, IsEmpty());
  EXPECT_NE(none.next, "");
}

TEST(CatalogueTest, APatternThatIsHardToMatchLooksAtFewerNames) {
  Catalogue catalogue;
  const std::string name(limits::content_name_bytes - 4, 'a');
  for (int i = 0; i < 1000; ++i) catalogue.set(record(name + std::to_string(1000 + i)), {1});
  const std::string pattern = "*" + std::string(limits::content_name_bytes / 2, 'a') + "b";
  const auto page = catalogue.find({{}, pattern, {}, "", 4096});
  EXPECT_THAT(page.entries, IsEmpty());
  EXPECT_LT(page.next, name + "1200");
  EXPECT_NE(page.next, "");
}

TEST(CatalogueTest, AnAnswerIsNoLargerThanAMessageMayBe) {
  Catalogue catalogue;
  const std::string value(limits::content_name_bytes, 'v');
  NameRecord large = record("");
  for (std::size_t i = 0; i < limits::tags_a_name; ++i) large.tags.emplace_back("k", value);
  std::string name;
  for (int i = 0; i < 1000; ++i) {
    name = "n" + std::to_string(i);
    large.name = name;
    catalogue.set(large, {1});
  }
  const auto page = catalogue.find({{}, "", {}, "", 4096});
  EXPECT_LT(page.entries.size() * limits::tags_a_name * value.size(), 2 * limits::names_answer_bytes);
  EXPECT_NE(page.next, "");
}

TEST(CatalogueTest, SaysWhenItIsFullAndStillReplacesAndForgets) {
  Catalogue catalogue;
  std::size_t given = 0;
  for (; catalogue.has_room(record("n" + std::to_string(given)), 0); ++given)
    catalogue.set(record("n" + std::to_string(given)), {1});
  EXPECT_LE(catalogue.bytes(), limits::content_names_bytes);
  EXPECT_LE(given, limits::content_names);
  EXPECT_TRUE(catalogue.has_room({"n1", {}, {}}, 0));
}

TEST(CatalogueTest, StandsInTheSnapshotAndInTheDigest) {
  testing_tasks::Journal journal;
  const Digest before = journal.state.digest();
  journal.write(RecordType::Name, record("a", {{"k", "v"}}));
  journal.write(RecordType::Name, record("b"));
  EXPECT_NE(journal.state.digest(), before);
  StateMachine loaded;
  SnapshotLoader loader(loaded);
  ASSERT_TRUE(loader.load(testing_tasks::whole_snapshot(journal.state)));
  ASSERT_TRUE(loader.finish());
  EXPECT_EQ(loaded.digest(), journal.state.digest());
  EXPECT_EQ(loaded.catalogue().find("a")->tags.size(), 1U);
  EXPECT_EQ(loaded.catalogue().bytes(), journal.state.catalogue().bytes());
}

// Applies what is proposed when told to, and keeps what is sent.
class NameServiceTest : public testing::Test, protected Output {
 protected:
  NameServiceTest() { service_.take_office(state_); }
  LogIndex propose(RecordType type, ByteView payload, Urgency) override {
    proposed_.emplace_back(type, to_bytes(payload));
    return {state_.applied().value + proposed_.size()};
  }
  void send(Peer peer, const Message& message) override {
    std::string line = std::to_string(static_cast<int>(peer)) + " " + std::string(name_of(message));
    if (const auto* found = std::get_if<ContentNames>(&message)) {
      for (const auto& entry : found->entries) line += " " + std::string(entry.name);
    }
    sent_.push_back(std::move(line));
  }
  void event(const TaskEvent&) override {}
  void apply_all() {
    Changes changes;
    for (const auto& [type, payload] : std::exchange(proposed_, {}))
      state_.apply(next(state_.applied()), {1}, type, payload, changes);
    service_.on_applied(state_.applied());
  }
  void name(std::string_view text, int peer = 1, ByteView to = cid) {
    service_.on_message(static_cast<Peer>(peer), NameContent{{1}, {text, to, {}, {}}});
  }

  StateMachine state_;
  NameService service_{*this};
  std::vector<std::pair<RecordType, Bytes>> proposed_;
  std::vector<std::string> sent_;
};

TEST_F(NameServiceTest, TellsOfANameOnceItIsApplied) {
  name("a");
  EXPECT_THAT(sent_, IsEmpty());
  apply_all();
  EXPECT_THAT(sent_, ElementsAre("1 contentNames a"));
  name("a", 2, {});
  apply_all();
  EXPECT_EQ(sent_.back(), "2 contentNames");
}

TEST_F(NameServiceTest, TellsNobodyElseWhenTheAskerIsGone) {
  name("a");
  service_.on_peer_gone(static_cast<Peer>(1));
  apply_all();
  EXPECT_THAT(sent_, ElementsAre("0 contentNames a"));
}

TEST_F(NameServiceTest, RefusesAtItsBoundsAndWhileTheDiskIsFull) {
  for (std::size_t i = 0; i < limits::names_on_the_way; ++i) name("n" + std::to_string(i));
  name("more");
  EXPECT_THAT(sent_, ElementsAre("1 refused"));
  apply_all();
  sent_.clear();
  service_.admit(false, "full");
  name("more");
  EXPECT_THAT(sent_, ElementsAre("1 refused"));
  name("n1", 1, {});
  apply_all();
  EXPECT_EQ(sent_.back(), "1 contentNames");
}

}  // namespace
}  // namespace cidbus
