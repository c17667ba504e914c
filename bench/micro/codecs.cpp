// Messages to frames and back, a hundred tasks of 100 bytes each in one; a task a second is what is told.

#include <benchmark/benchmark.h>

#include "shared/wire/codec.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

constexpr std::size_t tasks = 100;

const Bytes& work() {
  static const Bytes encoded = [] {
    const std::string payload(100, 'x');
    Work work;
    work.parameters.emplace_back("payload", payload);
    return encode_work(work);
  }();
  return encoded;
}

Message submit() {
  Submit submit;
  for (std::uint64_t seq = 1; seq <= tasks; ++seq) submit.items.push_back({seq, "echo", {}, work()});
  return submit;
}
Message dispatch() {
  Dispatch dispatch;
  for (std::uint64_t task = 1; task <= tasks; ++task) {
    DispatchItem& item = dispatch.items.emplace_back();
    item.attempt = {TaskId{task}, 0, 1, Epoch{1}};
    item.type = "echo";
    item.work = work();
  }
  return dispatch;
}
Message complete() {
  Complete complete;
  for (std::uint64_t task = 1; task <= tasks; ++task) {
    const AttemptId attempt{TaskId{task}, 0, 1, Epoch{1}};
    complete.items.push_back({attempt, Outcome::Completed, work(), {}, std::chrono::microseconds(3)});
  }
  return complete;
}

void encode_message(benchmark::State& state, Message (*make)()) {
  const Message message = make();
  const Header header{protocol_version, cluster_id("bench"), Epoch{1}, "b1", Incarnation{7}};
  Encoder encoder;
  for (auto _ : state) benchmark::DoNotOptimize(encoder.encode(header, message).data());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(tasks));
}

void decode_message(benchmark::State& state, Message (*make)()) {
  const Header header{protocol_version, cluster_id("bench"), Epoch{1}, "b1", Incarnation{7}};
  Encoder encoder;
  const Bytes frame = to_bytes(encoder.encode(header, make()));
  Decoder decoder;
  for (auto _ : state) {
    const auto envelope = decoder.decode(frame);
    if (!envelope) return state.SkipWithError(envelope.error().message.c_str());
    benchmark::DoNotOptimize(&*envelope);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(tasks));
}

void encode_one_work(benchmark::State& state) {
  const std::string payload(100, 'x');
  for (auto _ : state) {
    Work given;
    given.parameters.emplace_back("payload", payload);
    benchmark::DoNotOptimize(encode_work(given).data());
  }
  state.SetItemsProcessed(state.iterations());
}

void decode_one_work(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(decode_work(work())->operator->());
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(encode_message, submit, submit);
BENCHMARK_CAPTURE(encode_message, dispatch, dispatch);
BENCHMARK_CAPTURE(encode_message, complete, complete);
BENCHMARK_CAPTURE(decode_message, submit, submit);
BENCHMARK_CAPTURE(decode_message, dispatch, dispatch);
BENCHMARK_CAPTURE(decode_message, complete, complete);
BENCHMARK(encode_one_work);
BENCHMARK(decode_one_work);

}  // namespace
}  // namespace cidbus
