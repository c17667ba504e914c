// One file of an append-only pack, and the records in it. The format, little-endian:
//
//   pack   = record*
//   record = head payload
//   head   = crc u32     CRC32C of the rest of the head, key included
//            magic u32   "cbp" and the kind: 1 a block, 2 a removal
//            size u32    of the payload; 0 for a removal
//            check u32   CRC32C of the payload
//            length u16  of the key
//            zero u16
//            key         the block's multihash
//   payload = the block's bytes
//
//   index  = (offset u64, head)*  crc u32     beside a pack that is full: where each record begins; CRC32C of
//   all
//
// A head proves itself, so a pack can be walked without reading payloads, and walked on behind a damaged
// place by looking for the next head that does. The index only saves that walk: without it, or with a damaged
// one, the pack is walked.
//
// Invariants
//  1. append() returns true once all of it is synced; when it fails, the file is as long as before.
//  2. A record that was synced is found by every later walk unless its own bytes are damaged.
//
// Thread rule: append() by one at a time; read() by any, also while another appends. Limits:
// limits::pack_bytes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "shared/content/multihash.h"
#include "shared/content/posix_file.h"

namespace cidbus {

struct PackRecord {
  enum class Kind : std::uint8_t { Block = 1, Removal = 2 };
  Kind kind = Kind::Block;
  Multihash key;
  std::uint32_t size = 0;    // of the payload
  std::uint32_t check = 0;   // CRC32C of it
  std::uint64_t offset = 0;  // of the head in its file
  [[nodiscard]] std::uint64_t payload_offset() const;
  [[nodiscard]] std::uint64_t end() const { return payload_offset() + size; }
};

// A head for the payload; REQUIRES: the key is not null.
Bytes encode_pack_head(PackRecord::Kind kind, const Multihash& key, ByteView payload);

class PackFile {
 public:
  // Opens what is there or makes a new one, with its name synced.
  static Result<std::shared_ptr<PackFile>> open(const std::string& folder, std::uint32_t number);
  PackFile(std::string path, FileDescriptor file, std::uint64_t size);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Calls `visit` with each record from the start of the file to its end. With `whole`, payloads are read and
  // records whose payload is damaged are passed over. Gives the end of the last record.
  Result<std::uint64_t> walk(bool whole, const std::function<void(const PackRecord&)>& visit) const;
  // The same from the index; nothing when there is none that can be believed. A file that was cut short has
  // less than its index says.
  [[nodiscard]] std::optional<std::vector<PackRecord>> read_index() const;
  // Durable on return. TryAgain when there is no room; the pack is as good without.
  Status write_index(std::span<const PackRecord> records) const;

  // Cuts off what is behind `end`: a tail that was never acknowledged.
  Status cut(std::uint64_t end);
  // All parts, one behind the other. TryAgain for a full disk.
  Status append(std::span<const ByteView> parts);
  // BadData when the record's bytes are not what was written.
  Result<std::shared_ptr<const std::uint8_t[]>> read(const PackRecord& record) const;
  // Deletes it and its index. What has it open reads on.
  Status remove() const;

 private:
  [[nodiscard]] std::optional<PackRecord> head_at(std::uint64_t offset) const;
  [[nodiscard]] std::optional<std::uint64_t> next_head(std::uint64_t offset) const;
  [[nodiscard]] bool is_whole(const PackRecord& record) const;
  [[nodiscard]] bool proves_itself(const PackRecord& record) const;

  std::string path_;
  FileDescriptor file_;
  std::uint64_t size_;  // what append() has synced, or was found
};

// The numbers of the packs in a folder, ascending.
Result<std::vector<std::uint32_t>> packs_in(const std::string& folder);

}  // namespace cidbus
