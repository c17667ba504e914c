// Blocks and folders for tests of the stores and of the exchange.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shared/base/ensure.h"
#include "shared/base/prng.h"
#include "shared/content/block.h"

namespace cidbus {

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  Prng prng(seed);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = prng();
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, size - i));
  }
  return bytes;
}

inline Block named_block(Bytes bytes) {
  const Cid cid = Cid::v1(Codec::Raw, sha2_256(bytes));
  return {cid, std::move(bytes)};
}

// The same for the same size and seed.
inline Block random_block(std::size_t size, std::uint64_t seed) {
  return named_block(random_bytes(size, seed));
}

inline std::vector<Block> random_blocks(std::size_t count, std::size_t size, std::uint64_t seed = 1) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(random_block(size, seed * 1'000'003 + i));
  return blocks;
}

// A new empty folder, gone with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "cidbus-test-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr, name);
    path_ = name;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace cidbus
