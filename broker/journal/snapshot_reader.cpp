#include "broker/journal/snapshot_reader.h"

#include <algorithm>
#include <utility>

#include "broker/journal/sha256.h"
#include "shared/base/crc32c.h"

namespace cidbus {
namespace {

constexpr ByteCount chunk_head_bytes = 8;
constexpr ByteCount counts_bytes = 16;  // of the footer, before its hash

tl::unexpected<Fault> damage(const std::string& path, ByteCount offset, const std::string& what) {
  return fault(FaultKind::BadData,
               "the snapshot is damaged: " + path + " at " + std::to_string(offset) + ": " + what);
}

Status verify_hash(File& file, const std::string& path, ByteCount size) {
  Sha256 hash;
  Bytes buffer;
  const ByteCount hashed = size - Sha256Digest().size();
  for (ByteCount offset = 0; offset < hashed; offset += buffer.size()) {
    buffer.resize(std::min<ByteCount>(1 << 20, hashed - offset));
    const auto count = file.read(offset, buffer);
    if (!count) return damage(path, offset, count.error().message);
    if (*count != buffer.size()) return damage(path, offset, "the file ends too early");
    hash.update(buffer);
  }
  Sha256Digest stored{};
  const auto count = file.read(hashed, stored);
  if (!count || *count != stored.size() || hash.finish() != stored)
    return damage(path, hashed, "the hash of the file does not fit");
  return {};
}

}  // namespace

Result<SnapshotReader> SnapshotReader::open(FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file) return tl::unexpected(file.error());
  SnapshotReader reader(path, std::move(*file));
  const auto header = reader.read(snapshot_header_bytes, "its header is not there");
  if (!header) return tl::unexpected(header.error());
  auto info = decode_snapshot_info(*header);
  if (!info) return damage(path, 0, "its header is damaged");
  reader.info_ = std::move(*info);
  return reader;
}

Result<Bytes> SnapshotReader::read(ByteCount count, const char* what) {
  Bytes bytes(count);
  const auto got = file_->read(offset_, bytes);
  if (!got) return damage(path_, offset_, got.error().message);
  if (*got != count) return damage(path_, offset_, what);
  offset_ += count;
  return bytes;
}

Result<std::optional<Bytes>> SnapshotReader::next_chunk() {
  const ByteCount at = offset_;
  const auto head = read(chunk_head_bytes, "the file ends too early");
  if (!head) return tl::unexpected(head.error());
  ByteReader numbers(*head);
  const auto length = numbers.number<std::uint32_t>();
  const auto crc = numbers.number<std::uint32_t>();
  if (length == 0 && crc == 0) {
    offset_ = at;  // asked again, it is the end again
    return std::nullopt;
  }
  if (length == 0 || length > snapshot_chunk_bytes) return damage(path_, at, "a chunk's length is damaged");
  auto bytes = read(length, "the file ends too early");
  if (!bytes) return tl::unexpected(bytes.error());
  if (crc32c(*bytes) != crc) return damage(path_, at, "a chunk's checksum does not fit");
  return std::move(*bytes);
}

Result<ByteCount> verify_snapshot(FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file) return tl::unexpected(file.error());
  (*file)->forget_cache();  // what is on the disk is asked for, not what was written
  auto reader = SnapshotReader::open(files, path);
  if (!reader) return tl::unexpected(reader.error());
  ByteCount end = snapshot_header_bytes;
  std::uint64_t chunks = 0;
  std::uint64_t payload = 0;
  while (true) {
    const auto chunk = reader->next_chunk();
    if (!chunk) return tl::unexpected(chunk.error());
    if (!*chunk) break;
    ++chunks;
    payload += (*chunk)->size();
    end += chunk_head_bytes + (*chunk)->size();
  }
  end += chunk_head_bytes;
  const auto size = (*file)->size();
  if (!size) return tl::unexpected(size.error());
  if (*size != end + counts_bytes + Sha256Digest().size())
    return damage(path, end, "the file is of another length than its chunks say");
  Bytes counts(counts_bytes);
  const auto count = (*file)->read(end, counts);
  ByteReader numbers(counts);
  if (!count || numbers.number<std::uint64_t>() != chunks || numbers.number<std::uint64_t>() != payload)
    return damage(path, end, "the number of its chunks is damaged");
  if (Status status = verify_hash(**file, path, *size); !status) return tl::unexpected(status.error());
  return *size;
}

}  // namespace cidbus
