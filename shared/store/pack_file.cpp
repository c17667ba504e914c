#include "shared/store/pack_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <filesystem>

#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/content.h"

namespace cidbus {
namespace {

constexpr std::uint32_t magic = 0x00706263;  // "cbp"; the kind is its highest byte
constexpr std::size_t fixed_bytes = 20;      // of a head, without its key
constexpr std::size_t key_most = limits::digest_bytes + 20;
constexpr std::size_t piece_bytes = 2 << 20;   // written at once
constexpr std::size_t window_bytes = 1 << 20;  // read at once when looking for the next head
constexpr const char* pack_ending = ".pack";
constexpr const char* index_ending = ".index";

std::uint32_t magic_of(PackRecord::Kind kind) { return magic | static_cast<std::uint32_t>(kind) << 24; }

std::string name_of(std::uint32_t number) {
  std::string digits = std::to_string(number);
  return std::string(10 - digits.size(), '0') + digits;
}

// How many bytes were there to read, up to the buffer's size; nothing, with errno, when the disk fails.
std::optional<std::size_t> read_at(int file, std::span<std::uint8_t> buffer, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count =
        ::pread(file, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::optional<PackRecord> decode_head(ByteView bytes, std::uint64_t offset) {
  ByteReader reader(bytes);
  const auto crc = reader.number<std::uint32_t>();
  const auto word = reader.number<std::uint32_t>();
  PackRecord record;
  record.kind = static_cast<PackRecord::Kind>(word >> 24);
  record.size = reader.number<std::uint32_t>();
  record.check = reader.number<std::uint32_t>();
  const auto length = reader.number<std::uint16_t>();
  reader.number<std::uint16_t>();
  const ByteView key = reader.raw(length);
  record.offset = offset;
  const bool known = record.kind == PackRecord::Kind::Block || record.kind == PackRecord::Kind::Removal;
  if (reader.failed() || (word & 0xffffff) != magic || !known || record.size > limits::block_bytes)
    return std::nullopt;
  if (crc32c(bytes.subspan(sizeof(crc), fixed_bytes - sizeof(crc) + length)) != crc) return std::nullopt;
  auto multihash = Multihash::from_bytes(key);
  if (!multihash) return std::nullopt;
  record.key = std::move(*multihash);
  return record;
}

Status sync_folder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.number()) != 0) return errno_fault("sync", folder, errno);
  return {};
}

// How many of the parts make a piece; one at least.
int count_of_piece(std::span<const iovec> parts) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < parts.size() && count < IOV_MAX && bytes < piece_bytes) bytes += parts[count++].iov_len;
  return static_cast<int>(count);
}

}  // namespace

std::uint64_t PackRecord::payload_offset() const { return offset + fixed_bytes + key.bytes().size(); }

Bytes encode_pack_head(PackRecord::Kind kind, const Multihash& key, ByteView payload) {
  Bytes head;
  head.reserve(fixed_bytes + key.bytes().size());
  ByteWriter writer(head);
  writer.number(std::uint32_t{0});
  writer.number(magic_of(kind));
  writer.number(static_cast<std::uint32_t>(payload.size()));
  writer.number(crc32c(payload));
  writer.number(static_cast<std::uint16_t>(key.bytes().size()));
  writer.number(std::uint16_t{0});
  writer.raw(key.bytes());
  const std::uint32_t crc = crc32c(ByteView(head).subspan(sizeof(crc)));
  std::memcpy(head.data(), &crc, sizeof(crc));
  return head;
}

PackFile::PackFile(std::string path, FileDescriptor file, std::uint64_t size)
    : path_(std::move(path)), file_(std::move(file)), size_(size) {}

Result<std::shared_ptr<PackFile>> PackFile::open(const std::string& folder, std::uint32_t number) {
  std::string path = folder + '/' + name_of(number) + pack_ending;
  const bool is_new = ::access(path.c_str(), F_OK) != 0;
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) return errno_fault("open", path, errno);
  const off_t size = ::lseek(file.number(), 0, SEEK_END);
  if (size < 0) return errno_fault("read", path, errno);
  if (is_new) {
    if (Status synced = sync_folder(path); !synced) return tl::unexpected(std::move(synced.error()));
  }
  return std::make_shared<PackFile>(std::move(path), std::move(file), static_cast<std::uint64_t>(size));
}

std::optional<PackRecord> PackFile::head_at(std::uint64_t offset) const {
  std::array<std::uint8_t, fixed_bytes + key_most> bytes;
  const auto count = read_at(file_.number(), bytes, offset);
  if (!count) return std::nullopt;
  const auto record = decode_head(ByteView(bytes).first(*count), offset);
  return record && record->end() <= size_ ? record : std::nullopt;
}

bool PackFile::is_whole(const PackRecord& record) const { return read(record).has_value(); }

// Behind a damaged place: the next offset at which a head proves itself.
std::optional<std::uint64_t> PackFile::next_head(std::uint64_t offset) const {
  Bytes window(window_bytes);
  for (std::uint64_t at = offset; at < size_;) {
    const auto count = read_at(file_.number(), window, at);
    if (!count || *count < fixed_bytes) return std::nullopt;
    for (std::size_t place = 0; place + fixed_bytes <= *count; ++place) {
      std::uint32_t word = 0;
      std::memcpy(&word, window.data() + place + sizeof(word), sizeof(word));
      if ((word & 0xffffff) == magic && head_at(at + place)) return at + place;
    }
    at += *count - (fixed_bytes - 1);
  }
  return std::nullopt;
}

// Behind a damaged place a head may stand inside a block, put there by who made the block: only what the hash
// proves is believed from there on.
bool PackFile::proves_itself(const PackRecord& record) const {
  if (record.kind != PackRecord::Kind::Block) return false;
  const auto bytes = read(record);
  return bytes && verify(record.key, {bytes->get(), record.size});
}

Result<std::uint64_t> PackFile::walk(bool whole, const std::function<void(const PackRecord&)>& visit) const {
  std::uint64_t end = 0;
  bool doubtful = false;
  for (std::uint64_t at = 0; at < size_;) {
    auto record = head_at(at);
    if (!record) {
      doubtful = true;
      const auto found = next_head(at + 1);
      if (!found) break;
      record = head_at(*found);
      if (!record) return errno_fault("read", path_, EIO);
    }
    if (doubtful && !proves_itself(*record)) {
      at = record->offset + 1;
      continue;
    }
    at = record->end();
    if (whole && !doubtful && !is_whole(*record)) continue;
    end = at;
    visit(*record);
  }
  return end;
}

std::optional<std::vector<PackRecord>> PackFile::read_index() const {
  const std::string path = std::filesystem::path(path_).replace_extension(index_ending).string();
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const off_t size = file.is_open() ? ::lseek(file.number(), 0, SEEK_END) : -1;
  if (size < static_cast<off_t>(sizeof(std::uint32_t))) return std::nullopt;
  Bytes bytes(static_cast<std::size_t>(size));
  if (read_at(file.number(), bytes, 0) != bytes.size()) return std::nullopt;
  const ByteView rows = ByteView(bytes).first(bytes.size() - sizeof(std::uint32_t));
  if (ByteReader(ByteView(bytes).subspan(rows.size())).number<std::uint32_t>() != crc32c(rows))
    return std::nullopt;
  std::vector<PackRecord> records;
  for (ByteReader reader(rows); !reader.at_end();) {
    const auto offset = reader.number<std::uint64_t>();
    const auto record = decode_head(reader.rest(), offset);
    if (!record) return std::nullopt;
    reader.raw(record->payload_offset() - offset);
    records.push_back(*record);
  }
  return records;
}

Status PackFile::write_index(std::span<const PackRecord> records) const {
  Bytes bytes;
  ByteWriter writer(bytes);
  Bytes head;
  for (const PackRecord& record : records) {
    head.resize(record.payload_offset() - record.offset);
    if (read_at(file_.number(), head, record.offset) != head.size()) return errno_fault("read", path_, EIO);
    writer.number(record.offset);
    writer.raw(head);
  }
  writer.number(crc32c(bytes));
  const std::string path = std::filesystem::path(path_).replace_extension(index_ending).string();
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return errno_fault("write", path, errno);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(file.number(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_fault("write", path, errno);
    done += static_cast<std::size_t>(count);
  }
  if (::fdatasync(file.number()) != 0) return errno_fault("sync", path, errno);
  return sync_folder(path);
}

Status PackFile::cut(std::uint64_t end) {
  if (end == size_) return {};
  if (::ftruncate(file_.number(), static_cast<off_t>(end)) != 0) return errno_fault("cut", path_, errno);
  size_ = end;
  return {};
}

Status PackFile::append(std::span<const ByteView> parts) {
  std::vector<iovec> left;
  for (const ByteView part : parts) {
    if (!part.empty()) left.push_back({const_cast<std::uint8_t*>(part.data()), part.size()});
  }
  std::uint64_t at = size_;
  for (std::size_t first = 0; first < left.size();) {
    const int count = count_of_piece({left.data() + first, left.size() - first});
    ssize_t written = ::pwritev(file_.number(), left.data() + first, count, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      const int cut = ::ftruncate(file_.number(), static_cast<off_t>(size_));
      ENSURE(cut == 0, path_, "errno", errno);
      return errno_fault("write", path_, error);
    }
    // The disk writes this piece while the next is copied; the sync below says what became of it.
    ::sync_file_range(file_.number(), static_cast<off_t>(at), written, SYNC_FILE_RANGE_WRITE);
    at += static_cast<std::uint64_t>(written);
    for (; first < left.size() && static_cast<std::size_t>(written) >= left[first].iov_len; ++first)
      written -= static_cast<ssize_t>(left[first].iov_len);
    if (written > 0) {
      left[first].iov_base = static_cast<std::uint8_t*>(left[first].iov_base) + written;
      left[first].iov_len -= static_cast<std::size_t>(written);
    }
  }
  const int synced = ::fdatasync(file_.number());
  ENSURE(synced == 0, "what the disk holds of", path_, "is unknown: errno", errno);
  size_ = at;
  return {};
}

Result<std::shared_ptr<const std::uint8_t[]>> PackFile::read(const PackRecord& record) const {
  auto bytes = std::make_shared_for_overwrite<std::uint8_t[]>(std::max<std::size_t>(record.size, 1));
  const std::span<std::uint8_t> view(bytes.get(), record.size);
  const auto count = read_at(file_.number(), view, record.payload_offset());
  if (!count) return errno_fault("read", path_, errno);
  if (*count != view.size() || crc32c(view) != record.check) {
    return fault(FaultKind::BadData, "a block is damaged on the disk, in " + path_ + " at " +
                                         std::to_string(record.offset) +
                                         "; it is fetched again from another node");
  }
  return std::shared_ptr<const std::uint8_t[]>(std::move(bytes));
}

Status PackFile::remove() const {
  const std::string index = std::filesystem::path(path_).replace_extension(index_ending).string();
  if (::unlink(path_.c_str()) != 0) return errno_fault("remove", path_, errno);
  if (::unlink(index.c_str()) != 0 && errno != ENOENT) return errno_fault("remove", index, errno);
  return sync_folder(path_);
}

Result<std::vector<std::uint32_t>> packs_in(const std::string& folder) {
  std::vector<std::uint32_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != pack_ending) continue;
    const std::string digits = at->path().stem().string();
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec == std::errc() && name_of(number) == digits) numbers.push_back(number);
  }
  if (error) return errno_fault("read", folder, error.value());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace cidbus
