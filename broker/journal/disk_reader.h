// DiskReader: what the disk's thread reads for others: batches that a standby or the state machine lacks, and
// the file of a snapshot that a standby is to have.
//
// A reader that goes on where it stopped is served from an open file; a cut, a freed segment or a refilled
// hole makes all places be looked for anew.
//
// Invariants
//  1. Batches come whole and verified, in order, without gaps, and stop before a hole.
//  2. One step reads limits::disk_read_bytes at most, or one batch.
//
// Thread rule: the owner of the directory. Limits: limits::disk_readers of each kind, a request each.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <variant>

#include "broker/journal/data_directory.h"
#include "broker/journal/disk.h"
#include "broker/journal/journal_reader.h"
#include "shared/base/limits/group.h"

namespace cidbus {

class DiskReader {
 public:
  using Request = std::variant<ReadBatches, ReadSnapshot>;

  explicit DiskReader(DataDirectory& directory) : directory_(directory) {}

  // REQUIRES: a reader below limits::disk_readers.
  void accept(const Request& request) { requests_.push_back(request); }
  [[nodiscard]] bool has_work() const { return !requests_.empty(); }
  // Answers one request. A fault is the disk's, or damage that was not there at the start.
  [[nodiscard]] Status step(std::vector<DiskCompletion>& out);
  // The journal has changed before its end.
  void forget_places();

 private:
  struct OpenSnapshot {
    SnapshotFile known;
    std::unique_ptr<File> file;
  };
  [[nodiscard]] Status serve(const ReadBatches& request, std::vector<DiskCompletion>& out);
  [[nodiscard]] Status serve(const ReadSnapshot& request, std::vector<DiskCompletion>& out);
  [[nodiscard]] Status open_snapshot(const KeptSnapshot& kept, OpenSnapshot& open);

  DataDirectory& directory_;
  std::deque<Request> requests_;
  std::array<std::optional<JournalReader>, limits::disk_readers> journals_;
  std::array<OpenSnapshot, limits::disk_readers> snapshots_;
};

}  // namespace cidbus
