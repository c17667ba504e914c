#include "shared/metrics/definitions.h"

#include <algorithm>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

using enum Metric;
using enum MetricUnit;
using enum MetricOwner;
constexpr auto counter = MetricKind::Counter;
constexpr auto gauge = MetricKind::Gauge;
constexpr auto histogram = MetricKind::Histogram;

constexpr MetricDefinition definitions[] = {
    {NodeInfo,
     gauge,
     Number,
     Node,
     "cidbus_node_info",
     "1; its labels name the node.",
     {"node", "role"},
     "its name; master, worker, leecher, gateway, observer"},
    {BuildInfo,
     gauge,
     Number,
     Node,
     "cidbus_build_info",
     "1; its label is the version.",
     {"version"},
     "as --version has it"},
    {StartTime, gauge, Seconds, Node, "cidbus_start_time_seconds",
     "When the process started, since 1970 UTC."},
    {Uptime, gauge, Seconds, Node, "cidbus_uptime_seconds", "How long it has been running."},
    {CpuSeconds, counter, Seconds, Node, "cidbus_process_cpu_seconds_total",
     "Processor time that the process has used."},
    {ResidentBytes, gauge, ByteCounts, Node, "cidbus_process_resident_memory_bytes",
     "Memory that the process has."},
    {Threads, gauge, Number, Node, "cidbus_process_threads", "Threads of the process."},
    {OpenFiles, gauge, Number, Node, "cidbus_process_open_fds", "Files and sockets that it has open."},
    {OpenFilesMost, gauge, Number, Node, "cidbus_process_max_fds", "How many it may have open."},
    {ProcessDiskRead, counter, ByteCounts, Node, "cidbus_process_disk_read_bytes_total",
     "Read from disks by the process."},
    {ProcessDiskWritten, counter, ByteCounts, Node, "cidbus_process_disk_written_bytes_total",
     "Written to disks by the process."},
    {MachineCores, gauge, Number, Node, "cidbus_machine_cores",
     "Processors of the machine, or of the share that a container gives; 0.5 is half of one."},
    {MachineCpuSeconds, counter, Seconds, Node, "cidbus_machine_cpu_seconds_total",
     "Processor time that all programs on the machine, or in that share, have used."},
    {MachineMemory, gauge, ByteCounts, Node, "cidbus_machine_memory_bytes",
     "Memory of the machine, or of that share."},
    {MachineMemoryAvailable, gauge, ByteCounts, Node, "cidbus_machine_memory_available_bytes",
     "Memory of it that a program could get without swapping."},
    {NetworkReceived, counter, ByteCounts, Node, "cidbus_machine_network_received_bytes_total",
     "Received by the machine, over all interfaces but loopback."},
    {NetworkSent, counter, ByteCounts, Node, "cidbus_machine_network_sent_bytes_total", "Sent likewise."},
    {DiskSize, gauge, ByteCounts, Node, "cidbus_disk_size_bytes",
     "Size of the file system of the data folder; of nodes that have one."},
    {DiskFree, gauge, ByteCounts, Node, "cidbus_disk_free_bytes", "What is free on it."},
    {TurnSeconds, histogram, Seconds, Node, "cidbus_turn_seconds",
     "How long a turn of the main thread took; what is in one waits for its end."},
    {LeaderBound, gauge, Number, Node, "cidbus_leader_bound",
     "1 while the node is welcome at a leader; not of brokers."},
    {LeaderLost, counter, Number, Node, "cidbus_leader_lost_total",
     "How often it lost the leader; not of brokers."},
    {LogLines,
     counter,
     Number,
     Node,
     "cidbus_log_lines_total",
     "Lines it had to say in its log, also those left out as quiet or repeated.",
     {"level"},
     "debug, info, warning, error"},
    {MovesMade,
     counter,
     Number,
     Node,
     "cidbus_moves_total",
     "Numbers it has moved of itself, being short of memory or processors or no longer so; of workers, "
     "gateways "
     "and leechers.",
     {"what"},
     "as in docs/roles.md"},
    {TasksSubmitted, counter, Number, Broker, "cidbus_broker_tasks_submitted_total",
     "Submissions that came, repeated ones too."},
    {TasksAccepted, counter, Number, Broker, "cidbus_broker_tasks_accepted_total",
     "Tasks accepted, that is committed."},
    {TasksRejected,
     counter,
     Number,
     Broker,
     "cidbus_broker_tasks_rejected_total",
     "Submissions rejected.",
     {"reason"},
     "a refusal, as in PROTOCOL.md"},
    {TasksFinished,
     counter,
     Number,
     Broker,
     "cidbus_broker_tasks_finished_total",
     "Tasks that became final.",
     {"state"},
     "completed, failed, cancelled, timeout"},
    {TasksRequeued, counter, Number, Broker, "cidbus_broker_tasks_requeued_total",
     "Attempts after which the task had to be handed out again."},
    {ResultsStale, counter, Number, Broker, "cidbus_broker_results_stale_total",
     "Results of attempts that counted no more."},
    {TasksByState,
     gauge,
     Number,
     Broker,
     "cidbus_broker_tasks",
     "Tasks that the broker knows; standbys too.",
     {"state"},
     "a state, as in docs/command.md"},
    {QueueDepth,
     gauge,
     Number,
     Broker,
     "cidbus_broker_queue_tasks",
     "Tasks that could be handed out now.",
     {"type"},
     "a task type"},
    {QueueOldestAge,
     gauge,
     Seconds,
     Broker,
     "cidbus_broker_queue_oldest_age_seconds",
     "Since when the oldest of them could have been handed out.",
     {"type"},
     "a task type"},
    {Credit, gauge, Number, Broker, "cidbus_broker_credit_tasks",
     "How many more tasks the workers are ready to take."},
    {WaitSeconds, histogram, Seconds, Broker, "cidbus_broker_task_wait_seconds",
     "From accepting a task (or from its not-before time) to handing it out for the first time; in whole "
     "milliseconds."},
    {RunSeconds, histogram, Seconds, Broker, "cidbus_broker_task_run_seconds",
     "How long attempts that gave a result ran, by their workers' word."},
    {DispatchSeconds, histogram, Seconds, Broker, "cidbus_broker_task_dispatch_seconds",
     "From handing an attempt out to hearing of its result, without the time it ran."},
    {CommitSeconds, histogram, Seconds, Broker, "cidbus_broker_commit_seconds",
     "From handing a batch of records over to it being committed."},
    {FsyncSeconds, histogram, Seconds, Broker, "cidbus_broker_fsync_seconds",
     "How long the disk took to sync."},
    {MessagesUndeliverable,
     counter,
     Number,
     Broker,
     "cidbus_broker_messages_undeliverable_total",
     "Messages that could not be sent; their receiver is forgotten and says hello again.",
     {"reason"},
     "gone, full"},
    {MessagesRefused,
     counter,
     Number,
     Broker,
     "cidbus_broker_messages_refused_total",
     "Messages that were refused.",
     {"reason"},
     "a refusal, as in PROTOCOL.md; feed: one on the feed; group: another broker's"},
    {ConnectionsRefused, counter, Number, Broker, "cidbus_broker_connections_refused_total",
     "Connections refused for their key, or for having none."},
    {Elections, counter, Number, Broker, "cidbus_broker_elections_total",
     "Elections in which this broker stood."},
    {OfficesTaken, counter, Number, Broker, "cidbus_broker_offices_taken_total",
     "How often it became the leader."},
    {OfficesLeft,
     counter,
     Number,
     Broker,
     "cidbus_broker_offices_left_total",
     "How often it left office.",
     {"reason"},
     "as the log says it"},
    {StateComparisons,
     counter,
     Number,
     Broker,
     "cidbus_broker_state_comparisons_total",
     "Comparisons of its state with those of other brokers.",
     {"result"},
     "equal; different: one of the two is replaced; again: different though it was just replaced, see the "
     "log"},
    {BrokerEpoch, gauge, Number, Broker, "cidbus_broker_epoch", "The newest epoch it knows."},
    {IsLeader, gauge, Number, Broker, "cidbus_broker_is_leader", "1 while it holds office."},
    {HasQuorum, gauge, Number, Broker, "cidbus_broker_has_quorum",
     "1 while it holds office, or hears somebody who does."},
    {JournalIndex,
     gauge,
     Number,
     Broker,
     "cidbus_broker_journal_index",
     "Where its journal stands.",
     {"position"},
     "last, durable, commit, applied"},
    {JournalLag,
     gauge,
     Number,
     Broker,
     "cidbus_broker_journal_lag_records",
     "Of the leader: records that a broker does not have on its disk yet.",
     {"broker"},
     "a broker of the group"},
    {Sessions, gauge, Number, Broker, "cidbus_broker_sessions", "Sessions of clients that are open."},
    {Members,
     gauge,
     Number,
     Broker,
     "cidbus_broker_members",
     "Of the leader: nodes it knows, without the brokers.",
     {"role", "state"},
     "as in docs/command.md"},
    {Connections, gauge, Number, Broker, "cidbus_broker_connections",
     "Of the leader: nodes and clients that have said hello."},
    {BlocksIndexed, gauge, Number, Broker, "cidbus_broker_blocks_indexed",
     "Of the leader: blocks of which it knows who holds them."},
    {HeartbeatGap, histogram, Seconds, Broker, "cidbus_broker_heartbeat_gap_seconds",
     "Of the leader: time between two heartbeats of a node."},
    {WorkerSlots, gauge, Number, Worker, "cidbus_worker_slots", "Tasks it runs at once."},
    {WorkerSlotsBusy, gauge, Number, Worker, "cidbus_worker_slots_busy", "Slots at work."},
    {WorkerAttemptsHeld, gauge, Number, Worker, "cidbus_worker_attempts",
     "Attempts it holds: waiting, running, or ended and not acknowledged."},
    {WorkerTasks,
     counter,
     Number,
     Worker,
     "cidbus_worker_tasks_total",
     "Attempts that ended in a slot.",
     {"type", "outcome"},
     "a task type; completed, failed, retry, timedOut, cancelled, handedBack"},
    {WorkerRunSeconds, histogram, Seconds, Worker, "cidbus_worker_task_run_seconds", "How long they ran."},
    {BlocksStored, gauge, Number, Storing, "cidbus_blocks_stored",
     "Blocks it holds; a gateway or leecher: in its cache."},
    {BlockBytesStored, gauge, ByteCounts, Storing, "cidbus_blocks_stored_bytes", "Bytes of them."},
    {ExchangeSent, counter, ByteCounts, Storing, "cidbus_exchange_sent_bytes_total",
     "Blocks that other nodes fetched here."},
    {ExchangeReceived, counter, ByteCounts, Storing, "cidbus_exchange_received_bytes_total",
     "Blocks that other nodes brought here."},
    {CacheLimit, gauge, ByteCounts, Storing, "cidbus_cache_limit_bytes",
     "What it may keep in memory now of blocks it has read; of workers, gateways and leechers."},
    {ExchangeWindow, gauge, ByteCounts, Storing, "cidbus_exchange_window_bytes",
     "Blocks that may be on their way from here at once."},
    {ExchangeBatch, gauge, ByteCounts, Storing, "cidbus_exchange_batch_bytes",
     "Blocks that it takes in with one synced write, or reads to be sent in one turn."},
    {HttpRequests,
     counter,
     Number,
     Http,
     "cidbus_http_requests_total",
     "Requests answered.",
     {"status"},
     "1xx, 2xx, 3xx, 4xx, 5xx"},
    {HttpSent, counter, ByteCounts, Http, "cidbus_http_sent_bytes_total",
     "Bytes of bodies announced in answers."},
    {HttpSeconds, histogram, Seconds, Http, "cidbus_http_answer_seconds",
     "From a request to the beginning of its answer."},
    {CacheHits, counter, Number, Http, "cidbus_cache_hits_total", "Requests answered from memory at once."},
    {CacheMisses, counter, Number, Http, "cidbus_cache_misses_total",
     "Requests for which something had to be fetched first."},
    {OutboxItems,
     gauge,
     Number,
     Leecher,
     "cidbus_leecher_outbox_items",
     "Submissions in the outbox.",
     {"state"},
     "waiting, handed_in, refused"},
    {FeedMessages, counter, Number, Observer, "cidbus_observer_feed_messages_total",
     "Messages of the feed that were read, repeated ones not counted."},
    {FeedGaps, counter, Number, Observer, "cidbus_observer_feed_gaps_total", "Gaps in somebody's numbering."},
    {FeedMissed, counter, Number, Observer, "cidbus_observer_feed_missed_total", "Messages missing in them."},
};
static_assert(std::size(definitions) == metric_count);

// Its row, by number.
constexpr std::array<std::size_t, metric_count> rows = [] {
  std::array<std::size_t, metric_count> places{};
  for (std::size_t row = 0; row < metric_count; ++row)
    places.at(static_cast<std::size_t>(definitions[row].metric)) = row;
  return places;
}();

}  // namespace

std::span<const MetricDefinition> metric_definitions() { return definitions; }

const MetricDefinition& definition_of(Metric metric) {
  return definitions[rows.at(static_cast<std::size_t>(metric))];
}

std::string_view to_text(MetricKind kind) {
  switch (kind) {
    case MetricKind::Counter:
      return "counter";
    case MetricKind::Gauge:
      return "gauge";
    case MetricKind::Histogram:
      return "histogram";
  }
  return "";
}

std::string_view to_text(MetricOwner owner) {
  switch (owner) {
    case Node:
      return "Every node";
    case Broker:
      return "Brokers";
    case Worker:
      return "Workers";
    case Storing:
      return "Nodes that hold blocks";
    case Http:
      return "Gateways and leechers";
    case Leecher:
      return "Leechers";
    case Observer:
      return "Observers";
  }
  return "";
}

}  // namespace cidbus
