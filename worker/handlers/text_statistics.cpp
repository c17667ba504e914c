#include "worker/handlers/text_statistics.h"

namespace cidbus {

void TextStatistics::add(ByteView bytes) {
  for (const std::uint8_t byte : bytes) {
    if (!valid_) return;
    missing_ > 0 ? go_on(byte) : begin_character(byte);
  }
}

void TextStatistics::begin_character(std::uint8_t byte) {
  const bool is_space = byte == ' ' || (byte >= '\t' && byte <= '\r');
  if (!is_space && !in_word_) ++words_;
  in_word_ = !is_space;
  ++characters_;
  if (byte == '\n') ++lines_;
  if (byte == 0) valid_ = false;
  if (byte < 0x80) return;
  ascii_ = false;
  lowest_ = 0x80;
  highest_ = 0xbf;
  if (byte >= 0xc2 && byte <= 0xdf) {
    missing_ = 1;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    missing_ = 2;
    if (byte == 0xe0) lowest_ = 0xa0;   // shorter forms
    if (byte == 0xed) highest_ = 0x9f;  // surrogates
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    missing_ = 3;
    if (byte == 0xf0) lowest_ = 0x90;
    if (byte == 0xf4) highest_ = 0x8f;  // beyond U+10FFFF
  } else {
    valid_ = false;
  }
}

void TextStatistics::go_on(std::uint8_t byte) {
  valid_ = byte >= lowest_ && byte <= highest_;
  lowest_ = 0x80;
  highest_ = 0xbf;
  --missing_;
}

std::string_view TextStatistics::encoding() const {
  if (!is_text()) return "binary";
  return ascii_ ? "ascii" : "utf-8";
}

}  // namespace cidbus
