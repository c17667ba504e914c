#include "tests/sim/broker_node.h"

#include "broker/journal/journal_reader.h"
#include "broker/recovery.h"
#include "broker/tasks/state_machine.h"
#include "shared/base/ensure.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;

constexpr ByteCount snapshot_after = 64 << 10;  // small, so that every run takes some

}  // namespace

void WatchedDisk::submit(DiskCommand command) {
  if (const auto* write = std::get_if<WriteBatch>(&command)) unsynced_.push_back(write->batch.bytes);
  disk_.submit(std::move(command));
}

std::optional<DiskCompletion> WatchedDisk::poll() {
  auto completion = disk_.poll();
  const auto* persisted = completion ? std::get_if<Persisted>(&*completion) : nullptr;
  while (persisted != nullptr && !unsynced_.empty()) {
    const auto batch = BatchView::parse(*unsynced_.front());
    ENSURE(batch.has_value());
    if (batch->header().last() > persisted->end.last) break;
    for (const RecordView& record : *batch) checker_.on_record(record);
    unsynced_.pop_front();
  }
  return completion;
}

BrokerNode::BrokerNode(Timeline& timeline, Network& network, Prng prng, Durability durability)
    : timeline_(timeline), network_(network), prng_(prng), durability_(durability) {}

BrokerNode::~BrokerNode() {
  if (running()) stop();
}

DataDirectoryOptions BrokerNode::directory_options() {
  DataDirectoryOptions options;
  options.folder = "data";
  options.cluster = "sim";
  options.node = "b1";
  options.fresh_incarnation = {1, 2, 3};
  options.journal.segment_bytes = 256 << 10;
  options.journal.head_bytes = 16 << 10;
  options.marks = {0, 0, 1 << 20};
  return options;
}

// What nobody was told of may have survived all the same; what was told durable must have.
void BrokerNode::show_survivors(const Journal& journal) {
  ENSURE(journal.end().last >= checker_.last(), "durable records are gone", journal.end().last.value,
         checker_.last().value);
  if (journal.end().last == checker_.last()) return;
  JournalReader reader(journal, next(checker_.last()));
  while (true) {
    const auto batch = reader.next_batch();
    ENSURE(batch.has_value(), batch.error().message);
    if (!*batch) return;
    for (const RecordView& record : **batch) {
      if (record.index > checker_.last()) checker_.on_record(record);
    }
  }
}

void BrokerNode::start() {
  ENSURE(!running());
  auto directory = DataDirectory::open(files_, directory_options());
  ENSURE(directory.has_value(), directory.error().message);
  group::GroupConfig config({{"b1", "broker:1", 0}}, "b1");
  config.durability = durability_;
  auto recovered = recover(*directory, config, 7);
  ENSURE(recovered.has_value(), recovered.error().message);
  recovered->state->check_invariants();
  show_survivors(directory->journal());
  disk_ = std::make_unique<WatchedDisk>(std::move(*directory), checker_);
  BrokerOptions options{"sim", config, {prng_()}, {}, prng_(), snapshot_after};
  ++life_;
  disk_busy_ = false;
  next_turn_ = Monotonic::max();
  broker_ = std::make_unique<Broker>(timeline_.now(), options, std::move(*recovered), *this, *disk_, *this);
  feed_.begin_life();
  broker_->start(timeline_.now());
  // Somebody watches from some moment on.
  timeline_.after(Duration(prng_.below(3'000'000'000)), [this, life = life_] {
    if (life != life_) return;
    Bytes subscription{1};
    ByteWriter(subscription).raw(as_bytes(to_text(FeedTopic::Tasks)));
    broker_->on_subscription(subscription);
  });
  network_.set_broker(this);
  wake();
}

void BrokerNode::stop() {
  network_.set_broker(nullptr);
  broker_.reset();
  disk_.reset();
  ++life_;
}

void BrokerNode::crash() {
  stop();
  files_.crash(prng_);
}

void BrokerNode::kill() {
  stop();
  files_.kill();
}

void BrokerNode::on_frame(ByteView routing_id, ByteView frame) {
  broker_->on_frame(timeline_.now(), routing_id, frame);
  wake();
}

void BrokerNode::on_connection_broke() {
  broker_->on_connection_broke(timeline_.now());
  wake();
}

// What a broker calls an error is one in a simulated run too.
void BrokerNode::write(LogLevel level, std::string_view line) { ENSURE(level != LogLevel::Error, line); }

void BrokerNode::wake() { wake_at(timeline_.now().monotonic); }

void BrokerNode::wake_at(Monotonic when) {
  if (when >= next_turn_) return;
  next_turn_ = when;
  timeline_.at(when, [this, life = life_, when] {
    if (life != life_ || next_turn_ != when) return;
    next_turn_ = Monotonic::max();
    take_turn();
  });
}

void BrokerNode::take_turn() {
  while (auto completion = disk_->poll()) {
    ENSURE(!std::holds_alternative<DiskFailed>(*completion), std::get<DiskFailed>(*completion).why.message);
    if (std::holds_alternative<SnapshotDone>(*completion)) ++snapshots_;
    broker_->on_disk(timeline_.now(), *std::move(completion));
  }
  const auto next = broker_->end_turn(timeline_.now());
  drive_disk();
  if (next) wake_at(*next);
}

// One step after another, each taking its time; what it completed is handed over at its end.
void BrokerNode::drive_disk() {
  if (disk_busy_ || !disk_->stepped().has_work()) return;
  disk_busy_ = true;
  const Duration takes(prng_.chance(1, 100) ? prng_.between(5'000'000, 80'000'000)
                                            : prng_.between(100'000, 900'000));
  timeline_.after(takes / 2, [this, life = life_, takes] {
    if (life != life_) return;
    disk_->stepped().step();
    timeline_.after(takes / 2, [this, life] {
      if (life != life_) return;
      disk_busy_ = false;
      disk_->stepped().deliver();
      drive_disk();
      wake();
    });
  });
}

}  // namespace cidbus::sim
