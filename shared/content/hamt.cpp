#include "shared/content/hamt.h"

#include <bit>
#include <cstring>

#include "shared/base/ensure.h"

namespace cidbus {

namespace {

constexpr std::uint64_t murmur_c1 = 0x87c37b91114253d5ULL;
constexpr std::uint64_t murmur_c2 = 0x4cf5ad432745937fULL;

std::uint64_t murmur_mix_first(std::uint64_t lane) { return std::rotl(lane * murmur_c1, 31) * murmur_c2; }
std::uint64_t murmur_mix_second(std::uint64_t lane) { return std::rotl(lane * murmur_c2, 33) * murmur_c1; }

std::uint64_t murmur_finish(std::uint64_t half) {
  half = (half ^ (half >> 33)) * 0xff51afd7ed558ccdULL;
  half = (half ^ (half >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return half ^ (half >> 33);
}

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

}  // namespace

std::uint64_t murmur3_x64_64(ByteView bytes) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  const std::uint64_t length = bytes.size();
  for (; bytes.size() >= 16; bytes = bytes.subspan(16)) {
    first ^= murmur_mix_first(little_endian(bytes.first(8)));
    first = (std::rotl(first, 27) + second) * 5 + 0x52dce729;
    second ^= murmur_mix_second(little_endian(bytes.subspan(8, 8)));
    second = (std::rotl(second, 31) + first) * 5 + 0x38495ab5;
  }
  if (bytes.size() > 8) second ^= murmur_mix_second(little_endian(bytes.subspan(8)));
  if (!bytes.empty())
    first ^= murmur_mix_first(little_endian(bytes.first(std::min<std::size_t>(8, bytes.size()))));
  first ^= length;
  second ^= length;
  first += second;
  second += first;
  return murmur_finish(first) + murmur_finish(second);
}

std::optional<HamtShape> HamtShape::of(std::uint64_t fanout) {
  if (!std::has_single_bit(fanout) || fanout % 8 != 0 || fanout > limits::hamt_fanout) return std::nullopt;
  return HamtShape(static_cast<unsigned>(std::countr_zero(fanout)));
}

unsigned HamtShape::bucket(std::uint64_t hash, unsigned level) const {
  ENSURE(level < levels(), level);
  return static_cast<unsigned>(hash >> (64 - bits_ * (level + 1))) & (fanout() - 1);
}

std::string HamtShape::prefix(unsigned bucket) const {
  ENSURE(bucket < fanout(), bucket);
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string text(prefix_characters(), '0');
  for (std::size_t at = text.size(); at-- > 0; bucket >>= 4) text[at] = digits[bucket & 15];
  return text;
}

std::optional<unsigned> HamtShape::parse_prefix(std::string_view name) const {
  if (name.size() < prefix_characters()) return std::nullopt;
  unsigned bucket = 0;
  for (const char character : name.substr(0, prefix_characters())) {
    unsigned digit = 0;
    if (character >= '0' && character <= '9') {
      digit = static_cast<unsigned>(character - '0');
    } else if (character >= 'A' && character <= 'F') {
      digit = static_cast<unsigned>(character - 'A') + 10;
    } else {
      return std::nullopt;
    }
    bucket = bucket << 4 | digit;
  }
  if (bucket >= fanout()) return std::nullopt;
  return bucket;
}

void HamtBitfield::set(unsigned bucket) {
  ENSURE(bucket / 8 < bytes_.size(), bucket);
  bytes_[bytes_.size() - 1 - bucket / 8] |= static_cast<std::uint8_t>(1U << bucket % 8);
}

ByteView HamtBitfield::trimmed() const {
  ByteView view = bytes_;
  while (!view.empty() && view[0] == 0) view = view.subspan(1);
  return view;
}

bool bitfield_has(ByteView bitfield, unsigned bucket) {
  const std::size_t from_end = bucket / 8;
  if (from_end >= bitfield.size()) return false;
  return (bitfield[bitfield.size() - 1 - from_end] >> bucket % 8 & 1) != 0;
}

std::size_t bitfield_count(ByteView bitfield) {
  std::size_t count = 0;
  for (const std::uint8_t byte : bitfield) count += static_cast<std::size_t>(std::popcount(byte));
  return count;
}

}  // namespace cidbus
