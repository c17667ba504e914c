#include "shared/content/multihash.h"

#include <openssl/evp.h>
#include <sodium/crypto_generichash_blake2b.h>

#include <array>
#include <memory>

#include "shared/base/ensure.h"

namespace cidbus {

namespace {

constexpr std::size_t shortest_digest = 20;  // go-verifcid refuses less
constexpr std::size_t longest_computed = 64;

// A digest as computed: `size` of the bytes count.
struct Digest {
  std::array<std::uint8_t, longest_computed> bytes{};
  std::size_t size = 0;
  [[nodiscard]] ByteView view() const { return {bytes.data(), size}; }
};

// Asked for once a process: looking a function up by name costs more than hashing a small block.
const EVP_MD* fetched(const char* name) {
  EVP_MD* function = EVP_MD_fetch(nullptr, name, nullptr);
  ENSURE(function != nullptr, name);
  return function;
}

Digest openssl_digest(const EVP_MD* function, ByteView content) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Digest digest;
  unsigned size = 0;
  const bool done = context != nullptr && EVP_DigestInit_ex2(context.get(), function, nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), content.data(), content.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), digest.bytes.data(), &size) == 1;
  ENSURE(done, content.size());
  digest.size = size;
  return digest;
}

Digest sha2_256_digest(ByteView content) {
  static const EVP_MD* const function = fetched("SHA256");
  return openssl_digest(function, content);
}

Digest sha2_512_digest(ByteView content) {
  static const EVP_MD* const function = fetched("SHA512");
  return openssl_digest(function, content);
}

Digest blake2b_256_digest(ByteView content) {
  Digest digest;
  digest.size = 32;
  const int failed = crypto_generichash_blake2b(digest.bytes.data(), digest.size, content.data(),
                                                content.size(), nullptr, 0);
  ENSURE(failed == 0, content.size());
  return digest;
}

Result<Digest> compute(HashCode code, ByteView content) {
  switch (code) {
    case HashCode::Sha2_256:
      return sha2_256_digest(content);
    case HashCode::Sha2_512:
      return sha2_512_digest(content);
    case HashCode::Blake2b_256:
      return blake2b_256_digest(content);
    case HashCode::Identity:
      break;
  }
  return fault(FaultKind::BadUsage,
               to_text(code) + " is not known here; sha2-256, sha2-512, blake2b-256 are");
}

}  // namespace

Multihash::Multihash(HashCode code, ByteView digest) {
  ENSURE(digest.size() <= limits::digest_bytes, digest.size());
  Bytes bytes;
  bytes.reserve(CompactBytes::inline_bytes);
  ByteWriter writer(bytes);
  writer.varint(static_cast<std::uint64_t>(code));
  writer.varint(digest.size());
  writer.raw(digest);
  bytes_ = CompactBytes(bytes);
}

Result<Multihash> Multihash::from_bytes(ByteView bytes) {
  ByteReader reader(bytes);
  auto multihash = read(reader);
  if (multihash && !reader.at_end()) return fault(FaultKind::BadData, "bytes behind the multihash");
  return multihash;
}

Result<Multihash> Multihash::read(ByteReader& reader) {
  const ByteView start = reader.rest();
  reader.varint();
  const std::uint64_t size = reader.varint();
  if (!reader.failed() && size > limits::digest_bytes) {
    return fault(FaultKind::BadData, "a digest of " + std::to_string(size) + " bytes, where " +
                                         std::to_string(limits::digest_bytes) + " are the most");
  }
  reader.raw(size);
  if (reader.failed()) return fault(FaultKind::BadData, "its multihash is cut short or badly encoded");
  Multihash multihash;
  multihash.bytes_ = CompactBytes(start.first(start.size() - reader.rest().size()));
  return multihash;
}

HashCode Multihash::code() const {
  ENSURE(!is_null());
  ByteReader reader(bytes());
  return static_cast<HashCode>(reader.varint());
}

ByteView Multihash::digest() const {
  ENSURE(!is_null());
  ByteReader reader(bytes());
  reader.varint();
  reader.varint();
  return reader.rest();
}

Multihash sha2_256(ByteView content) { return {HashCode::Sha2_256, sha2_256_digest(content).view()}; }

Result<Multihash> hash_content(HashCode code, ByteView content) {
  if (code == HashCode::Identity) {
    if (content.size() <= limits::digest_bytes) return Multihash(code, content);
    return fault(FaultKind::BadUsage, "identity holds at most " + std::to_string(limits::digest_bytes) +
                                          " bytes, not " + std::to_string(content.size()));
  }
  const auto digest = compute(code, content);
  if (!digest) return tl::unexpected(digest.error());
  return Multihash(code, digest->view());
}

Status verify(const Multihash& multihash, ByteView content) {
  const ByteView expected = multihash.digest();
  const HashCode code = multihash.code();
  if (code == HashCode::Identity) {
    if (equal(expected, content)) return {};
    return fault(FaultKind::BadData, "the content is not what its identity hash holds");
  }
  const auto digest = compute(code, content);
  if (!digest) {
    return fault(FaultKind::BadData, "cannot be checked: " + digest.error().message);
  }
  if (expected.size() < shortest_digest || expected.size() > digest->size) {
    return fault(FaultKind::BadData, "a digest of " + std::to_string(expected.size()) +
                                         " bytes proves nothing for " + to_text(code));
  }
  if (equal(expected, digest->view().first(expected.size()))) return {};
  return fault(FaultKind::BadData, "the content does not have the hash it was asked by");
}

std::string to_text(HashCode code) {
  switch (code) {
    case HashCode::Identity:
      return "identity";
    case HashCode::Sha2_256:
      return "sha2-256";
    case HashCode::Sha2_512:
      return "sha2-512";
    case HashCode::Blake2b_256:
      return "blake2b-256";
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (auto rest = static_cast<std::uint64_t>(code); rest > 0; rest >>= 4)
    text.insert(0, 1, digits[rest & 15]);
  return "hash function 0x" + text;
}

}  // namespace cidbus
