// HAMT: where an entry of a sharded directory stands (https://specs.ipfs.tech/unixfs, "HAMTDirectory").
//
// A name's bucket at a level is the next log2(fanout) bits of the first half of murmur3_x64_128(name), from
// the most significant down. A shard's link is named by its bucket in upper-case hexadecimal (as wide as
// fanout - 1 is), with the entry's name behind it, or nothing when it leads to a further shard. The bitfield
// of used buckets is big-endian with its leading zero bytes cut off.
//
// Thread rule: functions of their arguments. Limits: fanout 8 to limits::hamt_fanout, a power of two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"

namespace cidbus {

// First 64 bits of MurmurHash3_x64_128, seed 0 (https://github.com/aappleby/smhasher, MurmurHash3.cpp).
std::uint64_t murmur3_x64_64(ByteView bytes);

// The shape of the shards of one directory.
class HamtShape {
 public:
  // Nothing unless the fanout is a power of two, a multiple of 8 and at most limits::hamt_fanout
  // (CVE-2023-23625).
  static std::optional<HamtShape> of(std::uint64_t fanout);

  [[nodiscard]] unsigned fanout() const { return 1U << bits_; }
  [[nodiscard]] unsigned levels() const { return 64 / bits_; }  // after them the bits of the hash are used up
  [[nodiscard]] std::size_t prefix_characters() const { return (bits_ + 3) / 4; }
  // REQUIRES: level < levels()
  [[nodiscard]] unsigned bucket(std::uint64_t hash, unsigned level) const;
  // REQUIRES: bucket < fanout()
  [[nodiscard]] std::string prefix(unsigned bucket) const;
  // The bucket that the front of a link's name says; nothing when it says none.
  [[nodiscard]] std::optional<unsigned> parse_prefix(std::string_view name) const;

 private:
  explicit HamtShape(unsigned bits) : bits_(bits) {}
  unsigned bits_;  // of the hash used up at each level
};

// The used buckets of a shard.
class HamtBitfield {
 public:
  explicit HamtBitfield(const HamtShape& shape) : bytes_(shape.fanout() / 8) {}
  void set(unsigned bucket);
  [[nodiscard]] ByteView trimmed() const;

 private:
  Bytes bytes_;
};

// Whether a bitfield as read says that the bucket is used.
bool bitfield_has(ByteView bitfield, unsigned bucket);
// Used buckets in all.
std::size_t bitfield_count(ByteView bitfield);

}  // namespace cidbus
