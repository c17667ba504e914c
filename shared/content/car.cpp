#include "shared/content/car.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cidbus {

namespace {

constexpr std::size_t buffer_bytes = 64 << 10;

tl::unexpected<Fault> bad_car(const std::string& why) {
  return fault(FaultKind::BadData, "not a CAR: " + why);
}

// The little of CBOR that a header is made of (RFC 8949): definite lengths, shortest or not.
enum class CborType : std::uint8_t { Number = 0, Bytes_ = 2, Text = 3, Array = 4, Map = 5, Tag = 6 };

class CborReader {
 public:
  explicit CborReader(ByteView in) : reader_(in) {}

  // The number behind a head of this type: a value, a length, a tag.
  std::optional<std::uint64_t> head(CborType type) {
    const auto first = reader_.number<std::uint8_t>();
    if (reader_.failed() || first >> 5 != static_cast<std::uint8_t>(type)) return std::nullopt;
    const unsigned small = first & 0x1f;
    if (small < 24) return small;
    if (small > 27) return std::nullopt;
    std::uint64_t value = 0;
    for (const std::uint8_t byte : reader_.raw(std::size_t{1} << (small - 24))) value = value << 8 | byte;
    if (reader_.failed()) return std::nullopt;
    return value;
  }
  std::optional<ByteView> string(CborType type) {
    const auto size = head(type);
    if (!size) return std::nullopt;
    const ByteView bytes = reader_.raw(*size);
    if (reader_.failed()) return std::nullopt;
    return bytes;
  }
  [[nodiscard]] bool complete() const { return reader_.complete(); }

 private:
  ByteReader reader_;
};

constexpr std::uint64_t cid_tag = 42;

std::optional<Cid> decode_root(CborReader& reader) {
  if (reader.head(CborType::Tag) != cid_tag) return std::nullopt;
  const auto bytes = reader.string(CborType::Bytes_);
  if (!bytes || bytes->empty() || (*bytes)[0] != 0) return std::nullopt;
  auto cid = Cid::from_bytes(bytes->subspan(1));
  if (!cid) return std::nullopt;
  return *std::move(cid);
}

Result<std::vector<Cid>> decode_header(ByteView header) {
  CborReader reader(header);
  std::vector<Cid> roots;
  std::optional<std::uint64_t> version;
  const auto fields = reader.head(CborType::Map);
  if (!fields) return bad_car("its header is no map");
  for (std::uint64_t field = 0; field < *fields; ++field) {
    const auto name = reader.string(CborType::Text);
    if (name && as_text(*name) == "version") {
      version = reader.head(CborType::Number);
      if (version != 1) return bad_car("only version 1 is read here");
    } else if (name && as_text(*name) == "roots") {
      const auto count = reader.head(CborType::Array);
      if (!count) return bad_car("its roots are no list");
      for (std::uint64_t at = 0; at < *count; ++at) {
        auto root = decode_root(reader);
        if (!root) return bad_car("a root is no CID");
        roots.push_back(*std::move(root));
      }
    } else {
      return bad_car("an unknown or broken field in its header");
    }
  }
  if (!reader.complete()) return bad_car("bytes behind its header");
  if (!version) return bad_car("its header names no version");
  return roots;
}

}  // namespace

Result<CarReader> CarReader::open(ByteSource& source) {
  CarReader car(source);
  const auto size = car.read_length();
  if (!size) return tl::unexpected(size.error());
  if (!*size) return bad_car("it is empty");
  if (**size == 0 || **size > limits::car_header_bytes) return bad_car("its header has no possible length");
  const auto header = car.read_exactly(**size);
  if (!header) return tl::unexpected(header.error());
  auto roots = decode_header(*header);
  if (!roots) return tl::unexpected(roots.error());
  car.roots_ = *std::move(roots);
  return car;
}

Result<std::optional<Block>> CarReader::next() {
  const auto size = read_length();
  if (!size) return tl::unexpected(size.error());
  if (!*size) return std::optional<Block>();
  if (**size == 0 || **size > limits::cid_bytes + limits::block_bytes) {
    return bad_car("a section of " + std::to_string(**size) + " bytes");
  }
  auto section = read_exactly(**size);
  if (!section) return tl::unexpected(section.error());
  auto owned = std::make_shared<const Bytes>(*std::move(section));
  ByteReader reader(*owned);
  auto cid = Cid::read(reader);
  if (!cid) return bad_car("a section without a CID: " + cid.error().message);
  const ByteView bytes = reader.rest();
  if (auto verified = verify(*cid, bytes); !verified) return tl::unexpected(verified.error());
  return Block(*std::move(cid), bytes, std::move(owned));
}

Result<std::optional<std::uint64_t>> CarReader::read_length() {
  for (std::size_t count = 1;; ++count) {
    while (buffer_.size() - used_ < count) {
      const auto more = fill();
      if (!more) return tl::unexpected(more.error());
      if (*more > 0) continue;
      if (count == 1) return std::optional<std::uint64_t>();
      return bad_car("it ends within a length");
    }
    if (buffer_[used_ + count - 1] < 0x80 || count > 9) break;
  }
  ByteReader reader(ByteView(buffer_).subspan(used_));
  const std::uint64_t length = reader.varint();
  if (reader.failed()) return bad_car("a badly encoded length");
  used_ = buffer_.size() - reader.rest().size();
  return length;
}

Result<Bytes> CarReader::read_exactly(std::size_t count) {
  const auto held = ByteView(buffer_).subspan(used_);
  const std::size_t at_hand = std::min(count, held.size());
  Bytes bytes(count);
  if (at_hand > 0) std::memcpy(bytes.data(), held.data(), at_hand);
  used_ += at_hand;
  for (std::size_t filled = at_hand; filled < count;) {
    const auto read = source_->read(std::span(bytes).subspan(filled));
    if (!read) return tl::unexpected(read.error());
    if (*read == 0) return bad_car("it ends within a section");
    filled += *read;
  }
  return bytes;
}

Result<std::size_t> CarReader::fill() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  const std::size_t held = buffer_.size();
  buffer_.resize(held + buffer_bytes);
  const auto read = source_->read(std::span(buffer_).subspan(held));
  buffer_.resize(held + read.value_or(0));
  return read;
}

}  // namespace cidbus
