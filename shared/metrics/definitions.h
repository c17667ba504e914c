// What cidbus measures: one table of every metric, with its name, unit and meaning. It is what
// docs/metrics.md is written from, what Prometheus is told, and what a number on the feed stands for.
//
// Names follow Prometheus' rules: cidbus_, what has it, what it is, the base unit, and _total where it only
// grows.
//
// Invariants
//  1. A metric's place in `Metric` is its number on the feed: it is never used for another one. New ones
//     go to the end of `Metric`; the table, and so the document, has them where they belong.
//
// Thread rule: constants. Limits: limits/metrics.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace cidbus {

enum class Metric : std::uint16_t {
  NodeInfo,
  StartTime,
  Uptime,
  CpuSeconds,
  ResidentBytes,
  Threads,
  OpenFiles,
  OpenFilesMost,
  ProcessDiskRead,
  ProcessDiskWritten,
  MachineCores,
  MachineCpuSeconds,
  MachineMemory,
  MachineMemoryAvailable,
  NetworkReceived,
  NetworkSent,
  DiskSize,
  DiskFree,
  TurnSeconds,
  LeaderBound,
  LeaderLost,
  TasksSubmitted,
  TasksAccepted,
  TasksRejected,
  TasksFinished,
  TasksRequeued,
  ResultsStale,
  TasksByState,
  QueueDepth,
  QueueOldestAge,
  Credit,
  WaitSeconds,
  RunSeconds,
  DispatchSeconds,
  CommitSeconds,
  FsyncSeconds,
  MessagesUndeliverable,
  MessagesRefused,
  ConnectionsRefused,
  Elections,
  OfficesTaken,
  OfficesLeft,
  BrokerEpoch,
  IsLeader,
  HasQuorum,
  JournalIndex,
  JournalLag,
  Sessions,
  Members,
  Connections,
  BlocksIndexed,
  HeartbeatGap,
  WorkerSlots,
  WorkerSlotsBusy,
  WorkerAttemptsHeld,
  WorkerTasks,
  WorkerRunSeconds,
  BlocksStored,
  BlockBytesStored,
  ExchangeSent,
  ExchangeReceived,
  HttpRequests,
  HttpSent,
  HttpSeconds,
  CacheHits,
  CacheMisses,
  OutboxItems,
  FeedMessages,
  FeedGaps,
  FeedMissed,
  LogLines,
  BuildInfo,
  MovesMade,
  CacheLimit,
  ExchangeWindow,
  ExchangeBatch,
  StateComparisons,
};
inline constexpr std::size_t metric_count = static_cast<std::size_t>(Metric::StateComparisons) + 1;

enum class MetricKind : std::uint8_t {
  Counter,    // only grows while the process lives
  Gauge,      // as it is now
  Histogram,  // how long something took: counts by length
};
enum class MetricUnit : std::uint8_t { Number, Seconds, ByteCounts };
// Who has it.
enum class MetricOwner : std::uint8_t { Node, Broker, Worker, Storing, Http, Leecher, Observer };

struct MetricDefinition {
  Metric metric;
  MetricKind kind;
  MetricUnit unit;
  MetricOwner owner;
  std::string_view name;
  std::string_view meaning;                     // one sentence
  std::array<std::string_view, 2> labels = {};  // names; empty: none
  std::string_view label_values = {};           // for the document: what they may be
};

// In the order of the document.
std::span<const MetricDefinition> metric_definitions();
const MetricDefinition& definition_of(Metric metric);

std::string_view to_text(MetricKind kind);
// Of a section of the document.
std::string_view to_text(MetricOwner owner);

}  // namespace cidbus
