#include "broker/journal/snapshot_writer.h"

#include <algorithm>
#include <utility>

#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr ByteCount verify_step_bytes = 1 << 20;

}  // namespace

SnapshotWriter::SnapshotWriter(FileSystem& files, std::string folder, SnapshotInfo info,
                               std::unique_ptr<File> file)
    : files_(&files), folder_(std::move(folder)), info_(std::move(info)), file_(std::move(file)) {}

Result<SnapshotWriter> SnapshotWriter::begin(FileSystem& files, const std::string& folder,
                                             const SnapshotInfo& info) {
  auto file = files.create(folder + "/" + unfinished_snapshot_name);
  if (!file) return tl::unexpected(file.error());
  SnapshotWriter writer(files, folder, info, std::move(*file));
  if (Status status = writer.write(encode(info)); !status) return tl::unexpected(status.error());
  return writer;
}

Status SnapshotWriter::write(ByteView bytes) {
  if (Status status = file_->write(bytes_, bytes); !status) return status;
  hash_.update(bytes);
  bytes_ += bytes.size();
  return {};
}

Status SnapshotWriter::add(ByteView chunk) {
  ENSURE(!chunk.empty() && chunk.size() <= snapshot_chunk_bytes && !finished_, chunk.size());
  Bytes framed;
  ByteWriter writer(framed);
  framed.reserve(chunk.size() + 8);
  writer.number(static_cast<std::uint32_t>(chunk.size()));
  writer.number(crc32c(chunk));
  writer.raw(chunk);
  if (Status status = write(framed); !status) return status;
  ++chunks_;
  payload_bytes_ += chunk.size();
  return file_->sync();
}

Status SnapshotWriter::finish() {
  ENSURE(!finished_);
  finished_ = true;
  Bytes footer;
  ByteWriter writer(footer);
  writer.number(std::uint64_t{0});  // the end: a chunk of no bytes
  writer.number(chunks_);
  writer.number(payload_bytes_);
  if (Status status = write(footer); !status) return status;
  digest_ = std::exchange(hash_, Sha256()).finish();
  if (Status status = file_->write(bytes_, digest_); !status) return status;
  if (Status status = file_->sync(); !status) return status;
  file_->forget_cache();
  return {};
}

Result<bool> SnapshotWriter::verify_some() {
  ENSURE(finished_ && verified_ <= bytes_, verified_, bytes_);
  const auto damaged = [this] {
    return fault(FaultKind::BadData, "the new snapshot " + snapshot_name(info_.last.last) +
                                         " does not read back as it was written; check this disk");
  };
  Bytes buffer(std::min(verify_step_bytes, bytes_ - verified_));
  const auto count = file_->read(verified_, buffer);
  if (!count) return tl::unexpected(count.error());
  if (*count != buffer.size()) return damaged();
  hash_.update(buffer);
  verified_ += buffer.size();
  if (verified_ != bytes_) return false;
  Sha256Digest stored{};
  const auto tail = file_->read(bytes_, stored);
  if (!tail) return tl::unexpected(tail.error());
  if (*tail != stored.size() || stored != digest_ || hash_.finish() != digest_) return damaged();
  return true;
}

Status SnapshotWriter::install() {
  const std::string unfinished = folder_ + "/" + unfinished_snapshot_name;
  if (Status status = files_->rename(unfinished, folder_ + "/" + snapshot_name(info_.last.last)); !status)
    return status;
  return files_->sync_directory(folder_);
}

Status SnapshotWriter::abandon() { return files_->remove(folder_ + "/" + unfinished_snapshot_name); }

}  // namespace cidbus
