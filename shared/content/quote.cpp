#include "shared/content/quote.h"

#include <cstdint>

namespace cidbus {

namespace {

// The bytes of the UTF-8 sequence at the front of `text`; 0 when there is none (RFC 3629, table 3-7 of
// Unicode).
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const auto continues = [&](std::size_t from, std::size_t to) {
    if (text.size() < to) return false;
    for (std::size_t at = from; at < to; ++at) {
      if ((byte(at) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1, 2) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1, 3)) return 0;
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1, 4)) return 0;
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool beyond = first == 0xf4 && byte(1) > 0x8f;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const char character : bytes) {
    const auto byte = static_cast<std::uint8_t>(character);
    out += "\\x";
    out += digits[byte >> 4];
    out += digits[byte & 0xf];
  }
}

// Whether one whole UTF-8 sequence is a character that does something instead of showing something: C0 and
// DEL, C1 (U+0080 to U+009F), U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
bool is_control(std::string_view sequence) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(sequence[at]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  if (sequence.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  if (sequence.size() != 3 || byte(0) != 0xe2) return false;
  if (byte(1) == 0x80) return byte(2) == 0x8e || byte(2) == 0x8f || (byte(2) >= 0xa8 && byte(2) <= 0xae);
  return byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const std::string_view taken = text.substr(0, length == 0 ? 1 : length);
    if (out.size() + taken.size() > quoted_bytes) {
      out += "...";
      break;
    }
    if (length == 0 || is_control(taken) || taken == "\\")
      append_escaped(out, taken);
    else
      out += taken;
    text.remove_prefix(taken.size());
  }
  return out + "'";
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const std::string_view taken = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || is_control(taken))
      append_escaped(out, taken);
    else
      out += taken;
    text.remove_prefix(taken.size());
  }
  return out;
}

bool is_plain_line(std::string_view text) { return escaped(text) == text; }

}  // namespace cidbus
