#include "shared/content/cid.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/content/quote.h"

namespace cidbus {

namespace {

constexpr std::uint8_t v0_head[] = {0x12, 0x20};  // sha2-256, 32 bytes
constexpr std::size_t v0_bytes = 34;
constexpr std::size_t v0_characters = 46;

bool starts_as_v0(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == v0_head[0] && bytes[1] == v0_head[1];
}

tl::unexpected<Fault> not_a_cid(std::string_view text, const std::string& why) {
  return fault(FaultKind::BadData, "not a CID: " + in_quotes(text) + " (" + why +
                                       "); a CID looks like bafy..., bafk... or Qm...");
}

Result<Cid> parse_bytes_of(std::string_view text) {
  if (text.size() == v0_characters && text.starts_with("Qm")) {
    const auto bytes = decode_base58btc(text);
    return bytes ? Cid::from_bytes(*bytes) : Result<Cid>(tl::unexpected(bytes.error()));
  }
  const auto bytes = decode_multibase(text);
  if (!bytes) return tl::unexpected(bytes.error());
  if (starts_as_v0(*bytes)) return fault(FaultKind::BadData, "version 0 has no multibase letter");
  return Cid::from_bytes(*bytes);
}

}  // namespace

Cid Cid::v0(const Multihash& multihash) {
  const ByteView bytes = multihash.bytes();
  ENSURE(bytes.size() == v0_bytes && starts_as_v0(bytes), bytes.size());
  Cid cid;
  cid.bytes_ = CompactBytes(bytes);
  return cid;
}

Cid Cid::v1(Codec codec, const Multihash& multihash) {
  ENSURE(!multihash.is_null());
  Bytes bytes;
  bytes.reserve(CompactBytes::inline_bytes);
  ByteWriter writer(bytes);
  writer.varint(1);
  writer.varint(static_cast<std::uint64_t>(codec));
  const auto head = static_cast<std::uint8_t>(bytes.size());
  writer.raw(multihash.bytes());
  ENSURE(bytes.size() <= limits::cid_bytes, bytes.size());
  Cid cid;
  cid.bytes_ = CompactBytes(bytes);
  cid.bytes_.set_mark(head);
  return cid;
}

Result<Cid> Cid::from_bytes(ByteView bytes) {
  ByteReader reader(bytes);
  auto cid = read(reader);
  if (cid && !reader.at_end()) return fault(FaultKind::BadData, "bytes behind the CID");
  return cid;
}

Result<Cid> Cid::read(ByteReader& reader) {
  const ByteView start = reader.rest();
  Cid cid;
  if (starts_as_v0(start)) {
    const ByteView bytes = reader.raw(v0_bytes);
    if (reader.failed()) return fault(FaultKind::BadData, "a CID of version 0 is cut short");
    cid.bytes_ = CompactBytes(bytes);
    return cid;
  }
  const std::uint64_t version = reader.varint();
  reader.varint();
  if (reader.failed()) return fault(FaultKind::BadData, "its head is cut short or badly encoded");
  if (version != 1) return fault(FaultKind::BadData, "there is no CID version " + std::to_string(version));
  const auto head = static_cast<std::uint8_t>(start.size() - reader.rest().size());
  const auto multihash = Multihash::read(reader);
  if (!multihash) return tl::unexpected(multihash.error());
  const std::size_t size = head + multihash->bytes().size();
  if (size > limits::cid_bytes) {
    return fault(FaultKind::BadData, std::to_string(size) + " bytes, where " +
                                         std::to_string(limits::cid_bytes) + " are the most");
  }
  cid.bytes_ = CompactBytes(start.first(size));
  cid.bytes_.set_mark(head);
  return cid;
}

Result<Cid> Cid::parse(std::string_view text) {
  auto cid = parse_bytes_of(text);
  if (!cid) return not_a_cid(text, cid.error().message);
  return cid;
}

Codec Cid::codec() const {
  ENSURE(!is_null());
  if (version() == 0) return Codec::DagPb;
  ByteReader reader(bytes().subspan(1));
  return static_cast<Codec>(reader.varint());
}

Multihash Cid::multihash() const {
  auto multihash = Multihash::from_bytes(multihash_bytes());
  ENSURE(multihash.has_value());
  return *std::move(multihash);
}

ByteView Cid::identity_content() const {
  ByteReader reader(multihash_bytes());
  const std::uint64_t code = reader.varint();
  ENSURE(code == 0, code);
  const std::uint64_t size = reader.varint();
  return reader.raw(size);
}

std::string to_text(const Cid& cid) {
  return cid.version() == 0 ? encode_base58btc(cid.bytes())
                            : encode_multibase(Multibase::Base32, cid.bytes());
}

std::string to_text(const Cid& cid, Multibase base) { return encode_multibase(base, as_v1(cid).bytes()); }

Cid as_v1(const Cid& cid) { return cid.version() == 0 ? Cid::v1(Codec::DagPb, cid.multihash()) : cid; }

std::string to_text(Codec codec) {
  switch (codec) {
    case Codec::Cbor:
      return "cbor";
    case Codec::Raw:
      return "raw";
    case Codec::DagPb:
      return "dag-pb";
    case Codec::DagCbor:
      return "dag-cbor";
    case Codec::Libp2pKey:
      return "libp2p-key";
    case Codec::DagJson:
      return "dag-json";
    case Codec::Json:
      return "json";
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (auto rest = static_cast<std::uint64_t>(codec); rest > 0; rest >>= 4)
    text.insert(0, 1, digits[rest & 15]);
  return "codec 0x" + text;
}

Status verify(const Cid& cid, ByteView content) {
  auto verified = verify(cid.multihash(), content);
  if (!verified) {
    return fault(verified.error().kind, "block " + to_text(cid) + ": " + verified.error().message);
  }
  return verified;
}

Result<ContentPath> parse_content_path(std::string_view text) {
  std::string_view rest = text;
  for (const std::string_view prefix : {"ipfs://", "/ipfs/"}) {
    if (rest.starts_with(prefix)) {
      rest.remove_prefix(prefix.size());
      break;
    }
  }
  const std::size_t end = std::min(rest.find('/'), rest.size());
  auto root = Cid::parse(rest.substr(0, end));
  if (!root) return tl::unexpected(root.error());
  rest.remove_prefix(end);
  if (rest.size() > limits::path_bytes) {
    return fault(FaultKind::BadData, "a path of " + std::to_string(rest.size()) +
                                         " bytes below a CID, where " + std::to_string(limits::path_bytes) +
                                         " are the most");
  }
  ContentPath path{*std::move(root), {}};
  while (!rest.empty()) {
    const std::size_t next = std::min(rest.find('/'), rest.size());
    if (next > 0) path.segments.emplace_back(rest.substr(0, next));
    rest.remove_prefix(std::min(next + 1, rest.size()));
  }
  return path;
}

}  // namespace cidbus
