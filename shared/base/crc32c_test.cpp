#include "shared/base/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shared/base/prng.h"

namespace cidbus {
namespace {

Bytes ascending() {
  Bytes bytes(32);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

// RFC 3720, appendix B.4.
TEST(Crc32c, GivesTheValuesOfRfc3720) {
  EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43U);
  Bytes bytes = ascending();
  EXPECT_EQ(crc32c(bytes), 0x46dd794eU);
  std::reverse(bytes.begin(), bytes.end());
  EXPECT_EQ(crc32c(bytes), 0x113fdb5cU);
  EXPECT_EQ(crc32c(Bytes{0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                         0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
                         0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
                         0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}),
            0xd9963a56U);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, IsTheSameByInstructionAndByTableAtEveryLengthAndAlignment) {
  Prng prng(1);
  Bytes bytes(300);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng());
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t length = 0; from + length <= bytes.size(); ++length) {
      const ByteView view = ByteView(bytes).subspan(from, length);
      ASSERT_EQ(crc32c(view), detail::crc32c_by_table(view)) << from << ' ' << length;
    }
  }
}

TEST(Crc32c, IsTheSameWhereLanesAreComputedAtOnce) {
  Prng prng(2);
  Bytes bytes(20'000);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng());
  for (int round = 0; round < 2000; ++round) {
    const std::size_t from = prng.below(9);
    const ByteView view = ByteView(bytes).subspan(from, prng.below(bytes.size() - from));
    const auto before = static_cast<std::uint32_t>(prng());
    ASSERT_EQ(crc32c(view, before), detail::crc32c_by_table(view, before)) << from << ' ' << view.size();
  }
}

TEST(Crc32c, ContinuesOverParts) {
  const Bytes bytes = ascending();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const ByteView view(bytes);
    EXPECT_EQ(crc32c(view.subspan(cut), crc32c(view.first(cut))), crc32c(view));
  }
}

}  // namespace
}  // namespace cidbus
