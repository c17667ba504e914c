#include "shared/io/allow_list.h"

#include <gmock/gmock.h>

#include "shared/base/limits/keys.h"
#include "shared/base/prng.h"
#include "shared/io/key_file.h"

namespace cidbus {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string key() { return make_key_pair().public_key; }

std::string refusal(const std::string& text) {
  const auto list = AllowList::parse(text, "allow");
  if (list) return "taken";
  EXPECT_EQ(list.error().kind, FaultKind::BadData);
  EXPECT_THAT(list.error().message, Not(HasSubstr("\n")));
  return list.error().message;
}

TEST(AllowLists, SayWhoseAKeyIsAndWhatItIsFor) {
  const std::string w1 = key();
  const std::string anna = key();
  const auto list = AllowList::parse(
      "# our keys\n\nw1 worker " + w1 + "\r\n  anna\tclient,observer  " + anna + "   # at the window\n",
      "allow");
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->holders().size(), 2U);
  const KeyHolder* const holder = list->find(anna);
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->name, "anna");
  EXPECT_EQ(holder->roles, (RoleSet{Role::Client, Role::Observer}));
  EXPECT_EQ(list->find(w1)->name, "w1");
  EXPECT_EQ(list->find(key()), nullptr);
  EXPECT_EQ(list->find(""), nullptr);
}

TEST(AllowLists, AreFoundWhereverTheyAreMovedTo) {
  const std::string w1 = key();
  auto list = AllowList::parse("w1 worker " + w1, "allow");
  ASSERT_TRUE(list);
  const AllowList moved = std::move(*list);
  ASSERT_NE(moved.find(w1), nullptr);
  EXPECT_EQ(moved.find(w1)->name, "w1");
}

TEST(AllowLists, NameTheLineThatMakesNoSense) {
  const std::string good = "w1 worker " + key() + "\n";
  EXPECT_THAT(refusal(good + "w2 worker\n"), HasSubstr("allow line 2 is not NAME"));
  EXPECT_THAT(refusal("w1\n"), HasSubstr("line 1"));
  EXPECT_THAT(refusal("w1 worker " + key() + " and more\n"), HasSubstr("line 1 is not NAME"));
  EXPECT_THAT(refusal("w1 boss " + key()), HasSubstr("names no role"));
  EXPECT_THAT(refusal("w1 worker,, " + key()), HasSubstr("names no role"));
  EXPECT_THAT(refusal("w1 worker " + key().substr(1)), HasSubstr("has no key"));
  EXPECT_THAT(refusal("w1 worker " + std::string(40, '~')), HasSubstr("has no key"));
  EXPECT_THAT(refusal("w1 worker " + std::string(40, '#')), HasSubstr("has no key")) << "over 32 bytes";
  EXPECT_THAT(refusal("w/1 worker " + key()), HasSubstr("no good name"));
  EXPECT_THAT(refusal(std::string(limits::key_name_length + 1, 'n') + " worker " + key()),
              HasSubstr("no good name"));
}

TEST(AllowLists, HoldAKeyOnce) {
  const std::string w1 = key();
  EXPECT_THAT(refusal("w1 worker " + w1 + "\n\nw2 worker " + w1), HasSubstr("line 3 has the key of line 1"));
}

TEST(AllowLists, GiveANameSeveralKeysSoThatOneCanFollowTheOther) {
  EXPECT_TRUE(AllowList::parse("b1 master " + key() + "\nb1 master " + key(), "allow"));
}

TEST(AllowLists, LetNobodysClientsBeTakenForAnotherNode) {
  EXPECT_THAT(refusal("db.example worker " + key() + "\ndb worker " + key()), HasSubstr("'db.example'"));
  EXPECT_EQ(refusal("db-example worker " + key() + "\ndb worker " + key()), "taken");
}

TEST(AllowLists, AreBounded) {
  EXPECT_THAT(refusal(std::string(limits::allow_list_bytes + 1, '\n')), HasSubstr("over 1 MiB"));
}

TEST(AllowLists, SurviveWhateverTheyAreGiven) {
  Prng prng(17);
  const std::string good = "# x\nw1 worker,client " + key() + "\nb1 master " + key() + " # y\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (std::uint64_t change = prng.below(6); change > 0; --change) {
      const auto place = prng.below(text.size());
      if (prng.below(3) == 0)
        text.erase(place, prng.below(9));
      else
        text[place] = static_cast<char>(prng.below(256));
      if (text.empty()) text = " ";
    }
    const auto list = AllowList::parse(text, "allow");
    if (!list) {
      ASSERT_EQ(list.error().kind, FaultKind::BadData);
      continue;
    }
    for (const KeyHolder& holder : list->holders()) {
      ASSERT_TRUE(is_key(holder.key));
      ASSERT_TRUE(is_valid_name(holder.name));
      ASSERT_FALSE(holder.roles.empty());
    }
  }
}

TEST(KeyHolders, SpeakUnderTheirNameAndTheirClientsNames) {
  const KeyHolder w1{key(), "w1", {Role::Worker}};
  EXPECT_TRUE(w1.may_speak_as("w1", Role::Worker));
  EXPECT_TRUE(w1.may_speak_as("w1.f3", Role::Client));
  EXPECT_FALSE(w1.may_speak_as("w1.f3", Role::Worker));
  EXPECT_FALSE(w1.may_speak_as("w2", Role::Worker));
  EXPECT_FALSE(w1.may_speak_as("w12", Role::Client));
  EXPECT_FALSE(w1.may_speak_as("w1", Role::Observer));
  const KeyHolder watch{key(), "watch", {Role::Observer}};
  EXPECT_TRUE(watch.may_speak_as("watch", Role::Observer));
  EXPECT_FALSE(watch.may_speak_as("watch", Role::Client))
      << "an observer reads no content and submits nothing";
  EXPECT_FALSE(watch.is_named("watch.f1"));
  const KeyHolder nobody;
  EXPECT_FALSE(nobody.is_named(""));
  EXPECT_FALSE(nobody.may_speak_as("", Role::Client));
}

}  // namespace
}  // namespace cidbus
