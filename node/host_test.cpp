#include <gmock/gmock.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "node/greeting.h"
#include "node/identity.h"
#include "node/role_words.h"
#include "node/stage.h"
#include "shared/io/hosted_role.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ---- the words of a role

TEST(RoleWords, EachRoleIsGivenTheFlagsThatItKnows) {
  const auto words = check_role_words(
      {"--slots", "4", "--http=127.0.0.1:8081", "--no-preempt", "--exchange", "127.0.0.1:9"});
  ASSERT_TRUE(words) << words.error().message;
  const auto words_of = [&](Role role) { return words_of_role(role, *words, {role}); };
  EXPECT_THAT(words_of(Role::Worker), ElementsAre("--slots=4", "--exchange=127.0.0.1:9"));
  EXPECT_THAT(words_of(Role::Gateway), ElementsAre("--http=127.0.0.1:8081"));
  EXPECT_THAT(words_of(Role::Master), ElementsAre("--no-preempt"));
  EXPECT_THAT(words_of(Role::Observer), IsEmpty());
}

TEST(RoleWords, OfSeveralRolesOneListensOnAnAddress) {
  const auto words = check_role_words({"--http=127.0.0.1:8081", "--slots=4"});
  ASSERT_TRUE(words) << words.error().message;
  const std::vector<Role> hosted{Role::Master, Role::Worker, Role::Leecher, Role::Gateway};
  EXPECT_THAT(words_of_role(Role::Gateway, *words, hosted), ElementsAre("--http=127.0.0.1:8081"));
  EXPECT_THAT(words_of_role(Role::Leecher, *words, hosted), IsEmpty());
  EXPECT_THAT(words_of_role(Role::Leecher, *words, {Role::Leecher}), ElementsAre("--http=127.0.0.1:8081"));
  EXPECT_THAT(words_of_role(Role::Worker, *words, hosted), ElementsAre("--slots=4"));
}

std::string refusal_of(const Words& rest) {
  const auto words = check_role_words(rest);
  return words ? "" : words.error().message;
}

TEST(RoleWords, AFlagOfNoRoleIsRefused) {
  EXPECT_THAT(refusal_of({"--sluts", "4"}),
              HasSubstr("'--sluts' is a flag of no role; did you mean 'slots'?"));
  EXPECT_THAT(refusal_of({"worker"}), HasSubstr("'worker' is a flag of no role"));
  EXPECT_THAT(refusal_of({"-s"}), HasSubstr("'-s' is a flag of no role"));
}

TEST(RoleWords, AValueThatNoRoleTakesIsRefused) {
  EXPECT_EQ(refusal_of({"--slots", "0"}), "--slots: '0' is no number from 1 to 1000");
  EXPECT_EQ(refusal_of({"--slots"}), "--slots needs a value; give --slots VALUE");
  EXPECT_EQ(refusal_of({"--slots", "--http=1"}), "--slots needs a value; give --slots VALUE");
}

// ---- a node's name

class NodeFolderTest : public testing::Test {
 protected:
  TemporaryFolder above;
  const std::string folder = above.path() + "/data";
  PosixFileSystem files;
};

TEST_F(NodeFolderTest, ANameIsMadeOnceAndKept) {
  const std::string first = open_node_folder(files, folder, "").value().name;
  EXPECT_THAT(first, testing::StartsWith("node-"));
  EXPECT_EQ(open_node_folder(files, folder, "").value().name, first);
  EXPECT_EQ(open_node_folder(files, folder, first).value().name, first);
}

TEST_F(NodeFolderTest, AnotherNodesFolderIsRefused) {
  ASSERT_TRUE(open_node_folder(files, folder, "n1"));
  const auto other = open_node_folder(files, folder, "n2");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, FaultKind::BadUsage);
  EXPECT_THAT(other.error().message, HasSubstr("is that of node 'n1'"));
}

TEST_F(NodeFolderTest, ADamagedNameIsToldWithItsFile) {
  ASSERT_TRUE(open_node_folder(files, folder, "n1"));
  std::ofstream(folder + "/name") << "no name\x01";
  const auto opened = open_node_folder(files, folder, "n1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, FaultKind::BadData);
  EXPECT_THAT(opened.error().message, HasSubstr(folder + "/name"));
}

// ---- the stage

// A role that writes down what is done to it.
class FakeRole : public RunningRole {
 public:
  FakeRole(std::string name, std::vector<std::string>& diary, bool obeys)
      : name_(std::move(name)), diary_(diary), obeys_(obeys), ended_(eventfd(0, EFD_CLOEXEC)) {}
  ~FakeRole() override {
    diary_.push_back(name_ + " is gone");
    close(ended_);
  }
  [[nodiscard]] int ended_descriptor() const override { return ended_; }
  void ask_to_stop() override {
    diary_.push_back(name_ + " is asked");
    if (obeys_) end({});
  }
  void stop_now() override {
    diary_.push_back(name_ + " is stopped");
    end({});
  }
  Status wait() override { return status_; }
  // The first end counts.
  void end(Status status) {
    if (std::exchange(has_ended_, true)) return;
    status_ = std::move(status);
    eventfd_write(ended_, 1);
  }

 private:
  const std::string name_;
  std::vector<std::string>& diary_;
  const bool obeys_;
  const int ended_;
  bool has_ended_ = false;
  Status status_;
};

class StageTest : public testing::Test {
 protected:
  OpenRole role(const std::string& name, bool obeys = true) {
    return [=, this]() -> Result<std::unique_ptr<RunningRole>> {
      auto fake = std::make_unique<FakeRole>(name, diary, obeys);
      fakes.push_back(fake.get());
      return fake;
    };
  }
  static OpenRole broken() {
    return []() -> Result<std::unique_ptr<RunningRole>> {
      return fault(FaultKind::BadUsage, "no such address");
    };
  }

  static Status changed(Stage& stage) {
    pollfd entry{stage.changed_descriptor(), POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, 60'000), 1) << "the change is told";
    const std::vector<Stage::Changed> ends = stage.take_changed();
    EXPECT_EQ(ends.size(), 1U);
    return ends.empty() ? Status{} : ends.front().status;
  }

  std::vector<std::string> diary;
  std::vector<FakeRole*> fakes;
};

// Holds what nobody else has, and cannot bring it away.
class FakeHolder : public FakeRole, public HandsOver {
 public:
  using FakeRole::FakeRole;
  Status hand_over(const std::function<bool()>&) override {
    return fault(FaultKind::TryAgain, "no room elsewhere");
  }
};

TEST_F(StageTest, RolesAreStoppedInTheOtherOrder) {
  {
    Stage stage;
    ASSERT_TRUE(stage.open({role("broker"), role("worker")}));
    stage.ask_to_stop();
    EXPECT_TRUE(stage.wait());
  }
  EXPECT_THAT(diary, ElementsAre("worker is asked", "broker is asked", "worker is gone", "broker is gone"));
}

TEST_F(StageTest, WhenOneEndsTheOthersAreStoppedAndItsFaultIsTold) {
  Stage stage;
  ASSERT_TRUE(stage.open({role("broker"), role("worker")}));
  fakes[0]->end(fault(FaultKind::Failed, "the disk is gone"));
  const Status ended = stage.wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "the disk is gone");
  EXPECT_THAT(diary, testing::Contains("worker is asked"));
}

TEST_F(StageTest, StopNowHurriesEveryRoleThatIsLeft) {
  Stage stage;
  ASSERT_TRUE(stage.open({role("broker"), role("worker", false), role("gateway", false)}));
  stage.ask_to_stop();
  stage.stop_now();
  EXPECT_TRUE(stage.wait());
  EXPECT_THAT(diary, testing::IsSupersetOf({"gateway is stopped", "worker is stopped"}));
}

TEST_F(StageTest, OneThatDoesNotOpenTakesTheOthersDownAgain) {
  Stage stage;
  const Status opened = stage.open({role("broker"), broken(), role("worker")});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "no such address");
  EXPECT_THAT(diary, ElementsAre("broker is asked"));
}

TEST_F(StageTest, AChangeStopsTheOldRoleInOrderAndThenOpensTheNext) {
  Stage stage;
  ASSERT_TRUE(stage.open({role("worker")}));
  stage.change({role("gateway"), role("worker again")});
  EXPECT_TRUE(changed(stage));
  stage.ask_to_stop();
  EXPECT_TRUE(stage.wait());
  EXPECT_THAT(diary, ElementsAre("worker is asked", "worker is gone", "gateway is asked"));
}

TEST_F(StageTest, WhenTheNextDoesNotOpenTheOldOneComesBack) {
  Stage stage;
  ASSERT_TRUE(stage.open({role("worker")}));
  stage.change({broken(), role("worker again")});
  const Status ended = changed(stage);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "no such address");
  stage.ask_to_stop();
  EXPECT_TRUE(stage.wait());
  EXPECT_THAT(diary, ElementsAre("worker is asked", "worker is gone", "worker again is asked"));
}

TEST_F(StageTest, ARoleThatMustNotGoYetGoesOn) {
  Stage stage;
  ASSERT_TRUE(stage.open({[this]() -> Result<std::unique_ptr<RunningRole>> {
    return std::make_unique<FakeHolder>("worker", diary, true);
  }}));
  stage.change({role("gateway"), role("worker again")});
  const Status ended = changed(stage);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "no room elsewhere");
  EXPECT_THAT(diary, IsEmpty());
  stage.ask_to_stop();
  EXPECT_TRUE(stage.wait());
}

TEST_F(StageTest, AForcedChangeGoesAndSaysWhatWasLeftBehind) {
  Stage stage;
  ASSERT_TRUE(stage.open({[this]() -> Result<std::unique_ptr<RunningRole>> {
    return std::make_unique<FakeHolder>("worker", diary, true);
  }}));
  stage.change({role("gateway"), role("worker again"), true});
  pollfd entry{stage.changed_descriptor(), POLLIN, 0};
  ASSERT_EQ(poll(&entry, 1, 60'000), 1);
  const std::vector<Stage::Changed> ends = stage.take_changed();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_TRUE(ends.front().status);
  EXPECT_EQ(ends.front().left_behind, "no room elsewhere");
  stage.ask_to_stop();
  EXPECT_TRUE(stage.wait());
  EXPECT_THAT(diary, ElementsAre("worker is asked", "worker is gone", "gateway is asked"));
}

// ---- the role that it was told

class ToldRoleTest : public testing::Test {
 protected:
  PosixFileSystem files;
  const TemporaryFolder temporary;
  const std::string folder = temporary.path();
};

TEST_F(ToldRoleTest, IsKeptUntilTheLineSaysAnother) {
  EXPECT_EQ(read_told_role(files, folder, "auto")->role, std::nullopt);
  ASSERT_TRUE(keep_told_role(files, folder, "auto", {Role::Gateway, 3}));
  EXPECT_EQ(read_told_role(files, folder, "auto")->role, Role::Gateway);
  EXPECT_EQ(read_told_role(files, folder, "worker")->role, std::nullopt);
  EXPECT_EQ(read_told_role(files, folder, "worker")->proposal, 3U) << "a vote is carried out once";
  ASSERT_TRUE(keep_told_role(files, folder, "auto", {std::nullopt, 4}));
  EXPECT_EQ(read_told_role(files, folder, "auto")->role, std::nullopt);
  EXPECT_EQ(read_told_role(files, folder, "auto")->proposal, 4U);
}

TEST_F(ToldRoleTest, AFileThatIsNoneIsSaid) {
  for (const char* bad : {"", "chef 3 auto", "client 3 auto", "gateway", "gateway x auto"}) {
    std::ofstream(folder + "/role") << bad;
    const auto told = read_told_role(files, folder, "auto");
    ASSERT_FALSE(told) << bad;
    EXPECT_EQ(told.error().kind, FaultKind::BadData);
    EXPECT_THAT(told.error().message, HasSubstr("remove it"));
  }
}

// ---- the greeting

TEST(Greeting, TellsHowAnotherMachineJoins) {
  const std::string text =
      greeting_text({{Role::Master, Role::Worker, Role::Gateway, Role::Observer},
                     {"--listen=10.0.0.5:9096", "--http=10.0.0.5:8080", "--page=10.0.0.5:8088"},
                     "home",
                     true});
  EXPECT_THAT(text, HasSubstr("page      http://10.0.0.5:8088/\n"));
  EXPECT_THAT(text, HasSubstr("content   http://10.0.0.5:8080/ipfs/CID\n"));
  EXPECT_THAT(text, HasSubstr("cidbus --brokers 10.0.0.5:9096 --cluster home --insecure add FILE\n"));
  EXPECT_THAT(text,
              HasSubstr("\n  cidbus-node --role auto --data ~/.cidbus --brokers 10.0.0.5:9096 --exchange "
                        "THAT-MACHINE:9110 --cluster home --insecure\n"));
}

TEST(Greeting, OnLoopbackNobodyIsToldToJoin) {
  const std::string text = greeting_text({{Role::Master}, {}, "cidbus", false});
  EXPECT_THAT(text, HasSubstr("broker    127.0.0.1:9096\n"));
  EXPECT_THAT(text, HasSubstr("Only this machine reaches it"));
  EXPECT_THAT(text, Not(HasSubstr("cidbus-node")));
  EXPECT_THAT(text, Not(HasSubstr("page")));
}

}  // namespace
}  // namespace cidbus
