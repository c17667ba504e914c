// CID: the name of a block, made from its content (https://github.com/multiformats/cid).
//
// A CIDv0 is a bare sha2-256 multihash and means dag-pb; a CIDv1 is 01, the codec, the multihash. Two CIDs of
// one block may differ in version and codec; stores therefore key by multihash(), traversal goes by codec().
//
// Invariants: 1. bytes() has at most limits::cid_bytes and parses back to the same value. 2. version 0 has
// exactly 34 bytes, 12 20 first. 3. a default Cid is null: no bytes; only is_null, ==, <=>, bytes and hash
// may be asked of it. 4. the usual CID is 40 bytes without heap (CompactBytes). Thread rule: values. Limits:
// limits::cid_bytes, limits::cid_length (checked before decoding).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"
#include "shared/base/limits/words.h"
#include "shared/base/result.h"
#include "shared/content/compact_bytes.h"
#include "shared/content/multibase.h"
#include "shared/content/multihash.h"

namespace cidbus {

// Any number of the multicodec table may stand here (https://github.com/multiformats/multicodec).
enum class Codec : std::uint64_t {
  Cbor = 0x51,
  Raw = 0x55,
  DagPb = 0x70,
  DagCbor = 0x71,
  Libp2pKey = 0x72,
  DagJson = 0x0129,
  Json = 0x0200,
};

class Cid {
 public:
  Cid() = default;
  // REQUIRES: sha2-256 with all its 32 bytes
  static Cid v0(const Multihash& multihash);
  // REQUIRES: not null, and limits::cid_bytes in all
  static Cid v1(Codec codec, const Multihash& multihash);

  // All of the bytes, or BadData.
  static Result<Cid> from_bytes(ByteView bytes);
  // From the front of a longer text (a CAR section); the reader stands behind it afterwards.
  static Result<Cid> read(ByteReader& reader);
  // "Qm..." or multibase; nothing around it. BadData starts with "not a CID: ".
  static Result<Cid> parse(std::string_view text);

  [[nodiscard]] bool is_null() const { return bytes_.empty(); }
  [[nodiscard]] unsigned version() const { return bytes_.mark() == 0 ? 0 : 1; }
  [[nodiscard]] Codec codec() const;
  [[nodiscard]] Multihash multihash() const;
  // The multihash inside bytes(); valid as long as those.
  [[nodiscard]] ByteView multihash_bytes() const { return bytes().subspan(bytes_.mark()); }
  [[nodiscard]] bool is_identity() const { return !is_null() && multihash_bytes()[0] == 0; }
  // The content of an identity CID. REQUIRES: is_identity(). Valid as long as bytes().
  [[nodiscard]] ByteView identity_content() const;
  // Valid until the value moves, changes or ends.
  [[nodiscard]] ByteView bytes() const { return bytes_.view(); }

  // By bytes: CIDs of one block in different versions differ.
  friend bool operator==(const Cid&, const Cid&) = default;
  friend std::strong_ordering operator<=>(const Cid&, const Cid&) = default;
  // Equal for all CIDs of one multihash.
  [[nodiscard]] std::size_t hash() const { return bytes_.hash(); }

 private:
  CompactBytes
      bytes_;  // its mark is where the multihash begins: 0 in version 0, behind the codec in version 1
};

// As it is usually written: version 0 in bare base58btc, version 1 in base32.
std::string to_text(const Cid& cid);
// In the base asked for; version 0 knows no bases and is written as its version 1.
std::string to_text(const Cid& cid, Multibase base);
// The same block named by version 1.
Cid as_v1(const Cid& cid);

// "dag-pb", or "codec 0x85" for one without a name here.
std::string to_text(Codec codec);

// Ok when the content is what the CID names; BadData, naming the CID, when it is not or cannot be checked.
Status verify(const Cid& cid, ByteView content);

// What people type and URLs hold: a CID, and names below it.
struct ContentPath {
  Cid root;
  std::vector<std::string> segments;  // never empty ones
};
// CID, CID/a/b, /ipfs/CID/a/b or ipfs://CID/a/b. Segments are taken as they are: nothing is percent-decoded,
// "." and
// ".." mean nothing. BadData when there is no CID; limits::path_bytes below it.
Result<ContentPath> parse_content_path(std::string_view text);

}  // namespace cidbus

template <>
struct std::hash<cidbus::Cid> {
  std::size_t operator()(const cidbus::Cid& cid) const noexcept { return cid.hash(); }
};
