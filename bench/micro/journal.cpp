// The journal: making a batch, and appending one, synced. The bare write and fdatasync stands beside it.

#include "broker/journal/journal.h"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include "bench/support/bench_folder.h"
#include "broker/journal/batch_builder.h"
#include "shared/io/posix_file_system.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

constexpr std::size_t record_payload = 250;  // of a SUBMIT with 100 bytes

BatchBytes make_batch(BatchBuilder& builder, std::int64_t records) {
  static const Bytes payload(record_payload, 7);
  for (std::int64_t record = 0; record < records; ++record) builder.append(1, 1, WallTime{1000}, payload);
  return builder.seal();
}

void build_batch(benchmark::State& state) {
  BatchBuilder builder(Epoch{1}, {});
  for (auto _ : state) benchmark::DoNotOptimize(make_batch(builder, state.range(0))->data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void append_batch(benchmark::State& state) {
  const TemporaryFolder folder(bench_folder());
  PosixFileSystem files;
  const JournalOwner owner{cluster_id("bench"), {{1, 2, 3}}};
  JournalRecovery recovery;
  if (const Status made = Journal::create(files, folder.path(), owner, {}); !made)
    return state.SkipWithError(made.error().message.c_str());
  auto journal = Journal::open(files, folder.path(), owner, {}, recovery);
  if (!journal) return state.SkipWithError(journal.error().message.c_str());
  BatchBuilder builder(Epoch{1}, journal->end());
  for (auto _ : state) {
    const NewBatch batch{make_batch(builder, state.range(0)), Epoch{1}};
    if (const Status appended = journal->append({&batch, 1}); !appended)
      return state.SkipWithError(appended.error().message.c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void bare_sync(benchmark::State& state) {
  const TemporaryFolder folder(bench_folder());
  const int file = ::open((folder.path() + "/file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const Bytes bytes(static_cast<std::size_t>(state.range(0)), 7);
  off_t at = 0;
  for (auto _ : state) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), at);
    if (written < 0 || ::fdatasync(file) != 0) return state.SkipWithError("the disk failed");
    at += written;
  }
  ::close(file);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(build_batch)->Arg(1)->Arg(1000);
BENCHMARK(append_batch)->Arg(1)->Arg(1000)->UseRealTime();
BENCHMARK(bare_sync)->Arg(4 << 10)->Arg(256 << 10)->UseRealTime();

}  // namespace
}  // namespace cidbus
