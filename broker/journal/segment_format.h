// The bytes of a journal segment: what stands where, and nothing about when it is written.
//
// A segment is a file of fixed size, taken whole from the disk before it is used. Every batch stands in it
// twice over: itself, and its identity in a table at the head of the file, a second physical place that the
// same fdatasync makes durable. So damage can be told from a write that never finished, and named (CONSENSUS
// D1).
//
//   segment    := header seal unused identifier{n} batch-area
//   header     := at 0, 512 bytes, written once: see SegmentHeader
//   seal       := at 512, 512 bytes, zeros until the segment is full: see Seal
//   identifier := from 4096 to head_bytes, 64 bytes each, in the order of writing: see Identifier
//   batch-area := from head_bytes on, each at a multiple of 512: batch trailer zeros
//   trailer    := u64 office  epoch of the office that sent the batch to this broker
//                 u32 batch   crc of the batch
//                 u32 crc     CRC32C of the twelve bytes before
//
// Nothing that was synced is ever written over, but for two marks that change single identifiers in place:
// the "synced" flag, and a cut that takes the place of the cut before it.
//
// Invariants
//  1. Every structure carries the CRC32C of itself; all zeros is "not written", anything else is damage.
//  2. A structure lies within one 512-byte sector: it is there whole or not at all.
//
// Thread rule: values. Limits: a head of 2 MiB holds 32,704 identifiers; a segment that runs out of them is
// full.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "broker/journal/batch.h"
#include "shared/base/bytes.h"
#include "shared/base/ids.h"

namespace cidbus {

// Given to a data directory when it is made, at random; a wiped disk never comes back under the old one.
struct DiskIncarnation {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const DiskIncarnation&, const DiskIncarnation&) = default;
};

inline constexpr ByteCount structure_bytes = 512;  // what every disk writes whole
inline constexpr ByteCount seal_offset = 512;
inline constexpr ByteCount identifiers_offset = 4096;
inline constexpr ByteCount identifier_bytes = 64;
inline constexpr ByteCount trailer_bytes = 16;

struct SegmentHeader {
  ClusterId cluster;
  DiskIncarnation incarnation;
  std::uint64_t number = 0;  // 1 for the first of a journal; its successor's is one more
  ByteCount segment_bytes = 0;
  ByteCount head_bytes = 0;  // where the batch area begins
  // Set: the journal was begun anew here, after `base`; segments with lower numbers are left over.
  bool begins_anew = false;
  ChainEnd base;

  [[nodiscard]] std::uint32_t identifiers() const {
    return static_cast<std::uint32_t>((head_bytes - identifiers_offset) / identifier_bytes);
  }
};

// Written when the next segment takes over: this many identifiers, ending with this batch, and a successor
// exists.
struct Seal {
  std::uint32_t identifiers = 0;
  ChainEnd end;
};

enum class IdentifierKind : std::uint8_t {
  Batch = 1,
  Cut = 2,  // the batches from `first` on, as far as they were written before, are no longer in the journal
};

struct Identifier {
  // Everything before this batch was on disk when this was written.
  static constexpr std::uint8_t starts_a_sync = 1;
  // This batch and everything before it is on disk. Written after the sync, and not itself synced.
  static constexpr std::uint8_t synced = 2;

  IdentifierKind kind = IdentifierKind::Batch;
  std::uint8_t flags = 0;
  ByteCount offset = 0;  // of the batch in the file
  std::uint32_t length = 0;
  std::uint32_t count = 0;
  std::uint32_t crc = 0;
  LogIndex first;
  Epoch epoch;
  Epoch office;

  [[nodiscard]] LogIndex last() const { return {first.value + count - 1}; }
  [[nodiscard]] ChainEnd end() const { return {last(), epoch, crc}; }
};

struct Trailer {
  Epoch office;
  std::uint32_t batch_crc = 0;
};

// What a place in a segment holds.
template <typename Structure>
struct Stored {
  bool empty = false;              // all zeros
  std::optional<Structure> found;  // set when it is whole; neither: damaged
};

// Each gives exactly the bytes of its structure.
Bytes encode(const SegmentHeader& header);
Bytes encode(const Seal& seal);
Bytes encode(const Identifier& identifier);
Bytes encode(const Trailer& trailer);

// REQUIRES: a view of the structure's size, or a shorter one where the file ends: that is damaged.
Stored<SegmentHeader> decode_segment_header(ByteView bytes);
Stored<Seal> decode_seal(ByteView bytes);
Stored<Identifier> decode_identifier(ByteView bytes);
std::optional<Trailer> decode_trailer(ByteView bytes);

// What a batch of this length takes of the batch area, with its trailer.
constexpr ByteCount batch_extent(ByteCount length) {
  return (length + trailer_bytes + structure_bytes - 1) / structure_bytes * structure_bytes;
}

inline ByteCount identifier_offset(std::uint32_t slot) {
  return identifiers_offset + slot * identifier_bytes;
}

// "segment-0000000001", and back.
std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> parse_segment_name(const std::string& name);

}  // namespace cidbus
