// A short byte string that lives in the value itself: what a CID and a multihash are made of.
//
// 38 bytes fit inside: a CIDv1 of sha2-256 (36) or blake2b-256 (38), a CIDv0 (34); these copy as 40 bytes
// without touching the heap. Longer ones (sha2-512, identity) are rare and own a heap array.
//
// Invariants: 1. size() <= 255. 2. the bytes never change once set; two of equal bytes compare equal.
// Thread rule: values. Limits: 255 bytes; the owner of the format checks its own bound first.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/base/ensure.h"
#include "shared/base/ids.h"

namespace cidbus {

class CompactBytes {
 public:
  static constexpr std::size_t inline_bytes = 38;

  CompactBytes() = default;
  explicit CompactBytes(ByteView bytes) { assign(bytes); }
  CompactBytes(const CompactBytes& other) { copy_from(other); }
  CompactBytes(CompactBytes&& other) noexcept { take_from(other); }
  CompactBytes& operator=(const CompactBytes& other) {
    if (this != &other) {
      release();
      copy_from(other);
    }
    return *this;
  }
  CompactBytes& operator=(CompactBytes&& other) noexcept {
    if (this != &other) {
      release();
      take_from(other);
    }
    return *this;
  }
  ~CompactBytes() { release(); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Valid until the value moves, changes or ends.
  [[nodiscard]] ByteView view() const { return {is_inline() ? place_.data() : heap(), size_}; }
  // One byte of the owner's own, copied with the rest and not compared.
  [[nodiscard]] std::uint8_t mark() const { return mark_; }
  void set_mark(std::uint8_t mark) { mark_ = mark; }

  friend bool operator==(const CompactBytes& left, const CompactBytes& right) {
    return left.size_ == right.size_ && std::memcmp(left.view().data(), right.view().data(), left.size_) == 0;
  }
  friend std::strong_ordering operator<=>(const CompactBytes& left, const CompactBytes& right) {
    return as_text(left.view()) <=> as_text(right.view());
  }
  // Digests stand at the end and are uniform, so their last bytes are a hash already.
  [[nodiscard]] std::size_t hash() const {
    std::uint64_t tail = size_;
    const std::size_t count = size_ < sizeof(tail) ? size_ : sizeof(tail);
    std::memcpy(&tail, view().data() + (size_ - count), count);
    return mix_bits(tail);
  }

 private:
  [[nodiscard]] bool is_inline() const { return size_ <= inline_bytes; }
  [[nodiscard]] std::uint8_t* heap() const {
    std::uint8_t* pointer = nullptr;
    std::memcpy(&pointer, place_.data(), sizeof(pointer));
    return pointer;
  }
  void assign(ByteView bytes) {
    ENSURE(bytes.size() <= 255, bytes.size());
    size_ = static_cast<std::uint8_t>(bytes.size());
    std::uint8_t* target = place_.data();
    if (!is_inline()) {
      target = new std::uint8_t[bytes.size()];
      std::memcpy(place_.data(), &target, sizeof(target));
    }
    if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
  }
  void copy_from(const CompactBytes& other) {
    mark_ = other.mark_;
    if (other.is_inline()) {
      place_ = other.place_;
      size_ = other.size_;
    } else {
      assign(other.view());
    }
  }
  void take_from(CompactBytes& other) noexcept {
    place_ = other.place_;
    size_ = std::exchange(other.size_, std::uint8_t{0});
    mark_ = std::exchange(other.mark_, std::uint8_t{0});
  }
  void release() {
    if (!is_inline()) delete[] heap();
    size_ = 0;
  }

  alignas(std::uint8_t*) std::array<std::uint8_t, inline_bytes> place_{};  // the bytes, or where they are
  std::uint8_t size_ = 0;
  std::uint8_t mark_ = 0;
};

static_assert(sizeof(CompactBytes) == 40);

}  // namespace cidbus
