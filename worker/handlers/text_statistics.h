// Counts lines, words and characters of a text that comes in pieces, and says whether it is one.
//
// A line ends with a newline; a word is what stands between ASCII spaces; a character is a code point. UTF-8
// is checked to the letter (RFC 3629): overlong forms, surrogates and what is beyond U+10FFFF are none.
//
// Thread rule: one owner. Limits: none; it remembers three bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "shared/base/bytes.h"

namespace cidbus {

class TextStatistics {
 public:
  void add(ByteView bytes);

  // "ascii", "utf-8" or "binary", of all that was added.
  [[nodiscard]] std::string_view encoding() const;
  [[nodiscard]] bool is_text() const { return valid_ && missing_ == 0; }
  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t words() const { return words_; }
  [[nodiscard]] std::uint64_t characters() const { return characters_; }

 private:
  void begin_character(std::uint8_t byte);
  void go_on(std::uint8_t byte);

  bool valid_ = true;
  bool ascii_ = true;
  bool in_word_ = false;
  unsigned missing_ = 0;         // bytes of the character under way
  std::uint8_t lowest_ = 0x80;   // of its next byte
  std::uint8_t highest_ = 0xbf;  // likewise
  std::uint64_t lines_ = 0;
  std::uint64_t words_ = 0;
  std::uint64_t characters_ = 0;
};

}  // namespace cidbus
