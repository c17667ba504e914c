#include "broker/recovery.h"

#include "broker/journal/journal_reader.h"
#include "broker/tasks/snapshot.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

Status load_snapshot(DataDirectory& directory, const KeptSnapshot& kept, StateMachine& state) {
  auto reader = directory.snapshots().read(kept);
  if (!reader) return tl::unexpected(reader.error());
  SnapshotLoader loader(state);
  while (true) {
    auto chunk = reader->next_chunk();
    if (!chunk) return tl::unexpected(chunk.error());
    if (!*chunk) return loader.finish();
    if (Status loaded = loader.load(**chunk); !loaded) {
      return fault(loaded.error().kind, kept.path + ": " + loaded.error().message);
    }
  }
}

group::BatchIdentity identity_of(const BatchPlace& place) {
  return {place.first, group::position_of(place.end), place.end.crc};
}

// Where older segments were freed the journal does not tell in which office the record before its oldest one
// was made. If the newest snapshot ends there, that does. Else the log begins behind the oldest batch, which
// ends here and which the snapshot holds: true then.
bool begins_the_log(const ChainEnd& end, Recovered& recovered) {
  const ChainEnd before = recovered.group.log.end();
  if (before.epoch != Epoch{} || before.last == LogIndex{}) return false;
  const bool in_snapshot = before.last < recovered.applied_end.last;
  recovered.group.log = group::LogWindow(in_snapshot ? end : recovered.applied_end);
  return in_snapshot;
}

// Reads the whole journal: where its batches end, the damaged ones' too, and, for a broker alone, what they
// say.
Status read_journal(const Journal& journal, bool replay, Recovered& recovered) {
  if (journal.first() > journal.end().last) return {};
  JournalReader reader(journal, journal.first());
  Changes changes;
  while (true) {
    if (const JournalHole* hole = journal.hole_at(reader.next()); hole != nullptr) {
      if (!begins_the_log(hole->place.end, recovered))
        recovered.group.log.recovered_hole(identity_of(hole->place));
      if (Status status = reader.skip_hole(); !status) return status;
      continue;
    }
    const auto batch = reader.next_batch();
    if (!batch) return tl::unexpected(batch.error());
    if (!*batch) return {};
    const ChainEnd end = (*batch)->header().end();
    if (begins_the_log(end, recovered)) continue;
    recovered.group.log.recovered(end);
    if (end.last <= recovered.applied_end.last) continue;
    if (!replay) continue;
    recovered.sizes.journal_since_snapshot += (*batch)->bytes().size();
    changes.clear();
    for (const RecordView& record : **batch) {
      recovered.state->apply(record.index, record.time, static_cast<RecordType>(record.type), record.payload,
                             changes);
    }
    recovered.applied_end = end;
  }
  return {};
}

}  // namespace

Result<Recovered> recover(DataDirectory& directory, const group::GroupConfig& config,
                          std::uint64_t hash_seed) {
  const Journal& journal = directory.journal();
  const auto base = journal.end_at({journal.first().value - 1});
  if (!base) return tl::unexpected(base.error());
  ENSURE(base->has_value(), "what the journal's first batch follows", journal.first().value);
  const VoteState& votes = directory.votes().state();
  const Epoch epoch = directory.highest_epoch();
  const auto voted = epoch == votes.epoch ? config.find(votes.voted) : std::nullopt;
  Recovered recovered{std::make_unique<StateMachine>(StateLimits{}, hash_seed),
                      {epoch, voted.value_or(group::nobody), group::LogWindow(**base), {}},
                      {},
                      {}};
  if (const KeptSnapshot* newest = directory.newest_snapshot(); newest != nullptr) {
    recovered.sizes.snapshot = newest->bytes;
    recovered.applied_end = newest->info.last;
    if (Status loaded = load_snapshot(directory, *newest, *recovered.state); !loaded)
      return tl::unexpected(loaded.error());
  }
  if (Status read = read_journal(journal, config.size() == 1, recovered); !read)
    return tl::unexpected(read.error());
  recovered.group.applied = recovered.applied_end.last;
  recovered.group.repairing = directory.repairing();
  recovered.group.is_new = directory.is_new();
  return recovered;
}

}  // namespace cidbus
