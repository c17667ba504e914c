// What the gateway's tests share: a cluster of blocks in a map, and content to put there.
//
// Thread rule: TestCluster from any thread, but content is put before a server is started. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "gateway/content_server.h"
#include "shared/content/directory_builder.h"
#include "shared/content/file_builder.h"
#include "shared/content/unixfs.h"

namespace cidbus::gateway_test {

// The blocks of all nodes. Some can be made absent (nobody holds them), silent (a holder that does not
// answer, or only once it is released), and what was asked for is noted.
class TestCluster final : public BlockSink {
 public:
  Status put(const Cid& cid, ByteView bytes) override {
    EXPECT_TRUE(verify(cid, bytes));
    blocks_.insert_or_assign(cid.multihash(), Block(cid, to_bytes(bytes)));
    return {};
  }
  void lose(const Cid& cid) { blocks_.erase(cid.multihash()); }
  void fail(const Cid& cid, Fault fault) { faults_.insert_or_assign(cid.multihash(), std::move(fault)); }
  // get() of it waits until release().
  void hold(const Cid& cid) {
    const std::lock_guard guard(mutex_);
    held_.insert(cid.multihash());
  }
  void release() {
    const std::lock_guard guard(mutex_);
    held_.clear();
    changed_.notify_all();
  }
  void await_asked(const Cid& cid) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_[cid.multihash()] > 0; });
  }
  std::size_t times_asked(const Cid& cid) {
    const std::lock_guard guard(mutex_);
    return asked_[cid.multihash()];
  }
  std::size_t blocks_asked() {
    const std::lock_guard guard(mutex_);
    return asked_.size();
  }
  std::size_t size() const { return blocks_.size(); }

  Result<Block> get(const Cid& cid) {
    std::unique_lock lock(mutex_);
    ++asked_[cid.multihash()];
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_.contains(cid.multihash()); });
    if (const auto failing = faults_.find(cid.multihash()); failing != faults_.end()) {
      return tl::unexpected(failing->second);
    }
    const auto found = blocks_.find(cid.multihash());
    if (found == blocks_.end()) return fault(FaultKind::NotFound, "no node holds " + to_text(cid));
    return found->second;
  }

  // ---- content; each gives the CID of its root

  Cid raw(std::string_view text) {
    const Cid cid = Cid::v1(Codec::Raw, sha2_256(as_bytes(text)));
    static_cast<void>(put(cid, as_bytes(text)));
    return cid;
  }
  // In blocks of `chunk` bytes, eight to a node.
  Cid file(std::string_view text, std::size_t chunk) {
    ImportProfile profile = unixfs_v1_2025;
    profile.chunk_bytes = chunk;
    profile.width = 8;
    FileBuilder builder(profile, *this);
    static_cast<void>(builder.write(as_bytes(text)));
    return builder.finish()->cid;
  }
  Cid folder(const std::vector<std::pair<std::string, Cid>>& entries,
             std::size_t sharding_threshold = 262144) {
    ImportProfile profile = unixfs_v1_2025;
    profile.sharding_threshold = sharding_threshold;
    DirectoryBuilder builder(profile, *this);
    for (const auto& [name, cid] : entries) static_cast<void>(builder.add({name, cid, 10, 0}));
    return builder.finish()->cid;
  }
  // A file's inner node made by hand, right or wrong.
  Cid node(const std::vector<Cid>& children, const std::vector<ByteCount>& sizes) {
    UnixFsData data;
    data.block_sizes = sizes;
    std::vector<DagPbLink> links;
    for (const Cid& cid : children) links.push_back({cid, {}, 0});
    const Bytes block = encode_dag_pb(links, encode_unixfs(data));
    const Cid cid = Cid::v1(Codec::DagPb, sha2_256(block));
    static_cast<void>(put(cid, block));
    return cid;
  }

 private:
  std::unordered_map<Multihash, Block> blocks_;
  std::unordered_map<Multihash, Fault> faults_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<Multihash, std::size_t> asked_;
  std::set<Multihash> held_;
};

// A thread's way into the cluster; keeps what it gets in the cache.
class TestSource final : public BlockSource {
 public:
  TestSource(TestCluster& cluster, MemoryStore& cache) : cluster_(cluster), cache_(cache) {}
  Result<Block> get(const Cid& cid) override {
    if (auto here = cache_.get(cid); here && *here) return **std::move(here);
    auto block = cluster_.get(cid);
    if (block) cache_.put_verified(*block);
    return block;
  }

 private:
  TestCluster& cluster_;
  MemoryStore& cache_;
};

inline ContentServerOptions options_of(TestCluster& cluster) {
  ContentServerOptions options;
  options.http.address = "127.0.0.1:0";
  options.fetchers = 4;
  options.make_source = [&cluster](MemoryStore& cache) {
    return std::make_unique<TestSource>(cluster, cache);
  };
  options.checks = [] { return std::vector<ReadinessCheck>{{"blocks", true, ""}}; };
  return options;
}

// No two places of it are alike for a while.
inline std::string pattern(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + " ";
  text.resize(size);
  return text;
}

}  // namespace cidbus::gateway_test
