#include "broker/journal/sha256.h"

#include <openssl/evp.h>

#include "shared/base/ensure.h"

namespace cidbus {

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  ENSURE(EVP_DigestInit_ex(context_->digest.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  ENSURE(EVP_DigestUpdate(context_->digest.get(), bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  ENSURE(EVP_DigestFinal_ex(context_->digest.get(), digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace cidbus
