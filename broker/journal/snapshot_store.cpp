#include "broker/journal/snapshot_store.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr std::size_t snapshots_kept = 2;
constexpr std::string_view damaged_ending = ".damaged";

}  // namespace

Result<SnapshotStore> SnapshotStore::open(FileSystem& files, const std::string& folder, ClusterId cluster,
                                          std::vector<std::string>& notices) {
  auto names = files.list(folder);
  if (!names) return tl::unexpected(names.error());
  SnapshotStore store(files, folder);
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    if (*name == unfinished_snapshot_name) {
      if (Status status = files.remove(folder + "/" + *name); !status) return tl::unexpected(status.error());
    } else if (parse_snapshot_name(*name)) {
      if (Status status = store.consider(*name, cluster, notices); !status)
        return tl::unexpected(status.error());
    }
  }
  if (Status status = files.sync_directory(folder); !status) return tl::unexpected(status.error());
  return store;
}

// Called from the newest name to the oldest.
Status SnapshotStore::consider(const std::string& name, ClusterId cluster,
                               std::vector<std::string>& notices) {
  const std::string path = folder_ + "/" + name;
  if (kept_.size() == snapshots_kept) return files_->remove(path);
  auto reader = SnapshotReader::open(*files_, path);
  if (!reader) return set_aside(path, reader.error(), notices);
  if (reader->info().cluster != cluster)
    return fault(FaultKind::BadData, "the snapshot " + path + " is of another cluster; name another folder");
  ByteCount bytes = 0;
  if (kept_.empty()) {
    const auto verified = verify_snapshot(*files_, path);
    if (!verified) return set_aside(path, verified.error(), notices);
    bytes = *verified;
  }
  kept_.push_back({reader->info(), bytes, path});
  return {};
}

Status SnapshotStore::set_aside(const std::string& path, const Fault& why,
                                std::vector<std::string>& notices) {
  if (why.kind != FaultKind::BadData) return tl::unexpected(why);
  const std::string aside = path + std::string(damaged_ending);
  notices.push_back(why.message + "; renamed to " + aside);
  return files_->rename(path, aside);
}

LogIndex SnapshotStore::droppable_before() const {
  return kept_.size() < snapshots_kept ? LogIndex{1} : next(kept_.back().info.last.last);
}

Result<SnapshotReader> SnapshotStore::read(const KeptSnapshot& snapshot) const {
  return SnapshotReader::open(*files_, snapshot.path);
}

Result<SnapshotWriter> SnapshotStore::begin(const SnapshotInfo& info) const {
  return SnapshotWriter::begin(*files_, folder_, info);
}

Status SnapshotStore::install(SnapshotWriter& writer) {
  const LogIndex last = writer.info().last.last;
  ENSURE(kept_.empty() || kept_.front().info.last.last < last, last.value);
  if (Status status = writer.install(); !status) return status;
  return keep({writer.info(), writer.bytes(), folder_ + "/" + snapshot_name(last)});
}

Result<SnapshotReceiver> SnapshotStore::receive(const SnapshotFile& what) const {
  return SnapshotReceiver::begin(*files_, folder_, what);
}

Status SnapshotStore::install_received(const SnapshotInfo& info, ByteCount bytes) {
  const std::string path = folder_ + "/" + snapshot_name(info.last.last);
  ENSURE(kept_.empty() || kept_.front().info.last.last < info.last.last, info.last.last.value);
  if (Status status = files_->rename(folder_ + "/" + received_snapshot_name, path); !status) return status;
  if (Status status = files_->sync_directory(folder_); !status) return status;
  return keep({info, bytes, path});
}

Status SnapshotStore::quarantine(LogIndex first, LogIndex last) {
  std::vector<KeptSnapshot> left;
  for (KeptSnapshot& each : kept_) {
    if (each.info.last.last < first || each.info.last.last > last) {
      left.push_back(std::move(each));
    } else if (Status status = files_->rename(each.path, each.path + std::string(damaged_ending)); !status) {
      return status;
    }
  }
  kept_ = std::move(left);
  return files_->sync_directory(folder_);
}

Result<bool> SnapshotStore::settle_received(LogIndex last) {
  const std::string path = folder_ + "/" + received_snapshot_name;
  const auto names = files_->list(folder_);
  if (!names) return tl::unexpected(names.error());
  if (std::find(names->begin(), names->end(), received_snapshot_name) == names->end()) return false;
  const auto reader = SnapshotReader::open(*files_, path);
  const bool newer = kept_.empty() || kept_.front().info.last.last < last;
  if (reader && newer && reader->info().last.last == last) {
    if (const auto bytes = verify_snapshot(*files_, path); bytes) {
      if (Status status = install_received(reader->info(), *bytes); !status)
        return tl::unexpected(status.error());
      return true;
    }
  }
  if (Status status = files_->remove(path); !status) return tl::unexpected(status.error());
  return false;
}

Status SnapshotStore::keep(KeptSnapshot snapshot) {
  kept_.insert(kept_.begin(), std::move(snapshot));
  if (kept_.size() <= snapshots_kept) return {};
  const std::string oldest = kept_.back().path;
  kept_.pop_back();
  if (Status status = files_->remove(oldest); !status) return status;
  return files_->sync_directory(folder_);
}

}  // namespace cidbus
