#include "worker/handlers/hash.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <array>

#include "shared/base/ensure.h"
#include "worker/handlers/parameters.h"

namespace cidbus {
namespace {

constexpr std::array<ParameterHelp, 1> hash_help{{
    {"algorithm", "sha2-256, sha2-512 or blake2b-256", "sha2-256"},
}};

// A digest in the making.
class Digest {
 public:
  virtual ~Digest() = default;
  virtual void add(ByteView bytes) = 0;
  virtual Bytes finish() = 0;
};

class Sha2 final : public Digest {
 public:
  explicit Sha2(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    ENSURE(context_ && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }
  void add(ByteView bytes) override {
    ENSURE(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  Bytes finish() override {
    Bytes digest(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    ENSURE(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
    digest.resize(length);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

class Blake2b256 final : public Digest {
 public:
  Blake2b256() { ENSURE(crypto_generichash_init(&state_, nullptr, 0, size) == 0); }
  void add(ByteView bytes) override {
    ENSURE(crypto_generichash_update(&state_, bytes.data(), bytes.size()) == 0);
  }
  Bytes finish() override {
    Bytes digest(size);
    ENSURE(crypto_generichash_final(&state_, digest.data(), digest.size()) == 0);
    return digest;
  }

 private:
  static constexpr std::size_t size = 32;
  crypto_generichash_state state_{};
};

std::string hexadecimal(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

class Hash final : public Handler {
 public:
  std::string_view type() const override { return "hash"; }
  std::string_view summary() const override { return "the digest of the input file's bytes, of any size"; }
  std::span<const ParameterHelp> help() const override { return hash_help; }
  int version() const override { return 1; }
  bool deterministic() const override { return true; }

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    Parameters parameters("hash", input.parameters);
    const std::size_t algorithm =
        parameters.one_of("algorithm", {"sha2-256", "sha2-512", "blake2b-256"}).value_or(0);
    if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
    const auto file = only_input("hash", input);
    if (!file) return tl::unexpected(file.error());

    const auto digest = start(algorithm);
    ByteCount size = 0;
    const Status streamed = content.stream(*file, [&](ByteView bytes) -> Status {
      if (input.cancelled.cancelled()) return cancelled_fault("hash");
      digest->add(bytes);
      size += bytes.size();
      return {};
    });
    if (!streamed) return tl::unexpected(streamed.error());
    constexpr std::array<const char*, 3> names{"sha2-256", "sha2-512", "blake2b-256"};
    return HandlerOutput{.cids = {},
                         .values = {{"algorithm", names[algorithm]},
                                    {"digest", hexadecimal(digest->finish())},
                                    {"size", std::to_string(size)}}};
  }

 private:
  static std::unique_ptr<Digest> start(std::size_t algorithm) {
    if (algorithm == 2) return std::make_unique<Blake2b256>();
    return std::make_unique<Sha2>(algorithm == 1 ? EVP_sha512() : EVP_sha256());
  }
};

}  // namespace

std::unique_ptr<Handler> make_hash() {
  ENSURE(sodium_init() >= 0);  // chooses the fastest code for this processor
  return std::make_unique<Hash>();
}

}  // namespace cidbus
