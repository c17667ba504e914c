#include "broker/recovery.h"

#include "broker/journal/journal_reader.h"
#include "broker/tasks/snapshot.h"

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

Status replay(const Journal& journal, LogIndex from, Recovered& recovered) {
  if (from > journal.end().last) return {};
  JournalReader reader(journal, from);
  Changes changes;
  while (true) {
    const auto batch = reader.next_batch();
    if (!batch) return tl::unexpected(batch.error());
    if (!*batch) return {};
    recovered.sizes.journal_since_snapshot += (*batch)->bytes().size();
    changes.clear();
    for (const RecordView& record : **batch) {
      if (record.index < from) continue;
      recovered.state->apply(record.index, record.time, static_cast<RecordType>(record.type), record.payload,
                             changes);
    }
  }
}

}  // namespace

Result<Recovered> recover(DataDirectory& directory, std::uint64_t hash_seed) {
  Recovered recovered;
  recovered.state = std::make_unique<StateMachine>(StateLimits{}, hash_seed);
  recovered.highest_epoch = directory.highest_epoch();
  recovered.end = directory.journal().end();
  if (const KeptSnapshot* newest = directory.newest_snapshot(); newest != nullptr) {
    recovered.sizes.snapshot = newest->bytes;
    if (Status loaded = load_snapshot(directory, *newest, *recovered.state); !loaded) {
      return tl::unexpected(loaded.error());
    }
  }
  if (Status replayed = replay(directory.journal(), directory.replay_from(), recovered); !replayed) {
    return tl::unexpected(replayed.error());
  }
  return recovered;
}

}  // namespace cidbus
