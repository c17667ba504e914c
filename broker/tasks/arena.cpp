#include "broker/tasks/arena.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "broker/tasks/handle_table.h"
#include "shared/base/ensure.h"
#include "shared/base/ids.h"

namespace cidbus {
namespace {

constexpr std::size_t malloc_head = 16;  // what an allocation costs beside its bytes

std::uint64_t multiply_fold(std::uint64_t left, std::uint64_t right) {
  const auto product = static_cast<unsigned __int128>(left) * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

// Folded 128-bit products of 8-byte words, the scheme of wyhash (https://github.com/wangyi-fudan/wyhash).
std::uint64_t hash_bytes(const void* bytes, std::size_t count, std::uint64_t seed) {
  const auto* from = static_cast<const std::uint8_t*>(bytes);
  std::uint64_t hash = mix_bits(seed ^ 0x9e3779b97f4a7c15ULL) ^ count;
  for (; count > 0; count -= std::min<std::size_t>(count, 8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, std::min<std::size_t>(count, 8));
    hash = multiply_fold(hash ^ word ^ seed, 0xa0761d6478bd642fULL ^ seed);
    from += 8;
  }
  return mix_bits(hash);
}

Arena::Arena() : pages_(1) {}

Handle Arena::put(ByteView bytes) {
  if (bytes.empty()) return 0;
  if (bytes.size() > small_bytes) return put_large(bytes);
  const std::size_t size_class = class_of(bytes.size());
  std::uint32_t number = with_room_[size_class];
  if (number == 0) number = add_page(size_class);
  Page& page = pages_[number];
  std::uint64_t* map = map_of(page);
  while (map[page.first_word] == ~std::uint64_t{0}) ++page.first_word;
  const auto bit = static_cast<unsigned>(std::countr_one(map[page.first_word]));
  const std::uint32_t cell = page.first_word * 64U + bit;
  map[page.first_word] |= std::uint64_t{1} << bit;
  if (++page.live == cells_of(size_class)) unlink(number);
  std::memcpy(cell_of(page, cell), bytes.data(), bytes.size());
  return (number << cell_bits) | cell;
}

ByteView Arena::get(Handle handle, std::size_t size) const {
  if (size == 0) return {};
  if (size > small_bytes) return {large_[handle & ~large_flag].get(), size};
  const std::size_t cell = handle & ((1U << cell_bits) - 1);
  return {cell_of(pages_[handle >> cell_bits], cell), size};
}

void Arena::free(Handle handle, std::size_t size) {
  if (size == 0) return;
  if (size > small_bytes) return free_large(handle, size);
  const std::uint32_t number = handle >> cell_bits;
  const std::uint32_t cell = handle & ((1U << cell_bits) - 1);
  ENSURE(number != 0 && number < pages_.size(), "handle", handle);
  Page& page = pages_[number];
  std::uint64_t& word = map_of(page)[cell / 64];
  const std::uint64_t bit = std::uint64_t{1} << (cell % 64);
  ENSURE(page.size_class == class_of(size) && (word & bit) != 0, "handle", handle, "size", size);
  word &= ~bit;
  page.first_word = std::min<std::uint16_t>(page.first_word, static_cast<std::uint16_t>(cell / 64));
  if (page.live-- == cells_of(page.size_class)) link(number);
  if (page.live == 0) drop_page(number);
}

std::uint32_t Arena::add_page(std::size_t size_class) {
  Buffer bytes;
  if (!spare_.empty()) {
    bytes = std::move(spare_.back());
    spare_.pop_back();
  } else {
    bytes.reset(new std::uint8_t[page_bytes]);  // not cleared: cells are written before they are read
  }
  std::uint32_t number = static_cast<std::uint32_t>(pages_.size());
  if (vacant_.empty()) {
    ENSURE(number < (large_flag >> cell_bits), "pages", number);
    pages_.emplace_back();
  } else {
    number = vacant_.back();
    vacant_.pop_back();
  }
  std::memset(bytes.get(), 0, map_bytes);
  pages_[number] = Page{};
  pages_[number].bytes = std::move(bytes);
  pages_[number].size_class = static_cast<std::uint16_t>(size_class);
  ++live_pages_;
  link(number);
  return number;
}

void Arena::drop_page(std::uint32_t number) {
  unlink(number);
  if (spare_.size() < spare_pages) spare_.push_back(std::move(pages_[number].bytes));
  pages_[number] = Page{};
  vacant_.push_back(number);
  --live_pages_;
}

void Arena::link(std::uint32_t number) {
  Page& page = pages_[number];
  page.previous = 0;
  page.next = with_room_[page.size_class];
  if (page.next != 0) pages_[page.next].previous = number;
  with_room_[page.size_class] = number;
}

void Arena::unlink(std::uint32_t number) {
  const Page& page = pages_[number];
  if (page.next != 0) pages_[page.next].previous = page.previous;
  if (page.previous != 0) {
    pages_[page.previous].next = page.next;
  } else {
    with_room_[page.size_class] = page.next;
  }
}

Handle Arena::put_large(ByteView bytes) {
  std::uint32_t number = static_cast<std::uint32_t>(large_.size());
  if (vacant_large_.empty()) {
    large_.emplace_back();
  } else {
    number = vacant_large_.back();
    vacant_large_.pop_back();
  }
  large_[number].reset(new std::uint8_t[bytes.size()]);
  std::memcpy(large_[number].get(), bytes.data(), bytes.size());
  large_bytes_ += bytes.size() + malloc_head;
  return number | large_flag;
}

void Arena::free_large(Handle handle, std::size_t size) {
  const std::uint32_t number = handle & ~large_flag;
  ENSURE(number < large_.size() && large_[number] != nullptr, "handle", handle);
  large_[number].reset();
  vacant_large_.push_back(number);
  large_bytes_ -= size + malloc_head;
}

std::size_t Arena::memory_used() const {
  return (live_pages_ + spare_.size()) * (page_bytes + malloc_head) + pages_.capacity() * sizeof(Page) +
         large_bytes_ + large_.capacity() * sizeof(Buffer) +
         (vacant_.capacity() + vacant_large_.capacity()) * sizeof(std::uint32_t);
}

}  // namespace cidbus
