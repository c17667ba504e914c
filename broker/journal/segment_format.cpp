#include "broker/journal/segment_format.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr std::uint64_t segment_magic = 0x31676573'62646963;  // "cidbseg1"
constexpr std::uint32_t seal_magic = 0x6c616573;              // "seal"
constexpr std::uint32_t format_version = 1;
constexpr std::uint32_t flag_begins_anew = 1;

// Every structure begins with its own checksum: zeros to `size`, then the CRC over all but itself.
Bytes sealed(Bytes bytes, std::size_t size) {
  ENSURE(bytes.size() <= size, bytes.size(), size);
  bytes.resize(size);
  const std::uint32_t crc = crc32c(ByteView(bytes).subspan(sizeof(std::uint32_t)));
  std::memcpy(bytes.data(), &crc, sizeof crc);
  return bytes;
}

bool intact(ByteView bytes, std::size_t size) {
  if (bytes.size() != size) return false;
  return ByteReader(bytes).number<std::uint32_t>() == crc32c(bytes.subspan(sizeof(std::uint32_t)));
}

bool all_zeros(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void write_end(ByteWriter& writer, const ChainEnd& end) {
  writer.number(end.last.value);
  writer.number(end.epoch.value);
  writer.number(end.crc);
}

ChainEnd read_end(ByteReader& reader) {
  ChainEnd end;
  end.last = {reader.number<std::uint64_t>()};
  end.epoch = {reader.number<std::uint64_t>()};
  end.crc = reader.number<std::uint32_t>();
  return end;
}

}  // namespace

Bytes encode(const SegmentHeader& header) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number(std::uint32_t{0});
  writer.number(format_version);
  writer.number(segment_magic);
  writer.number(header.cluster.value);
  writer.raw(header.incarnation.bytes);
  writer.number(header.number);
  writer.number(header.segment_bytes);
  writer.number(header.head_bytes);
  writer.number(header.begins_anew ? flag_begins_anew : std::uint32_t{0});
  write_end(writer, header.base);
  return sealed(std::move(bytes), structure_bytes);
}

Stored<SegmentHeader> decode_segment_header(ByteView bytes) {
  if (all_zeros(bytes)) return {.empty = true, .found = {}};
  if (!intact(bytes, structure_bytes)) return {};
  ByteReader reader(bytes.subspan(sizeof(std::uint32_t)));
  const auto version = reader.number<std::uint32_t>();
  const auto magic = reader.number<std::uint64_t>();
  if (version != format_version || magic != segment_magic) return {};
  SegmentHeader header;
  header.cluster = {reader.number<std::uint64_t>()};
  const ByteView incarnation = reader.raw(header.incarnation.bytes.size());
  std::copy(incarnation.begin(), incarnation.end(), header.incarnation.bytes.begin());
  header.number = reader.number<std::uint64_t>();
  header.segment_bytes = reader.number<std::uint64_t>();
  header.head_bytes = reader.number<std::uint64_t>();
  header.begins_anew = (reader.number<std::uint32_t>() & flag_begins_anew) != 0;
  header.base = read_end(reader);
  const bool sound = header.head_bytes > identifiers_offset && header.head_bytes < header.segment_bytes &&
                     header.head_bytes % structure_bytes == 0 && header.segment_bytes <= 1ULL << 32;
  if (!sound) return {};
  return {.empty = false, .found = header};
}

Bytes encode(const Seal& seal) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number(std::uint32_t{0});
  writer.number(seal_magic);
  writer.number(seal.identifiers);
  write_end(writer, seal.end);
  return sealed(std::move(bytes), structure_bytes);
}

Stored<Seal> decode_seal(ByteView bytes) {
  if (all_zeros(bytes)) return {.empty = true, .found = {}};
  if (!intact(bytes, structure_bytes)) return {};
  ByteReader reader(bytes.subspan(sizeof(std::uint32_t)));
  if (reader.number<std::uint32_t>() != seal_magic) return {};
  Seal seal;
  seal.identifiers = reader.number<std::uint32_t>();
  seal.end = read_end(reader);
  return {.empty = false, .found = seal};
}

Bytes encode(const Identifier& identifier) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number(std::uint32_t{0});
  writer.number(static_cast<std::uint8_t>(identifier.kind));
  writer.number(identifier.flags);
  writer.number(std::uint16_t{0});
  writer.number(identifier.offset);
  writer.number(identifier.length);
  writer.number(identifier.count);
  writer.number(identifier.crc);
  writer.number(std::uint32_t{0});
  writer.number(identifier.first.value);
  writer.number(identifier.epoch.value);
  writer.number(identifier.office.value);
  return sealed(std::move(bytes), identifier_bytes);
}

Stored<Identifier> decode_identifier(ByteView bytes) {
  if (all_zeros(bytes)) return {.empty = true, .found = {}};
  if (!intact(bytes, identifier_bytes)) return {};
  ByteReader reader(bytes.subspan(sizeof(std::uint32_t)));
  Identifier identifier;
  const auto kind = reader.number<std::uint8_t>();
  identifier.flags = reader.number<std::uint8_t>();
  reader.number<std::uint16_t>();
  identifier.offset = reader.number<std::uint64_t>();
  identifier.length = reader.number<std::uint32_t>();
  identifier.count = reader.number<std::uint32_t>();
  identifier.crc = reader.number<std::uint32_t>();
  reader.number<std::uint32_t>();
  identifier.first = {reader.number<std::uint64_t>()};
  identifier.epoch = {reader.number<std::uint64_t>()};
  identifier.office = {reader.number<std::uint64_t>()};
  if (kind != static_cast<std::uint8_t>(IdentifierKind::Batch) &&
      kind != static_cast<std::uint8_t>(IdentifierKind::Cut))
    return {};
  identifier.kind = static_cast<IdentifierKind>(kind);
  return {.empty = false, .found = identifier};
}

Bytes encode(const Trailer& trailer) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number(trailer.office.value);
  writer.number(trailer.batch_crc);
  writer.number(crc32c(bytes));
  return bytes;
}

std::optional<Trailer> decode_trailer(ByteView bytes) {
  ByteReader reader(bytes);
  Trailer trailer;
  trailer.office = {reader.number<std::uint64_t>()};
  trailer.batch_crc = reader.number<std::uint32_t>();
  const auto crc = reader.number<std::uint32_t>();
  if (!reader.complete() || crc != crc32c(bytes.first(trailer_bytes - sizeof crc))) return std::nullopt;
  return trailer;
}

std::string segment_name(std::uint64_t number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "segment-%010llu", static_cast<unsigned long long>(number));
  return text.data();
}

std::optional<std::uint64_t> parse_segment_name(const std::string& name) {
  constexpr std::string_view prefix = "segment-";
  if (name.size() <= prefix.size() || name.size() > 28 || name.compare(0, prefix.size(), prefix) != 0)
    return {};
  std::uint64_t number = 0;
  for (const char digit : name.substr(prefix.size())) {
    if (digit < '0' || digit > '9') return {};
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (segment_name(number) != name) return {};
  return number;
}

}  // namespace cidbus
