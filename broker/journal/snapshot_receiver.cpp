#include "broker/journal/snapshot_receiver.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr ByteCount sync_every = 4 << 20;  // so that no sync of the journal waits for much of it

tl::unexpected<Fault> useless(const std::string& path, const std::string& what) {
  return fault(FaultKind::BadData, "the received snapshot " + path + " is of no use: " + what);
}

}  // namespace

Result<SnapshotReceiver> SnapshotReceiver::begin(FileSystem& files, const std::string& folder,
                                                 const SnapshotFile& what) {
  const std::string path = folder + "/" + received_snapshot_name;
  if (what.last.value == 0 || what.bytes <= snapshot_header_bytes + what.hash.size())
    return useless(path, "its sender names no size or no record");
  auto file = files.create(path);
  if (!file) return tl::unexpected(file.error());
  return SnapshotReceiver(files, path, what, std::move(*file));
}

Result<ByteCount> SnapshotReceiver::add(ByteCount offset, ByteView piece) {
  if (offset != bytes_) return bytes_;
  if (piece.size() > what_.bytes - bytes_) return useless(path_, "more of it came than its sender named");
  if (Status status = file_->write(bytes_, piece); !status) return tl::unexpected(status.error());
  const ByteCount hashed = what_.bytes - what_.hash.size();
  if (bytes_ < hashed) hash_.update(piece.first(std::min<ByteCount>(piece.size(), hashed - bytes_)));
  bytes_ += piece.size();
  if (bytes_ - synced_ < sync_every) return bytes_;
  synced_ = bytes_;
  if (Status status = file_->sync(); !status) return tl::unexpected(status.error());
  return bytes_;
}

Status SnapshotReceiver::verify() {
  if (bytes_ != what_.bytes) return useless(path_, "it ends too early");
  Sha256Digest stored{};
  const auto count = file_->read(bytes_ - stored.size(), stored);
  if (!count) return tl::unexpected(count.error());
  if (hash_.finish() != what_.hash || stored != what_.hash)
    return useless(path_, "its hash is not the one its sender named");
  if (Status status = file_->sync(); !status) return status;
  if (Status status = files_->sync_directory(path_.substr(0, path_.rfind('/'))); !status) return status;
  auto reader = SnapshotReader::open(*files_, path_);
  if (!reader) return tl::unexpected(reader.error());
  if (reader->info().last.last != what_.last) return useless(path_, "it is of another record");
  reader_ = std::make_unique<SnapshotReader>(std::move(*reader));
  return {};
}

Result<bool> SnapshotReceiver::load_some(std::uint64_t hash_seed) {
  ENSURE(reader_ != nullptr, path_);
  if (state_ == nullptr) {
    state_ = std::make_unique<StateMachine>(StateLimits{}, hash_seed);
    loader_ = std::make_unique<SnapshotLoader>(*state_);
  }
  const auto chunk = reader_->next_chunk();
  if (!chunk) return tl::unexpected(chunk.error());
  if (Status status = *chunk ? loader_->load(**chunk) : loader_->finish(); !status)
    return useless(path_, status.error().message);
  return !chunk->has_value();
}

Status SnapshotReceiver::abandon() { return files_->remove(path_); }

}  // namespace cidbus
