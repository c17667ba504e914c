// The batches of a journal as they lie in its segments, for tools that change nothing: read one after the
// other, damaged ones included.
//
// Thread rule: one owner; calls block. Limits: memory for one segment's batches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/journal/data_directory.h"
#include "broker/journal/segment_scan.h"
#include "shared/io/file_system.h"

namespace cidbus {

// A data folder, taken so that no broker starts on it meanwhile.
struct QuietFolder {
  std::unique_ptr<DirectoryLock> lock;
  VoteState votes;                    // the slot that counts
  std::vector<std::string> findings;  // of the vote file
  [[nodiscard]] JournalOwner owner() const { return {cluster_id(votes.cluster), votes.incarnation}; }
};
// BadUsage when it is no broker's, TryAgain when one runs on it.
Result<QuietFolder> open_quietly(FileSystem& files, const std::string& folder);

// Every segment in order; the file lives during the call. False ends the walk.
using OnSegment = std::function<bool(const SegmentScan& scan, File& file)>;
Status walk_segments(FileSystem& files, const std::string& journal_folder, const OnSegment& on_segment);

// The batch at a place, if it is whole.
std::optional<Bytes> read_batch(File& file, const BatchPlace& place);

}  // namespace cidbus
