// Multibase: bytes as text, with a first letter that names the alphabet
// (https://github.com/multiformats/multibase).
//
// The bases CIDs are written in: f F (hexadecimal), b B (RFC 4648 base32 without padding), k K (base36),
// z (base58btc), u (RFC 4648 base64url without padding). The decoders of f b k take either case, as the
// public vectors ask; padding, stray characters and bits left over are refused, so that bytes have one text
// in a base.
//
// Thread rule: functions of their arguments. Limits: texts of limits::cid_length, refused before any decoding
// because base36 and base58 are quadratic; bytes of limits::cid_bytes when encoding.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/base/limits/words.h"
#include "shared/base/result.h"

namespace cidbus {

enum class Multibase : char {
  Base16 = 'f',
  Base16Upper = 'F',
  Base32 = 'b',
  Base32Upper = 'B',
  Base36 = 'k',
  Base36Upper = 'K',
  Base58Btc = 'z',
  Base64Url = 'u',
};

// The letter, then the text. REQUIRES: bytes.size() <= limits::cid_bytes
std::string encode_multibase(Multibase base, ByteView bytes);
// BadData when the letter is none of the above or the text is not of that base.
Result<Bytes> decode_multibase(std::string_view text);

// Without the letter, as CIDv0 is written. REQUIRES: bytes.size() <= limits::cid_bytes
std::string encode_base58btc(ByteView bytes);
Result<Bytes> decode_base58btc(std::string_view text);

}  // namespace cidbus
