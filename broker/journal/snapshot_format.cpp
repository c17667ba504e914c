#include "broker/journal/snapshot_format.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr std::uint64_t snapshot_magic = 0x3170616e'73646963;  // "cidsnap1"
constexpr std::uint32_t snapshot_version = 1;
constexpr std::uint32_t hash_sha256 = 1;
constexpr std::string_view prefix = "snapshot-";

}  // namespace

Bytes encode(const SnapshotInfo& info) {
  ENSURE(info.config.size() <= config_bytes, info.config.size());
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number(std::uint32_t{0});
  writer.number(snapshot_version);
  writer.number(snapshot_magic);
  writer.number(hash_sha256);
  writer.number(info.last.crc);
  writer.number(info.cluster.value);
  writer.number(info.last.last.value);
  writer.number(info.last.epoch.value);
  writer.number(info.time.milliseconds);
  writer.raw(info.digest);
  writer.number(info.config_version);
  writer.sized(ByteView(info.config));
  bytes.resize(snapshot_header_bytes);
  const std::uint32_t crc = crc32c(ByteView(bytes).subspan(sizeof(std::uint32_t)));
  std::memcpy(bytes.data(), &crc, sizeof crc);
  return bytes;
}

std::optional<SnapshotInfo> decode_snapshot_info(ByteView bytes) {
  ByteReader reader(bytes);
  if (bytes.size() != snapshot_header_bytes ||
      reader.number<std::uint32_t>() != crc32c(bytes.subspan(sizeof(std::uint32_t))))
    return std::nullopt;
  if (reader.number<std::uint32_t>() != snapshot_version ||
      reader.number<std::uint64_t>() != snapshot_magic || reader.number<std::uint32_t>() != hash_sha256)
    return std::nullopt;
  SnapshotInfo info;
  info.last.crc = reader.number<std::uint32_t>();
  info.cluster = {reader.number<std::uint64_t>()};
  info.last.last = {reader.number<std::uint64_t>()};
  info.last.epoch = {reader.number<std::uint64_t>()};
  info.time = {reader.number<std::int64_t>()};
  const ByteView digest = reader.raw(info.digest.size());
  std::copy(digest.begin(), digest.end(), info.digest.begin());
  info.config_version = reader.number<std::uint64_t>();
  info.config = to_bytes(reader.sized());
  if (reader.failed() || info.config.size() > config_bytes) return std::nullopt;
  return info;
}

std::string snapshot_name(LogIndex last) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "snapshot-%020llu", static_cast<unsigned long long>(last.value));
  return text.data();
}

std::optional<LogIndex> parse_snapshot_name(const std::string& name) {
  if (!name.starts_with(prefix) || name.size() != prefix.size() + 20) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : name.substr(prefix.size())) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (snapshot_name({value}) != name) return std::nullopt;
  return LogIndex{value};
}

}  // namespace cidbus
