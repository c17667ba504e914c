#include "broker/journal/data_directory.h"

#include <algorithm>
#include <utility>

namespace cidbus {
namespace {

JournalOwner owner_of(const VoteState& state) { return {cluster_id(state.cluster), state.incarnation}; }

// A directory without a vote file is new, or one whose making was cut short, or one that has lost its votes
// (D4).
Status clear_unfinished(FileSystem& files, const std::string& folder) {
  const auto lost = [&](const std::string& what) {
    return fault(FaultKind::BadData,
                 "the vote file " + folder + "/" + vote_file_name + " is missing though " + what +
                     " is there; put it back from a copy, or move the folder away to start empty "
                     "and lose its tasks");
  };
  const auto snapshots = files.list(folder + "/snapshots");
  if (!snapshots) return tl::unexpected(snapshots.error());
  for (const std::string& name : *snapshots)
    if (parse_snapshot_name(name)) return lost("snapshots/" + name);
  const auto segments = files.list(folder + "/journal");
  if (!segments) return tl::unexpected(segments.error());
  for (const std::string& name : *segments) {
    const std::string path = folder + "/journal/" + name;
    if (!name.starts_with("segment-")) continue;
    if (parse_segment_name(name)) {
      auto file = files.open(path);
      if (!file) return tl::unexpected(file.error());
      const SegmentScan scan = scan_segment(**file, name, ScanDepth::Everything, std::nullopt);
      if (!scan.readable || !scan.empty() || scan.header.number != 1) return lost("journal/" + name);
    }
    if (Status status = files.remove(path); !status) return status;
  }
  return files.sync_directory(folder + "/journal");
}

Status make_new(FileSystem& files, const DataDirectoryOptions& options) {
  if (Status status = clear_unfinished(files, options.folder); !status) return status;
  VoteState state;
  state.cluster = options.cluster;
  state.node = options.node;
  state.incarnation = options.fresh_incarnation;
  state.repairing = state.is_new = options.new_is_unproven;
  if (Status status = Journal::create(files, options.folder + "/journal", owner_of(state), options.journal);
      !status)
    return status;
  return VoteFile::create(files, options.folder, state);
}

Result<VoteFile> open_votes(FileSystem& files, const DataDirectoryOptions& options,
                            std::vector<std::string>& notices) {
  auto votes = VoteFile::open(files, options.folder, notices);
  if (!votes && votes.error().kind == FaultKind::NotFound) {
    if (Status status = make_new(files, options); !status) return tl::unexpected(status.error());
    votes = VoteFile::open(files, options.folder, notices);
  }
  if (!votes) return votes;
  VoteState state = votes->state();
  if (state.cluster == options.cluster && state.node == options.node) {
    // Made for a group, and never brought up: alone there is nobody whom it might contradict.
    if (state.is_new && options.on_damage == OnDamage::Refuse) {
      state.repairing = state.is_new = false;
      if (Status status = votes->write(state); !status) return tl::unexpected(status.error());
    }
    return votes;
  }
  return fault(FaultKind::BadUsage, "folder " + options.folder + " is that of broker " + state.node +
                                        " of cluster " + state.cluster + ", not of " + options.node + " of " +
                                        options.cluster + "; name another folder with --data");
}

// The record that the newest whole snapshot goes up to.
LogIndex newest_in(const SnapshotStore& snapshots) {
  return snapshots.kept().empty() ? LogIndex{} : snapshots.kept().front().info.last.last;
}

// A snapshot that was received, and whose journal begins behind it, may still lack its name. After that,
// whether the newest snapshot and the journal meet.
Status settle(const Journal& journal, SnapshotStore& snapshots, const std::string& folder) {
  if (const auto received = snapshots.settle_received({journal.first().value - 1}); !received)
    return tl::unexpected(received.error());
  const std::uint64_t snapshot = newest_in(snapshots).value;
  const std::string what_to_do =
      "; put this folder back from a copy, or see 'cidbus-broker journal repair --help'";
  if (journal.first().value > snapshot + 1)
    return fault(FaultKind::BadData,
                 "the journal in " + folder + " begins with record " + std::to_string(journal.first().value) +
                     " though no whole snapshot goes past " + std::to_string(snapshot) + what_to_do);
  if (journal.end().last.value < snapshot)
    return fault(FaultKind::BadData, "the journal in " + folder + " ends with record " +
                                         std::to_string(journal.end().last.value) +
                                         ", before its snapshot of " + std::to_string(snapshot) + what_to_do);
  return {};
}

// What was promised with the lost records is unknown, so it is said in the vote file, before anything is
// moved, that this broker must not act on what it holds (CONSENSUS D3).
Result<Journal> begin_repair(FileSystem& files, const DataDirectoryOptions& options, VoteFile& votes,
                             const SnapshotStore& snapshots, JournalRecovery& recovery) {
  VoteState state = votes.state();
  state.repairing = true;
  state.epoch = std::max(state.epoch, recovery.highest_office);
  if (state.epoch != votes.state().epoch) state.voted.clear();
  if (Status status = votes.write(state); !status) return tl::unexpected(status.error());
  const std::string folder = options.folder + "/journal";
  const ChainEnd base = snapshots.kept().empty() ? ChainEnd{} : snapshots.kept().front().info.last;
  if (Status status = Journal::set_aside(files, folder, owner_of(state), options.journal, base); !status)
    return tl::unexpected(status.error());
  return Journal::open(files, folder, owner_of(state), options.journal, recovery, OnDamage::Refuse);
}

}  // namespace

DataDirectory::DataDirectory(std::unique_ptr<DirectoryLock> lock, VoteFile votes, Journal journal,
                             SnapshotStore snapshots, DiskRoom room)
    : lock_(std::move(lock)),
      votes_(std::move(votes)),
      journal_(std::move(journal)),
      snapshots_(std::move(snapshots)),
      room_(std::move(room)) {}

Result<DataDirectory> DataDirectory::open(FileSystem& files, const DataDirectoryOptions& options) {
  for (const char* below : {"", "/journal", "/snapshots"})
    if (Status status = files.create_directory(options.folder + below); !status)
      return tl::unexpected(status.error());
  auto lock = files.lock(options.folder);
  if (!lock) return tl::unexpected(lock.error());
  std::vector<std::string> notices;
  auto votes = open_votes(files, options, notices);
  if (!votes) return tl::unexpected(votes.error());
  if (votes->state().repairing && options.on_damage == OnDamage::Refuse)
    return fault(FaultKind::BadData,
                 "the journal in " + options.folder +
                     " was lost and is being brought up again from other brokers; start this "
                     "broker with its --group");
  const JournalOwner owner = owner_of(votes->state());
  auto snapshots = SnapshotStore::open(files, options.folder + "/snapshots", owner.cluster, notices);
  if (!snapshots) return tl::unexpected(snapshots.error());
  const std::string folder = options.folder + "/journal";
  JournalRecovery recovery;
  auto journal = Journal::open(files, folder, owner, options.journal, recovery, options.on_damage);
  const auto whole =
      journal ? settle(*journal, *snapshots, options.folder) : Status(tl::unexpected(journal.error()));
  if (!whole) {
    if (options.on_damage == OnDamage::Refuse || whole.error().kind != FaultKind::BadData)
      return tl::unexpected(whole.error());
    notices.push_back(whole.error().message);
    journal = begin_repair(files, options, *votes, *snapshots, recovery);
    if (!journal) return tl::unexpected(journal.error());
  }
  auto room = DiskRoom::open(files, options.folder, options.marks);
  if (!room) return tl::unexpected(room.error());
  DataDirectory directory(std::move(*lock), std::move(*votes), std::move(*journal), std::move(*snapshots),
                          std::move(*room));
  directory.take_notice(std::move(recovery), std::move(notices));
  return directory;
}

void DataDirectory::take_notice(JournalRecovery recovery, std::vector<std::string> notices) {
  for (const Finding& finding : recovery.mended) notices.push_back(to_text(finding) + ", mended");
  for (const Finding& finding : recovery.torn)
    notices.push_back(to_text(finding) + ", cut: it was never synced");
  for (const JournalHole& hole : journal_.holes())
    notices.push_back(segment_name(hole.segment) + " at " + std::to_string(hole.place.offset) +
                      ": a damaged batch, to be had from another broker");
  if (is_new())
    notices.push_back(
        "the folder is new: this broker has no say among brokers that hold anything before it was brought "
        "up");
  if (repairing() && !is_new())
    notices.push_back("the journal was lost and is brought up again from the other brokers");
  recovery_ = std::move(recovery);
  notices_ = std::move(notices);
}

const KeptSnapshot* DataDirectory::newest_snapshot() const {
  return snapshots_.kept().empty() ? nullptr : &snapshots_.kept().front();
}

LogIndex DataDirectory::replay_from() const { return next(newest_in(snapshots_)); }

Epoch DataDirectory::highest_epoch() const {
  return std::max({votes_.state().epoch, recovery_.highest_office, journal_.end().epoch});
}

}  // namespace cidbus
