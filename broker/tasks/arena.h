// Payloads, results, keys and errors: bytes of any length under 32-bit handles, packed to 8.
//
// Small ones (to 1 KiB) share pages of 64 KiB, each page cut into cells of one size behind a map of those in
// use, so that giving one back does not touch it; a page whose last cell is given back is freed. Larger ones
// stand alone, since rounding them up would cost more than their allocation. The caller keeps the length: the
// arena would only store it a second time.
//
// Invariants
//  1. Bytes stay where they are from put() to free().
//  2. The empty string is handle 0 and costs nothing.
//
// Thread rule: one owner. Limits: 32 GiB of small ones, 2^31 large ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "broker/tasks/slab.h"
#include "shared/base/bytes.h"

namespace cidbus {

class Arena {
 public:
  static constexpr std::size_t small_bytes = 1024;

  Arena();
  Handle put(ByteView bytes);
  // REQUIRES: put() gave the handle for `size` bytes.
  [[nodiscard]] ByteView get(Handle handle, std::size_t size) const;
  void free(Handle handle, std::size_t size);

  [[nodiscard]] std::size_t memory_used() const;

 private:
  static constexpr std::size_t page_bytes = 64 << 10;
  static constexpr std::size_t map_bytes = 512;
  static constexpr std::size_t grain = 8;
  static constexpr std::size_t classes = small_bytes / grain + 1;  // class c holds up to 8 c bytes
  static constexpr std::size_t smallest_class = 2;                 // smaller ones would need a larger map
  static constexpr unsigned cell_bits = 12;                        // 64 KiB / 16
  static constexpr Handle large_flag = 1U << 31;
  static constexpr std::uint32_t spare_pages = 16;

  using Buffer = std::unique_ptr<std::uint8_t[]>;
  struct Page {
    Buffer bytes;                // null: the number is vacant
    std::uint32_t previous = 0;  // in the list of its class's pages with a free cell; 0 ends it
    std::uint32_t next = 0;
    std::uint16_t first_word = 0;  // no word of the map below it has a free cell
    std::uint16_t live = 0;
    std::uint16_t size_class = 0;
  };

  static std::size_t class_of(std::size_t size) {
    return std::max((size + grain - 1) / grain, smallest_class);
  }
  static std::uint16_t cells_of(std::size_t size_class) {
    return static_cast<std::uint16_t>((page_bytes - map_bytes) / (size_class * grain));
  }
  [[nodiscard]] static std::uint64_t* map_of(const Page& page) {  // a bit a cell, set when it is in use
    return reinterpret_cast<std::uint64_t*>(page.bytes.get());
  }
  [[nodiscard]] static std::uint8_t* cell_of(const Page& page, std::size_t cell) {
    return page.bytes.get() + map_bytes + cell * page.size_class * grain;
  }
  std::uint32_t add_page(std::size_t size_class);
  void drop_page(std::uint32_t number);
  void link(std::uint32_t number);
  void unlink(std::uint32_t number);
  Handle put_large(ByteView bytes);
  void free_large(Handle handle, std::size_t size);

  std::vector<Page> pages_;  // number 0 is none
  std::vector<std::uint32_t> vacant_;
  std::vector<Buffer> spare_;                       // freed pages kept, so that a page's edge is not a cliff
  std::array<std::uint32_t, classes> with_room_{};  // first page with a free cell; 0: none
  std::vector<Buffer> large_;
  std::vector<std::uint32_t> vacant_large_;
  std::size_t live_pages_ = 0;
  std::size_t large_bytes_ = 0;
};

}  // namespace cidbus
