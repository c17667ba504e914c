// What names content: hashes, CIDs in text, dag-pb nodes.

#include <benchmark/benchmark.h>

#include "shared/base/crc32c.h"
#include "shared/content/cid.h"
#include "shared/content/dag_pb.h"

namespace cidbus {
namespace {

constexpr std::size_t links = 174;  // of a node of a large file in kubo-cidv1-raw-256k

void hash_block(benchmark::State& state, HashCode code) {
  const Bytes block(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(hash_content(code, block)->bytes().data());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void check_block(benchmark::State& state) {
  const Bytes block(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(block));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void parse_cid(benchmark::State& state) {
  const std::string text = to_text(Cid::v1(Codec::Raw, sha2_256(Bytes(10, 1))));
  for (auto _ : state) benchmark::DoNotOptimize(Cid::parse(text)->bytes().data());
  state.SetItemsProcessed(state.iterations());
}

std::vector<DagPbLink> some_links() {
  std::vector<DagPbLink> made;
  for (std::size_t i = 0; i < links; ++i)
    made.push_back({Cid::v1(Codec::Raw, sha2_256(Bytes(10, static_cast<std::uint8_t>(i)))), "", 1 << 18});
  return made;
}

void encode_node(benchmark::State& state) {
  const auto made = some_links();
  for (auto _ : state) benchmark::DoNotOptimize(encode_dag_pb(made, std::nullopt).data());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(links));
}

void decode_node(benchmark::State& state) {
  const Bytes block = encode_dag_pb(some_links(), std::nullopt);
  for (auto _ : state) benchmark::DoNotOptimize(decode_dag_pb(block)->links.data());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(links));
}

BENCHMARK_CAPTURE(hash_block, sha2_256, HashCode::Sha2_256)->Arg(1 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(hash_block, blake2b_256, HashCode::Blake2b_256)->Arg(1 << 10)->Arg(1 << 20);
BENCHMARK(check_block)->Arg(1 << 10)->Arg(1 << 20);
BENCHMARK(parse_cid);
BENCHMARK(encode_node);
BENCHMARK(decode_node);

}  // namespace
}  // namespace cidbus
