#include "shared/base/crc32c.h"

#include <array>
#include <cstring>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace cidbus {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b, k bytes before the end of a group of eight, adds to the remainder.
constexpr Table make_tables() {
  Table tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82f63b78U : 0);
    tables[0][byte] = remainder;
  }
  for (std::size_t byte = 0; byte < 256; ++byte)
    for (std::size_t k = 1; k < 8; ++k)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}

constexpr Table tables = make_tables();

#ifdef __SSE4_2__
// The instruction takes a word a cycle but gives it three cycles later, so three lanes are computed at once
// and put together: the remainder of a lane is moved over the bytes that follow it, which is linear.
constexpr std::size_t lane_bytes = 1024;
using Move = std::array<std::array<std::uint32_t, 256>, 4>;

// move[k][b]: byte b at place k of a remainder, moved over a lane of zeros.
constexpr Move make_move() {
  std::array<std::uint32_t, 32> bits{};
  for (std::size_t bit = 0; bit < bits.size(); ++bit) {
    std::uint32_t remainder = std::uint32_t{1} << bit;
    for (std::size_t byte = 0; byte < lane_bytes; ++byte)
      remainder = (remainder >> 8) ^ tables[0][remainder & 0xff];
    bits[bit] = remainder;
  }
  Move move{};
  for (std::size_t k = 0; k < move.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      for (std::size_t bit = 0; bit < 8; ++bit)
        if ((byte >> bit & 1) != 0) move[k][byte] ^= bits[8 * k + bit];
  return move;
}

constexpr Move move_table = make_move();

std::uint64_t moved(std::uint64_t remainder) {
  return move_table[0][remainder & 0xff] ^ move_table[1][remainder >> 8 & 0xff] ^
         move_table[2][remainder >> 16 & 0xff] ^ move_table[3][remainder >> 24 & 0xff];
}

std::uint64_t word_at(const std::uint8_t* place) {
  std::uint64_t word = 0;
  std::memcpy(&word, place, sizeof(word));
  return word;
}

std::uint64_t three_lanes(std::uint64_t crc, const std::uint8_t* bytes) {
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t at = 0; at < lane_bytes; at += sizeof(std::uint64_t)) {
    crc = _mm_crc32_u64(crc, word_at(bytes + at));
    second = _mm_crc32_u64(second, word_at(bytes + lane_bytes + at));
    third = _mm_crc32_u64(third, word_at(bytes + 2 * lane_bytes + at));
  }
  return moved(moved(crc) ^ second) ^ third;
}
#endif

}  // namespace

std::uint32_t detail::crc32c_by_table(ByteView bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
    bytes = bytes.subspan(8);
  }
  for (const std::uint8_t byte : bytes) crc = (crc >> 8) ^ tables[0][(crc ^ byte) & 0xff];
  return ~crc;
}

#ifdef __SSE4_2__
std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
  std::uint64_t crc = static_cast<std::uint32_t>(~before);
  for (; bytes.size() >= 3 * lane_bytes; bytes = bytes.subspan(3 * lane_bytes))
    crc = three_lanes(crc, bytes.data());
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) crc = _mm_crc32_u64(crc, word_at(bytes.data()));
  auto short_crc = static_cast<std::uint32_t>(crc);
  for (const std::uint8_t byte : bytes) short_crc = _mm_crc32_u8(short_crc, byte);
  return ~short_crc;
}
#else
std::uint32_t crc32c(ByteView bytes, std::uint32_t before) { return detail::crc32c_by_table(bytes, before); }
#endif

}  // namespace cidbus
