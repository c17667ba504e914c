// Slots of one kind under 32-bit handles, in pages, so that ten million of them cost no allocation each and
// no pointer wider than needed.
//
// Invariants
//  1. A handle stays the same slot at the same address from take() to give_back(); 0 is no slot.
//  2. A slot just taken has its default value.
//  3. A page without a live slot is freed, all but one that is kept against thrashing and the very first.
//
// Thread rule: one owner. Limits: 2^32 slots; the caller's own bound is lower.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "shared/base/ensure.h"

namespace cidbus {

using Handle = std::uint32_t;  // 0: none

template <typename Slot>
class Slab {
 public:
  static constexpr unsigned page_bits = 10;
  static constexpr std::size_t slots_a_page = std::size_t{1} << page_bits;

  Handle take() {
    while (!open_.empty() && pages_[open_.back()] == nullptr) close_last();
    if (open_.empty()) add_page();
    const std::uint32_t number = open_.back();
    Page& page = *pages_[number];
    while (page.live[page.first_word] == ~std::uint64_t{0}) ++page.first_word;
    const auto bit = static_cast<unsigned>(std::countr_one(page.live[page.first_word]));
    const std::uint32_t place = page.first_word * 64 + bit;
    page.live[page.first_word] |= std::uint64_t{1} << bit;
    if (++page.count == slots_a_page) close_last();
    ++size_;
    page.slots[place] = Slot{};
    return (number << page_bits) | place;
  }

  // REQUIRES: the handle is live.
  void give_back(Handle handle) {
    const std::uint32_t number = handle >> page_bits;
    const std::uint32_t place = handle & (slots_a_page - 1);
    ENSURE(is_live(handle), "handle", handle);
    Page& page = *pages_[number];
    if constexpr (!std::is_trivially_destructible_v<Slot>)
      page.slots[place] = Slot{};  // what it owns goes now
    page.live[place / 64] &= ~(std::uint64_t{1} << (place % 64));
    page.first_word = std::min<std::uint32_t>(page.first_word, place / 64);
    --size_;
    if (page.count-- == slots_a_page) open_.push_back(number);
    if (page.count == 0) drop_page(number);
  }

  [[nodiscard]] Slot& operator[](Handle handle) {
    return pages_[handle >> page_bits]->slots[handle & (slots_a_page - 1)];
  }
  [[nodiscard]] const Slot& operator[](Handle handle) const {
    return pages_[handle >> page_bits]->slots[handle & (slots_a_page - 1)];
  }

  [[nodiscard]] bool is_live(Handle handle) const {
    const std::size_t number = handle >> page_bits;
    const std::uint32_t place = handle & (slots_a_page - 1);
    return handle != 0 && number < pages_.size() && pages_[number] != nullptr &&
           ((pages_[number]->live[place / 64] >> (place % 64)) & 1) != 0;
  }

  // The first live handle at or after `from`; 0 when there is none. A walk may be cut anywhere and go on.
  [[nodiscard]] Handle live_from(Handle from) const {
    std::size_t number = from >> page_bits;
    std::size_t word = (from & (slots_a_page - 1)) / 64;
    std::uint64_t mask = ~std::uint64_t{0} << (from % 64);
    for (; number < pages_.size(); ++number, word = 0) {
      if (pages_[number] == nullptr) {
        mask = ~std::uint64_t{0};
        continue;
      }
      for (; word < words_a_page; ++word, mask = ~std::uint64_t{0}) {
        std::uint64_t bits = pages_[number]->live[word] & mask;
        if (number == 0 && word == 0) bits &= ~std::uint64_t{1};
        if (bits == 0) continue;
        return static_cast<Handle>((number << page_bits) | (word * 64) |
                                   static_cast<unsigned>(std::countr_zero(bits)));
      }
    }
    return 0;
  }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Handle handle = live_from(1); handle != 0; handle = live_from(handle + 1)) {
      visit(handle, (*this)[handle]);
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  // One more than the highest handle there can be now.
  [[nodiscard]] std::size_t handle_bound() const { return pages_.size() << page_bits; }
  [[nodiscard]] std::size_t memory_used() const {
    return live_pages_ * sizeof(Page) + pages_.capacity() * sizeof(pages_[0]) +
           (open_.capacity() + vacant_.capacity()) * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::size_t words_a_page = slots_a_page / 64;
  struct Page {
    std::array<std::uint64_t, words_a_page> live{};
    std::uint32_t count = 0;       // bits set in `live`
    std::uint32_t first_word = 0;  // no bit below this word is clear
    std::array<Slot, slots_a_page> slots{};
  };

  void add_page() {
    std::unique_ptr<Page> page = std::move(spare_);
    if (page == nullptr) {
      page = std::make_unique<Page>();
      ++live_pages_;
    }
    std::uint32_t number = static_cast<std::uint32_t>(pages_.size());
    if (vacant_.empty()) {
      pages_.push_back(std::move(page));
    } else {
      number = vacant_.back();
      vacant_.pop_back();
      pages_[number] = std::move(page);
    }
    if (number == 0) {  // handle 0 means none and is never given out
      pages_[0]->live[0] = 1;
      pages_[0]->count = 1;
    }
    open_.push_back(number);
  }

  void drop_page(std::uint32_t number) {
    pages_[number]->first_word = 0;
    vacant_.push_back(number);
    if (spare_ == nullptr) {
      spare_ = std::move(pages_[number]);
    } else {
      pages_[number].reset();
      --live_pages_;
    }
  }

  // A page is in open_ exactly once while it has a free slot, and lingers there after it was dropped.
  void close_last() { open_.pop_back(); }

  std::vector<std::unique_ptr<Page>> pages_;  // null: a dropped page, its number in vacant_
  std::vector<std::uint32_t> open_;
  std::vector<std::uint32_t> vacant_;
  std::unique_ptr<Page> spare_;
  std::size_t live_pages_ = 0;  // the spare one included
  std::size_t size_ = 0;
};

}  // namespace cidbus
