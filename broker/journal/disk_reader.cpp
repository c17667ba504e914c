#include "broker/journal/disk_reader.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {

Status DiskReader::step(std::vector<DiskCompletion>& out) {
  if (requests_.empty()) return {};
  const Request request = requests_.front();
  requests_.pop_front();
  return std::visit([&](const auto& one) { return serve(one, out); }, request);
}

void DiskReader::forget_places() {
  for (auto& journal : journals_) journal.reset();
}

Status DiskReader::serve(const ReadBatches& request, std::vector<DiskCompletion>& out) {
  using Stopped = BatchesRead::Stopped;
  ENSURE(request.reader < journals_.size(), request.reader);
  const Journal& journal = directory_.journal();
  BatchesRead read{request.reader, request.from, {}, Stopped::AtMost};
  auto& reader = journals_[request.reader];
  if (request.from < journal.first()) {
    read.stopped = Stopped::Freed;
    out.emplace_back(std::move(read));
    return {};
  }
  if (!reader || reader->next() != request.from) reader.emplace(journal, request.from);
  const ByteCount most = std::min<ByteCount>(request.most, limits::disk_read_bytes);
  for (ByteCount bytes = 0; bytes == 0 || (bytes < most && read.batches.size() < request.batches);) {
    if (reader->at_hole()) {
      read.stopped = Stopped::AtHole;
      break;
    }
    const auto batch = reader->next_batch();
    if (!batch) return tl::unexpected(batch.error());
    if (!*batch) {
      read.stopped = Stopped::AtEnd;
      break;
    }
    bytes += (*batch)->bytes().size();
    read.batches.push_back(std::make_shared<const Bytes>(to_bytes((*batch)->bytes())));
  }
  out.emplace_back(std::move(read));
  return {};
}

Status DiskReader::open_snapshot(const KeptSnapshot& kept, OpenSnapshot& open) {
  auto file = directory_.snapshots().open(kept);
  if (!file) return tl::unexpected(file.error());
  open.file = std::move(*file);
  const auto size = open.file->size();
  if (!size) return tl::unexpected(size.error());
  open.known = {kept.info.last.last, *size, {}};
  ENSURE(*size > open.known.hash.size(), kept.path, *size);
  const auto count = open.file->read(*size - open.known.hash.size(), open.known.hash);
  if (!count) return tl::unexpected(count.error());
  return {};
}

Status DiskReader::serve(const ReadSnapshot& request, std::vector<DiskCompletion>& out) {
  ENSURE(request.reader < snapshots_.size(), request.reader);
  OpenSnapshot& open = snapshots_[request.reader];
  const auto& kept = directory_.snapshots().kept();
  if (request.last.value == 0) open = {};
  // One that was replaced meanwhile is read to its end all the same: the open file keeps it.
  if (open.file == nullptr || open.known.last != request.last) {
    open = {};
    const auto wanted = std::find_if(kept.begin(), kept.end(), [&request](const KeptSnapshot& one) {
      return request.last.value == 0 || one.info.last.last == request.last;
    });
    if (wanted == kept.end()) {
      out.emplace_back(SnapshotRead{request.reader, {}, 0, {}});
      return {};
    }
    if (Status status = open_snapshot(*wanted, open); !status) return status;
  }
  SnapshotRead read{request.reader, open.known, std::min(request.offset, open.known.bytes), {}};
  read.bytes.resize(
      std::min<ByteCount>({request.most, limits::disk_read_bytes, open.known.bytes - read.offset}));
  const auto count = open.file->read(read.offset, read.bytes);
  if (!count) return tl::unexpected(count.error());
  read.bytes.resize(*count);
  if (read.offset + *count == open.known.bytes) open = {};
  out.emplace_back(std::move(read));
  return {};
}

}  // namespace cidbus
