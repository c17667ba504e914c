// Multihash: a digest that says which function made it (https://github.com/multiformats/multihash).
//
// Block stores key by multihash and not by CID, so that v0, v1 and raw forms of one block are the same bytes.
//
// Invariants: 1. bytes() is varint(code) varint(length) digest, minimal varints. 2. the digest has at most
// limits::digest_bytes. 3. a default one is null: no bytes, equal only to another null.
// Thread rule: values and functions of their arguments. Limits: limits::digest_bytes. Codes without a
// function here are carried and compared, but content cannot be checked against them.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"
#include "shared/base/result.h"
#include "shared/content/compact_bytes.h"

namespace cidbus {

// Any number of the multicodec table may stand here; these are the ones computed.
enum class HashCode : std::uint64_t {
  Identity = 0x00,  // the content itself
  Sha2_256 = 0x12,
  Sha2_512 = 0x13,
  Blake2b_256 = 0xb220,
};

class Multihash {
 public:
  Multihash() = default;
  // REQUIRES: digest.size() <= limits::digest_bytes
  Multihash(HashCode code, ByteView digest);

  // All of the bytes, or BadData.
  static Result<Multihash> from_bytes(ByteView bytes);
  // From the front of a longer text; the reader stands behind it afterwards.
  static Result<Multihash> read(ByteReader& reader);

  [[nodiscard]] bool is_null() const { return bytes_.empty(); }
  // REQUIRES of the two: not null
  [[nodiscard]] HashCode code() const;
  [[nodiscard]] ByteView digest() const;
  // Valid until the value moves, changes or ends.
  [[nodiscard]] ByteView bytes() const { return bytes_.view(); }

  friend bool operator==(const Multihash&, const Multihash&) = default;
  friend std::strong_ordering operator<=>(const Multihash&, const Multihash&) = default;
  [[nodiscard]] std::size_t hash() const { return bytes_.hash(); }

 private:
  CompactBytes bytes_;
};

// The multihash of the content. BadUsage for an unknown function, and for identity beyond
// limits::digest_bytes.
Result<Multihash> hash_content(HashCode code, ByteView content);
// The same for sha2-256, which cannot fail.
Multihash sha2_256(ByteView content);

// Ok when the content has this digest; BadData when it has not, or when the function is unknown here.
// A digest cut short is compared as far as it goes, down to 20 bytes as the public IPFS network allows.
Status verify(const Multihash& multihash, ByteView content);

// "sha2-256", or "hash function 0x1b" for one that is not computed here.
std::string to_text(HashCode code);

}  // namespace cidbus

template <>
struct std::hash<cidbus::Multihash> {
  std::size_t operator()(const cidbus::Multihash& multihash) const noexcept { return multihash.hash(); }
};
