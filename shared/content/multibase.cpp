#include "shared/content/multibase.h"

#include <algorithm>
#include <array>
#include <optional>

#include "shared/base/ensure.h"

namespace cidbus {

namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr std::string_view hex_upper = "0123456789ABCDEF";
constexpr std::string_view rfc4648_base32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view rfc4648_base32_upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view base36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base36_upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view base58btc = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 0xff;
using Digits = std::array<std::uint8_t, 256>;  // the value of each character; no_digit where it has none

constexpr Digits digits_of(std::string_view alphabet, std::string_view other_case = {}) {
  Digits digits{};
  digits.fill(no_digit);
  for (const std::string_view letters : {alphabet, other_case}) {
    for (std::size_t value = 0; value < letters.size(); ++value) {
      digits[static_cast<std::uint8_t>(letters[value])] = static_cast<std::uint8_t>(value);
    }
  }
  return digits;
}

// How a base is written: by groups of bits, or as one big number (bits is 0 then).
struct Alphabet {
  std::string_view name;
  std::string_view letters;
  Digits digits;
  unsigned bits;
};

constexpr Alphabet alphabet_hex{"base16", hex, digits_of(hex, hex_upper), 4};
constexpr Alphabet alphabet_hex_upper{"base16", hex_upper, digits_of(hex, hex_upper), 4};
constexpr Alphabet alphabet_32{"base32", rfc4648_base32, digits_of(rfc4648_base32, rfc4648_base32_upper), 5};
constexpr Alphabet alphabet_32_upper{"base32", rfc4648_base32_upper,
                                     digits_of(rfc4648_base32, rfc4648_base32_upper), 5};
constexpr Alphabet alphabet_36{"base36", base36, digits_of(base36, base36_upper), 0};
constexpr Alphabet alphabet_36_upper{"base36", base36_upper, digits_of(base36, base36_upper), 0};
constexpr Alphabet alphabet_58{"base58btc", base58btc, digits_of(base58btc), 0};
constexpr Alphabet alphabet_64{"base64url", base64url, digits_of(base64url), 6};

const Alphabet* find_alphabet(char letter) {
  switch (static_cast<Multibase>(letter)) {
    case Multibase::Base16:
      return &alphabet_hex;
    case Multibase::Base16Upper:
      return &alphabet_hex_upper;
    case Multibase::Base32:
      return &alphabet_32;
    case Multibase::Base32Upper:
      return &alphabet_32_upper;
    case Multibase::Base36:
      return &alphabet_36;
    case Multibase::Base36Upper:
      return &alphabet_36_upper;
    case Multibase::Base58Btc:
      return &alphabet_58;
    case Multibase::Base64Url:
      return &alphabet_64;
  }
  return nullptr;
}

std::string encode_groups(const Alphabet& alphabet, ByteView bytes) {
  std::string text;
  std::uint32_t held = 0;  // bits not yet written, the newest lowest
  unsigned held_bits = 0;
  const std::uint32_t mask = (1U << alphabet.bits) - 1;
  for (const std::uint8_t byte : bytes) {
    held = held << 8 | byte;
    for (held_bits += 8; held_bits >= alphabet.bits;) {
      held_bits -= alphabet.bits;
      text += alphabet.letters[held >> held_bits & mask];
    }
    held &= (1U << held_bits) - 1;
  }
  if (held_bits > 0) text += alphabet.letters[held << (alphabet.bits - held_bits) & mask];
  return text;
}

std::optional<Bytes> decode_groups(const Alphabet& alphabet, std::string_view text) {
  Bytes bytes;
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char character : text) {
    const std::uint8_t digit = alphabet.digits[static_cast<std::uint8_t>(character)];
    if (digit == no_digit) return std::nullopt;
    held = held << alphabet.bits | digit;
    held_bits += alphabet.bits;
    if (held_bits >= 8) {
      held_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(held >> held_bits));
      held &= (1U << held_bits) - 1;
    }
  }
  // Left-over bits must be the zeros that filled the last group, and fewer than a group.
  if (held != 0 || held_bits >= alphabet.bits) return std::nullopt;
  return bytes;
}

// Turns the digits of a big number into those of another radix, most significant first, and keeps leading
// zeros. Both are known when this is compiled, which spares the divisions.
template <unsigned From, unsigned To>
Bytes change_radix(ByteView digits) {
  const auto zeros = static_cast<std::size_t>(
      std::find_if(digits.begin(), digits.end(), [](std::uint8_t digit) { return digit != 0; }) -
      digits.begin());
  Bytes number;  // least significant first
  number.reserve(digits.size() * 2);
  for (const std::uint8_t digit : digits.subspan(zeros)) {
    std::uint32_t carry = digit;
    for (std::uint8_t& place : number) {
      carry += place * From;
      place = static_cast<std::uint8_t>(carry % To);
      carry /= To;
    }
    for (; carry > 0; carry /= To) number.push_back(static_cast<std::uint8_t>(carry % To));
  }
  number.resize(number.size() + zeros, 0);
  std::reverse(number.begin(), number.end());
  return number;
}

std::string encode_number(const Alphabet& alphabet, ByteView bytes) {
  const Bytes digits =
      alphabet.letters.size() == 58 ? change_radix<256, 58>(bytes) : change_radix<256, 36>(bytes);
  std::string text;
  for (const std::uint8_t digit : digits) text += alphabet.letters[digit];
  return text;
}

std::optional<Bytes> decode_number(const Alphabet& alphabet, std::string_view text) {
  Bytes digits;
  for (const char character : text) {
    const std::uint8_t digit = alphabet.digits[static_cast<std::uint8_t>(character)];
    if (digit == no_digit) return std::nullopt;
    digits.push_back(digit);
  }
  return alphabet.letters.size() == 58 ? change_radix<58, 256>(digits) : change_radix<36, 256>(digits);
}

std::string encode(const Alphabet& alphabet, ByteView bytes) {
  ENSURE(bytes.size() <= limits::cid_bytes, bytes.size());
  return alphabet.bits == 0 ? encode_number(alphabet, bytes) : encode_groups(alphabet, bytes);
}

Result<Bytes> decode(const Alphabet& alphabet, std::string_view text) {
  if (text.size() > limits::cid_length) {
    return fault(FaultKind::BadData, std::to_string(text.size()) + " characters, where " +
                                         std::to_string(limits::cid_length) + " are the most");
  }
  auto bytes = alphabet.bits == 0 ? decode_number(alphabet, text) : decode_groups(alphabet, text);
  if (!bytes) return fault(FaultKind::BadData, "not valid " + std::string(alphabet.name));
  return *std::move(bytes);
}

}  // namespace

std::string encode_multibase(Multibase base, ByteView bytes) {
  const Alphabet* alphabet = find_alphabet(static_cast<char>(base));
  ENSURE(alphabet != nullptr, static_cast<int>(base));
  return static_cast<char>(base) + encode(*alphabet, bytes);
}

Result<Bytes> decode_multibase(std::string_view text) {
  const Alphabet* alphabet = text.empty() ? nullptr : find_alphabet(text[0]);
  if (alphabet == nullptr) return fault(FaultKind::BadData, "its first letter names no known multibase");
  return decode(*alphabet, text.substr(1));
}

std::string encode_base58btc(ByteView bytes) { return encode(alphabet_58, bytes); }

Result<Bytes> decode_base58btc(std::string_view text) { return decode(alphabet_58, text); }

}  // namespace cidbus
