// SHA-256 of bytes that come in parts (FIPS 180-4), by OpenSSL, which uses the processor's instructions for
// it.
//
// Thread rule: one owner. Limits: none.
#pragma once

#include <array>
#include <memory>

#include "shared/base/bytes.h"

namespace cidbus {

using Sha256Digest = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(ByteView bytes);
  // The digest of all that was given; nothing more may be given after it.
  Sha256Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace cidbus
