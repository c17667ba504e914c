// What a leecher does with blocks: its cache, what it pulls through, and what is pinned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "leecher/keeper.h"
#include "leecher/pin_list.h"
#include "leecher/pull_through.h"
#include "shared/store/rocksdb_store.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

// The cluster: blocks in a map, and how often it was asked.
struct Cluster {
  std::map<Multihash, Block> blocks;
  std::atomic<int> asked{0};
};

class ClusterSource final : public BlockSource {
 public:
  explicit ClusterSource(Cluster& cluster) : cluster_(cluster) {}
  Result<Block> get(const Cid& cid) override {
    ++cluster_.asked;
    const auto found = cluster_.blocks.find(cid.multihash());
    if (found == cluster_.blocks.end()) return fault(FaultKind::NotFound, "no node holds " + to_text(cid));
    return Block(cid, to_bytes(found->second.bytes()));
  }

 private:
  Cluster& cluster_;
};

class Quiet final : public Log {
  void write(LogLevel, std::string_view) override {}
};

class LocalContent : public testing::Test, protected BlockSink {
 protected:
  LocalContent() : cache_(open("cache", WhenFull::Evict)), added_(open("added", WhenFull::Refuse)) {}
  std::unique_ptr<IndexedStore> open(const std::string& name, WhenFull when_full,
                                     ByteCount capacity = 10'000) {
    auto disk = open_rocksdb_store({folder_.path() + "/" + name, 1 << 30, 0, {}});
    EXPECT_TRUE(disk) << disk.error().message;
    return *IndexedStore::open(*std::move(disk), when_full, capacity, {});
  }
  Status put(const Cid& cid, ByteView bytes) override {
    cluster_.blocks.insert_or_assign(cid.multihash(), Block(cid, to_bytes(bytes)));
    return {};
  }
  Block in_cluster(std::uint64_t seed) {
    Block block = random_block(1000, seed);
    EXPECT_TRUE(put(block.cid(), block.bytes()));
    return block;
  }
  LocalBlocks local() { return {"l1", *cache_, *added_, online_}; }
  std::unique_ptr<BlockSource> source() {
    return std::make_unique<CachingBlocks>(local(), std::make_unique<ClusterSource>(cluster_));
  }
  template <typename Condition>
  static void await(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  TestFolder folder_;
  Cluster cluster_;
  std::atomic<bool> online_{true};
  std::atomic<bool> stop_{false};
  std::unique_ptr<IndexedStore> cache_;
  std::unique_ptr<IndexedStore> added_;
};

TEST_F(LocalContent, AFetchedBlockIsHereFromThenOn) {
  const Block block = in_cluster(1);
  EXPECT_TRUE(source()->get(block.cid()));
  online_ = false;
  const auto again = source()->get(block.cid());
  ASSERT_TRUE(again);
  EXPECT_TRUE(equal(again->bytes(), block.bytes()));
  EXPECT_EQ(cluster_.asked, 1);
}

TEST_F(LocalContent, WhileCutOffWhatIsNotHereIsSaidSoAtOnceAndNobodyIsAsked) {
  online_ = false;
  const auto missing = source()->get(in_cluster(1).cid());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, FaultKind::Unavailable);
  EXPECT_EQ(cluster_.asked, 0);
}

TEST_F(LocalContent, WhatWasAddedIsHereToo) {
  const Block block = random_block(1000, 1);
  added_->put({&block, 1});
  online_ = false;
  EXPECT_TRUE(source()->get(block.cid()));
}

TEST_F(LocalContent, ABlockThatIsNotHereIsOrderedOnceAndComes) {
  const Block block = in_cluster(1);
  PullThrough pull(local(), [this] { return source(); });
  const auto first = pull.get(block.cid());
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, FaultKind::TryAgain);
  await([&] {
    const auto found = pull.get(block.cid());
    return found && *found;
  });
  EXPECT_EQ(cluster_.asked, 1);
}

TEST_F(LocalContent, WhatNobodyHasIsSaidToBeMissingAndThenLookedForAgain) {
  const Block block = random_block(1000, 1);
  PullThrough pull(local(), [this] { return source(); });
  await([&] {
    const auto found = pull.get(block.cid());
    return found && !*found;
  });
  EXPECT_TRUE(put(block.cid(), block.bytes()));
  await([&] {
    const auto found = pull.get(block.cid());
    return found && *found;
  });
}

TEST_F(LocalContent, WhatIsPutThroughTheExchangeCountsAsAdded) {
  PullThrough pull(local(), [this] { return source(); });
  const Block block = random_block(1000, 1);
  EXPECT_TRUE(pull.put({&block, 1}).all_kept());
  EXPECT_EQ(added_->counts().blocks, 1U);
  EXPECT_EQ(cache_->counts().blocks, 0U);
}

class Pinned : public LocalContent {
 protected:
  Pinned() {
    for (std::uint64_t seed = 0; seed < 4; ++seed) pins_.push_back(in_cluster(seed).cid());
    for (const Cid& cid : pins_) texts_.push_back(to_text(cid));
  }
  ~Pinned() override {
    stop_ = true;
    keeper_.reset();
  }
  void start() {
    auto started = Keeper::start(
        folder_.path(), local(), [this] { return source(); }, resolve(), stop_, log_);
    ASSERT_TRUE(started) << started.error().message;
    keeper_ = *std::move(started);
  }
  void pin(const std::vector<std::string>& texts) {
    std::vector<Pin> pins;
    for (const std::string& text : texts) pins.push_back(*parse_pin(text));
    ASSERT_TRUE(write_pins(folder_.path(), pins));
    if (keeper_) keeper_->begin();
  }
  void fill() {
    const auto from = source();
    for (std::uint64_t seed = 100; seed < 120; ++seed) EXPECT_TRUE(from->get(in_cluster(seed).cid()));
  }
  std::size_t whole() {
    const auto& states = keeper_->take_states();
    return static_cast<std::size_t>(
        std::count_if(states.begin(), states.end(), [](const auto& p) { return p.whole; }));
  }

  Keeper::ResolveFactory resolve() {
    return [this]() -> Keeper::Resolve {
      return [this](const Pin& pin) -> Result<std::vector<Cid>> {
        const std::scoped_lock lock(mutex_);
        const auto found = named_.find(pin.name + pin.tag_key);
        if (found == named_.end()) return fault(FaultKind::NotFound, "no content is called so");
        return found->second;
      };
    };
  }
  void name(const std::string& what, std::vector<Cid> cids) {
    const std::scoped_lock lock(mutex_);
    named_[what] = std::move(cids);
  }

  std::vector<Cid> pins_;
  std::vector<std::string> texts_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Cid>> named_;
  Quiet log_;
  std::unique_ptr<Keeper> keeper_;
};

TEST_F(Pinned, IsFetchedAndNeverEvicted) {
  pin(texts_);
  start();
  await([&] { return whole() == 4; });
  fill();
  EXPECT_LE(cache_->counts().bytes, 10'000U);
  for (const Cid& cid : pins_) EXPECT_TRUE(*cache_->has(cid));
}

TEST_F(Pinned, IsKeptFromTheStartOfTheNextTimeOn) {
  pin(texts_);
  start();
  await([&] { return whole() == 4; });
  stop_ = true;
  keeper_.reset();
  stop_ = online_ = false;
  cache_->keep_only({});
  start();
  EXPECT_EQ(whole(), 4U);
  EXPECT_EQ(cache_->kept_bytes(), 4000U);
}

TEST_F(Pinned, IsLetGoWhenItIsTakenOffTheList) {
  pin(texts_);
  start();
  await([&] { return whole() == 4; });
  pin({texts_[0]});
  await([&] { return cache_->kept_bytes() == 1000 && keeper_->take_states().size() == 1; });
}

TEST_F(Pinned, IsToldAsNotWholeWithTheReasonWhenNobodyHasItOrThereIsNoRoom) {
  cluster_.blocks.erase(pins_[0].multihash());
  cache_ = nullptr;
  cache_ = open("cache", WhenFull::Evict, 2000);
  pin(texts_);
  start();
  const auto trouble_of = [&](std::size_t place) -> std::string {
    const auto& told = keeper_->take_states();
    return place < told.size() ? told[place].trouble : "";
  };
  await([&] { return whole() == 2; });
  await([&] { return trouble_of(0).find("no node holds") != std::string::npos; });
  await([&] { return trouble_of(3).find("no room") != std::string::npos; });
  const auto& states = keeper_->take_states();
  EXPECT_THAT(states[0].trouble, testing::HasSubstr("no node holds"));
  EXPECT_THAT(states[3].trouble, testing::HasSubstr("no room"));
}

TEST_F(Pinned, FollowsANameAndATagToWhatTheyStandForNow) {
  name("holiday", {pins_[0]});
  name("year", {pins_[1], pins_[2]});
  pin({"name:holiday", "tag:year=2026", "name:nothing"});
  start();
  await([&] { return whole() == 2; });
  EXPECT_EQ(cache_->kept_bytes(), 3000U);
  await([&] { return keeper_->take_states()[2].trouble == "no content is called so"; });
  name("holiday", {pins_[3]});
  await([&] {
    keeper_->begin();
    const auto& states = keeper_->take_states();
    return states[0].cids == std::vector{pins_[3]} && states[0].whole;
  });
  EXPECT_EQ(cache_->kept_bytes(), 3000U);

  stop_ = true;
  keeper_.reset();
  stop_ = online_ = false;
  cache_->keep_only({});
  start();
  EXPECT_EQ(whole(), 2U);
  EXPECT_EQ(cache_->kept_bytes(), 3000U);
}

TEST_F(Pinned, ListThatMakesNoSenseIsToldWithItsLine) {
  std::ofstream(folder_.path() + "/pins") << to_text(pins_[0]) << "\nnonsense\n";
  const auto pins = read_pins(folder_.path());
  ASSERT_FALSE(pins);
  EXPECT_EQ(pins.error().kind, FaultKind::BadData);
  EXPECT_THAT(pins.error().message, testing::HasSubstr("line 2"));
}

TEST_F(LocalContent, TheOrderOfUseIsReadBackAsItWasWritten) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) EXPECT_TRUE(source()->get(in_cluster(seed).cid()));
  const auto uses = cache_->uses();
  Quiet log;
  auto keeper = Keeper::start(
      folder_.path(), local(), [this] { return source(); },
      [] { return [](const Pin&) { return Result<std::vector<Cid>>(); }; }, stop_, log);
  ASSERT_TRUE(keeper);
  stop_ = true;
  keeper->reset();
  EXPECT_EQ(read_uses(folder_.path()), uses);
}

}  // namespace
}  // namespace cidbus
