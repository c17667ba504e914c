// Reads CAR version 1: blocks in a row, each hashed as it comes (https://ipld.io/specs/transport/car/carv1).
//
//   CAR     = varint(length) header section*
//   header  = dag-cbor {"roots": [tag 42 (00 cid)*], "version": 1}
//   section = varint(length) cid bytes
//
// Blocks may come in any order, twice, or as identity CIDs; all are given as they stand.
//
// Thread rule: one owner; calls block as long as the source does. Limits: limits::car_header_bytes, and
// limits::cid_bytes + limits::block_bytes a section, checked before anything is made room for.
#pragma once

#include <optional>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/base/limits/words.h"
#include "shared/content/block.h"
#include "shared/content/byte_stream.h"

namespace cidbus {

class CarReader {
 public:
  // Reads the header; borrows the source. BadData when it is not CAR version 1.
  static Result<CarReader> open(ByteSource& source);

  [[nodiscard]] const std::vector<Cid>& roots() const { return roots_; }
  // The next block, verified; nothing at the end. BadData for a cut, an overlong section, a block that is not
  // what its CID names; the source's own faults. After a fault nothing more can be read.
  Result<std::optional<Block>> next();

 private:
  explicit CarReader(ByteSource& source) : source_(&source) {}
  // Nothing at the clean end of the file.
  Result<std::optional<std::uint64_t>> read_length();
  Result<Bytes> read_exactly(std::size_t count);
  // Reads more behind what is unused and says how much; 0 only at the end of the source.
  Result<std::size_t> fill();

  ByteSource* source_;  // not owned
  Bytes buffer_;        // read from the source and not yet used from `used_` on
  std::size_t used_ = 0;
  std::vector<Cid> roots_;
};

}  // namespace cidbus
