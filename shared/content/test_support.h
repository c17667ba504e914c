// What the tests of this room share: hexadecimal, files of public vectors, blocks kept in a map.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits.h"
#include "shared/content/block.h"
#include "shared/content/byte_stream.h"
#include "shared/content/cid.h"
#include "shared/content/dag_pb.h"
#include "shared/content/import_profile.h"
#include "shared/content/unixfs.h"

namespace cidbus {

// What gtest prints of a CID.
inline void PrintTo(const Cid& cid, std::ostream* out) { *out << (cid.is_null() ? "null" : to_text(cid)); }

namespace content_test {

inline Bytes from_hex(std::string_view text) {
  auto bytes = decode_multibase("f" + std::string(text));
  if (bytes) return *std::move(bytes);
  Bytes longer;  // decode_multibase stops at the length of a CID
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    longer.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16)));
  }
  return longer;
}

inline std::string to_hex(ByteView bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

inline Cid cid_of(std::string_view text) {
  auto cid = Cid::parse(text);
  if (!cid) ADD_FAILURE() << cid.error().message;
  return cid ? *cid : Cid();
}

// Empty when the public vectors are not there.
inline std::filesystem::path fixture(const std::string& below) {
  const auto path = std::filesystem::path(CIDBUS_FIXTURES) / below;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

inline std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

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

// The content that the CIDs in these tests are of: byte i is i modulo 251, so that no two chunks are alike.
class PatternSource final : public ByteSource {
 public:
  explicit PatternSource(ByteCount size) : size_(size) {}
  Result<std::size_t> read(std::span<std::uint8_t> buffer) override {
    static const Bytes pattern = [] {
      Bytes bytes(251 * 4096);
      for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<std::uint8_t>(at % 251);
      return bytes;
    }();
    const std::size_t from = position_ % 251;
    const std::size_t count =
        std::min<std::size_t>({buffer.size(), size_ - position_, pattern.size() - from});
    std::memcpy(buffer.data(), pattern.data() + from, count);
    position_ += count;
    return count;
  }

 private:
  ByteCount size_;
  ByteCount position_ = 0;
};

inline Bytes pattern_bytes(ByteCount from, ByteCount to) {
  Bytes bytes;
  for (ByteCount at = from; at < to; ++at) bytes.push_back(static_cast<std::uint8_t>(at % 251));
  return bytes;
}

// A profile whose trees grow deep on little content: chunks of 4 bytes, 3 links a node.
inline ImportProfile small_profile(unsigned cid_version) {
  ImportProfile profile = cid_version == 0 ? unixfs_v0_2015 : unixfs_v1_2025;
  profile.name = "small";
  profile.chunk_bytes = 4;
  profile.width = 3;
  return profile;
}

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

class CollectingSink final : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    content.insert(content.end(), bytes.begin(), bytes.end());
    return {};
  }
  Bytes content;
};

}  // namespace content_test
}  // namespace cidbus

#define SKIP_WITHOUT_FIXTURE(path) \
  if ((path).empty()) GTEST_SKIP() << "the public vectors are not in " CIDBUS_FIXTURES
