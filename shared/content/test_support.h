// What the tests of this room share: hexadecimal, files of public vectors, content with known CIDs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/content/byte_stream.h"
#include "shared/content/cid.h"
#include "shared/content/import_profile.h"

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
