#include "worker/handlers/webp.h"

#include <string_view>

namespace cidbus {
namespace {

constexpr std::size_t chunk_head = 8;          // four letters, then a 32-bit length
constexpr std::uint8_t metadata_flags = 0x2c;  // in the first byte of VP8X: ICCP 0x20, EXIF 0x08, XMP 0x04

}  // namespace

Bytes without_webp_metadata(ByteView file) {
  ByteReader reader(file);
  const bool is_riff = as_text(reader.raw(4)) == "RIFF";
  reader.number<std::uint32_t>();
  const bool is_webp = as_text(reader.raw(4)) == "WEBP";
  if (!is_riff || !is_webp) return to_bytes(file);

  Bytes chunks;
  ByteWriter writer(chunks);
  while (!reader.failed() && !reader.at_end()) {
    const std::string_view name = as_text(reader.raw(4));
    const auto length = reader.number<std::uint32_t>();
    const ByteView content = reader.raw(std::size_t{length} + (length & 1));  // padded to an even length
    if (reader.failed()) return to_bytes(file);
    if (name == "EXIF" || name == "XMP " || name == "ICCP") continue;
    const std::size_t start = chunks.size();
    writer.raw(as_bytes(name));
    writer.number(length);
    writer.raw(content);
    if (name == "VP8X" && length > 0)
      chunks[start + chunk_head] &= static_cast<std::uint8_t>(~metadata_flags);
  }

  Bytes stripped;
  ByteWriter head(stripped);
  head.raw(as_bytes("RIFF"));
  head.number(static_cast<std::uint32_t>(chunks.size() + 4));
  head.raw(as_bytes("WEBP"));
  head.raw(chunks);
  return stripped;
}

}  // namespace cidbus
