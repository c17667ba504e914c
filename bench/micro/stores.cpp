// The stores on disk beside each other: putting synced groups of blocks, and reading them back.

#include <benchmark/benchmark.h>

#include "bench/support/bench_folder.h"
#include "shared/base/prng.h"
#include "shared/store/disk_store.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

constexpr std::int64_t bytes_most = 2LL << 30;  // put into one store; past it a new one is begun

Block some_block(std::size_t size, Prng& prng) {
  Bytes bytes(size);
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= size; at += 512) {  // enough to make it another one
    const std::uint64_t word = prng();
    std::memcpy(bytes.data() + at, &word, sizeof(word));
  }
  const Cid cid = Cid::v1(Codec::Raw, sha2_256(bytes));
  return {cid, std::move(bytes)};
}

std::unique_ptr<BlockStore> open_in(const TemporaryFolder& folder, StoreKind kind) {
  auto store = open_disk_store(kind, {.folder = folder.path(), .listener = {}});
  ENSURE(store.has_value(), store.error().message);
  return std::move(*store);
}

// Arguments: bytes a block, blocks a put.
void put_blocks(benchmark::State& state, StoreKind kind) {
  const auto size = static_cast<std::size_t>(state.range(0));
  Prng prng(1);
  auto folder = std::make_unique<TemporaryFolder>(bench_folder());
  auto store = open_in(*folder, kind);
  std::int64_t written = 0;
  for (auto _ : state) {
    state.PauseTiming();
    if (written > bytes_most) {
      store.reset();
      folder = std::make_unique<TemporaryFolder>(bench_folder());
      store = open_in(*folder, kind);
      written = 0;
    }
    std::vector<Block> blocks;
    for (std::int64_t block = 0; block < state.range(1); ++block) blocks.push_back(some_block(size, prng));
    state.ResumeTiming();
    if (!store->put(blocks).all_kept()) return state.SkipWithError("not kept");
    written += state.range(0) * state.range(1);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(1));
  state.SetItemsProcessed(state.iterations() * state.range(1));
}

void get_blocks(benchmark::State& state, StoreKind kind) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const TemporaryFolder folder(bench_folder());
  const auto store = open_in(folder, kind);
  Prng prng(1);
  std::vector<Block> blocks;
  for (std::size_t bytes = 0; bytes < (64U << 20) && blocks.size() < 10'000; bytes += size)
    blocks.push_back(some_block(size, prng));
  if (!store->put(blocks).all_kept()) return state.SkipWithError("not kept");
  for (auto _ : state) {
    const auto found = store->get(blocks[prng.below(blocks.size())].cid());
    if (!found || !*found) return state.SkipWithError("not found");
    benchmark::DoNotOptimize((*found)->bytes().data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.SetItemsProcessed(state.iterations());
}

void put_cases(benchmark::internal::Benchmark* bench) {
  bench->Args({1 << 10, 1})->Args({1 << 10, 1000})->Args({256 << 10, 16})->Args({1 << 20, 8})->UseRealTime();
}
void get_cases(benchmark::internal::Benchmark* bench) { bench->Arg(1 << 10)->Arg(1 << 20); }

BENCHMARK_CAPTURE(put_blocks, pack, StoreKind::Pack)->Apply(put_cases);
BENCHMARK_CAPTURE(put_blocks, rocksdb, StoreKind::RocksDb)->Apply(put_cases);
BENCHMARK_CAPTURE(get_blocks, pack, StoreKind::Pack)->Apply(get_cases);
BENCHMARK_CAPTURE(get_blocks, rocksdb, StoreKind::RocksDb)->Apply(get_cases);

}  // namespace
}  // namespace cidbus
