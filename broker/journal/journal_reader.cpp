#include "broker/journal/journal_reader.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {

JournalReader::JournalReader(const Journal& journal, LogIndex from) : journal_(journal), next_(from) {
  ENSURE(journal.first() <= from, journal.first().value, from.value);
}

// Finds the segment and the batch that hold next_.
Status JournalReader::load() {
  auto scan = journal_.places_around(next_);
  if (!scan) return tl::unexpected(scan.error());
  auto file = journal_.files_->open(journal_.folder_ + "/" + scan->name);
  if (!file) return tl::unexpected(file.error());
  segment_ = std::move(*scan);
  file_ = std::move(*file);
  window_.emplace(*file_);
  const auto holder =
      std::partition_point(segment_.batches.begin(), segment_.batches.end(),
                           [this](const BatchPlace& place) { return place.end.last < next_; });
  at_ = static_cast<std::size_t>(holder - segment_.batches.begin());
  return {};
}

Status JournalReader::skip_hole() {
  ENSURE(at_hole(), next_.value);
  if (at_ >= segment_.batches.size())
    if (Status status = load(); !status) return status;
  next_ = cidbus::next(segment_.batches[at_++].end.last);
  return {};
}

Result<std::optional<BatchView>> JournalReader::next_batch() {
  if (next_ > journal_.end().last) return std::nullopt;
  if (at_ >= segment_.batches.size())
    if (Status status = load(); !status) return tl::unexpected(status.error());
  ENSURE(at_ < segment_.batches.size(), next_.value);
  const BatchPlace& place = segment_.batches[at_];
  const auto bytes = window_->view(place.offset, place.length);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto batch = BatchView::parse(*bytes);
  if (!batch || batch->header().end() != place.end) {
    const Finding finding{FindingKind::Hole, segment_.name,  place.offset,
                          place.first,       place.end.last, "the batch's checksum does not fit"};
    return fault(FaultKind::BadData,
                 "the journal was damaged while in use: " + journal_.folder_ + "/" + to_text(finding));
  }
  ++at_;
  next_ = cidbus::next(place.end.last);
  return batch;
}

}  // namespace cidbus
