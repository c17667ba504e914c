// Stores and nodes for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/content/block.h"
#include "shared/content/dag_pb.h"
#include "shared/content/test_support.h"
#include "shared/content/unixfs.h"

namespace cidbus::content_test {

// Blocks in a map, checked as they come in; counts what is asked of it.
class MapStore final : public BlockSource, public BlockSink {
 public:
  Status put(const Cid& cid, ByteView bytes) override {
    const auto verified = verify(cid, bytes);
    EXPECT_TRUE(verified) << verified.error().message;
    EXPECT_LE(bytes.size(), limits::block_bytes);
    blocks.insert_or_assign(cid.multihash(), Block(cid, to_bytes(bytes)));
    order.push_back(cid);
    return {};
  }
  Result<Block> get(const Cid& cid) override {
    asked.push_back(cid);
    const auto found = blocks.find(cid.multihash());
    if (found == blocks.end()) return fault(FaultKind::NotFound, "nobody has block " + to_text(cid));
    return found->second;
  }
  void prefetch(std::span<const Cid> cids) override {
    EXPECT_FALSE(cids.empty());
    hinted.insert(hinted.end(), cids.begin(), cids.end());
  }
  // Puts a node made by hand and names it.
  Cid put_dag_pb(ByteView block) {
    const Cid cid = Cid::v1(Codec::DagPb, sha2_256(block));
    static_cast<void>(put(cid, block));
    return cid;
  }
  Cid put_raw(ByteView block) {
    const Cid cid = Cid::v1(Codec::Raw, sha2_256(block));
    static_cast<void>(put(cid, block));
    return cid;
  }

  std::unordered_map<Multihash, Block> blocks;
  std::vector<Cid> order;   // as put
  std::vector<Cid> asked;   // of get()
  std::vector<Cid> hinted;  // to prefetch()
};

// A sink that only counts, for content too large to keep.
class CountingSink final : public BlockSink {
 public:
  Status put(const Cid&, ByteView bytes) override {
    ++blocks;
    total += bytes.size();
    if (blocks > refuse_after) return fault(FaultKind::TryAgain, "the store is full");
    return {};
  }
  std::uint64_t blocks = 0;
  ByteCount total = 0;
  std::uint64_t refuse_after = ~0ULL;
};

// A UnixFS node made by hand, right or wrong.
struct Spec {
  UnixFsType type = UnixFsType::File;
  std::string data = {};  // none when empty
  std::vector<Cid> links = {};
  std::vector<ByteCount> sizes = {};
  std::optional<ByteCount> file_size = std::nullopt;
  std::string link_name = {};
};

inline Bytes file_block(const Spec& spec) {
  UnixFsData data;
  data.type = spec.type;
  if (!spec.data.empty()) data.data = as_bytes(spec.data);
  data.block_sizes = spec.sizes;
  data.file_size = spec.file_size;
  std::vector<DagPbLink> links;
  for (const Cid& cid : spec.links) links.push_back({cid, spec.link_name, 0});
  return encode_dag_pb(links, encode_unixfs(data));
}

}  // namespace cidbus::content_test
