// What the tests of this room share: hexadecimal, files of public vectors, blocks kept in a map.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/content/block.h"
#include "shared/content/cid.h"

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

}  // namespace content_test
}  // namespace cidbus

#define SKIP_WITHOUT_FIXTURE(path) \
  if ((path).empty()) GTEST_SKIP() << "the public vectors are not in " CIDBUS_FIXTURES
