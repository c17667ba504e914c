// CRC-32C (Castagnoli), the checksum of everything the project keeps on disk.
//
// Chosen over CRC-32 because x86-64 has an instruction for it (about 9 GB/s here), and over a hash because
// what it guards against is damage, not malice: content is checked by its CID, snapshots by SHA-256.
//
// Invariants
//  1. Both ways of computing it give the same value (crc32c_test).
//  2. crc32c(b, crc32c(a)) is the checksum of a followed by b.
//
// Thread rule: any thread. Limits: none.
#pragma once

#include <cstdint>

#include "shared/base/bytes.h"

namespace cidbus {

// The checksum of `bytes` (RFC 3720 section 12.1), continuing after `before`.
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);

namespace detail {
// The same without the instruction, eight bytes at a time; what other processors run.
std::uint32_t crc32c_by_table(ByteView bytes, std::uint32_t before = 0);
}  // namespace detail

}  // namespace cidbus
