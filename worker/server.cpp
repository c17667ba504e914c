#include "worker/server.h"

#include <unistd.h>

#include <atomic>
#include <fstream>

#include "shared/base/ensure.h"
#include "shared/exchange/exchange_server.h"
#include "shared/io/broker_silence.h"
#include "shared/io/node_adaptation.h"
#include "shared/io/node_metrics.h"
#include "shared/io/node_pages.h"
#include "shared/io/posix_file_system.h"
#include "shared/store/disk_store.h"
#include "worker/announcer.h"
#include "worker/core/worker_core.h"
#include "worker/hand_over.h"
#include "worker/slots.h"
#include "worker/task_runner.h"
#include "worker/worker_metrics.h"

namespace cidbus {
namespace {

constexpr Duration acknowledged_within = std::chrono::seconds(2);  // what was handed back at the drain's end
constexpr ByteCount cache_bytes = 64 << 20;  // of blocks read from others, shared by all slots

std::uint64_t resident_bytes() {
  std::ifstream pages("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  pages >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::optional<Monotonic> earlier(std::optional<Monotonic> one, std::optional<Monotonic> other) {
  return one && other ? std::min(*one, *other) : (one ? one : other);
}

}  // namespace

struct WorkerServer::State : BusLink::Owner, WorkerCore::Output {
  State(SocketContext& sockets, Reactor& given_reactor, WorkerOptions given,
        const HandlerRegistry& given_handlers, Log& given_log, std::function<void(Status)> given_end)
      : context(sockets),
        reactor(given_reactor),
        options(std::move(given)),
        handlers(given_handlers),
        log(given_log),
        end(std::move(given_end)),
        node_metrics(options.identity.name, Role::Worker, options.data, log),
        pages(reactor, node_metrics.registry()),
        task_metrics(node_metrics.registry()),
        cache(cache_bytes, WhenFull::Evict),
        core(options.slots, *this, options.votes_by_hand),
        link(sockets, given_reactor, options.identity, options.brokers, *this) {}

  Status open() {
    DiskStoreOptions store_options;
    store_options.folder = options.data;
    if (options.storage_max_bytes > 0) store_options.capacity_bytes = options.storage_max_bytes;
    store_options.listener = [this](std::span<const BlockKey> added, std::span<const BlockKey> removed) {
      announcer.on_change(added, removed);
    };
    store_options.on_damage = [this](const std::string& what) { log.warning("block store: " + what); };
    std::optional<StoreKind> kind;
    if (!options.store.empty()) {
      const auto parsed = parse_store_kind(options.store);
      if (!parsed) return tl::unexpected(parsed.error());
      kind = *parsed;
    }
    auto opened = open_disk_store(kind, std::move(store_options));
    if (!opened) return tl::unexpected(opened.error());
    store = std::move(*opened);
    auto kept = Pins::open(files, options.data);
    if (!kept) return tl::unexpected(kept.error());
    pins = std::move(*kept);
    auto serving = ExchangeServer::start(context, *store, options.identity, options.exchange);
    if (!serving) return tl::unexpected(serving.error());
    exchange = std::move(*serving);
    const TaskRunner::Context runner{context, options.identity, options.brokers, handlers, *store, *pins,
                                     cache};
    slots = std::make_unique<Slots>(options.slots, [runner] { return std::make_unique<TaskRunner>(runner); });
    adaptation.emplace(files, options.data, log, node_metrics.registry(), numbers());
    if (Status shown = serve_http(); !shown) return shown;
    reactor.watch(slots->descriptor(), [this](Now now) { on_slots(now); });
    reactor.watch(announcer.descriptor(), [](Now) {});  // sent at the turn's end
    silence.watch(reactor, link, log);
    return link.open();
  }

  // ---- BusLink::Owner ----
  Hello make_hello() override {
    Hello hello;
    hello.role = Role::Worker;
    hello.task_types = handlers.types();
    hello.strict_types = handlers.strict_types();
    hello.exchange = exchange->address();
    hello.running = core.held();
    return hello;
  }
  void on_bound(Now now, const Welcome& welcome) override {
    log.info("joined cluster " + options.identity.cluster + ", led by " + std::string(welcome.leader));
    refusal.clear();
    core.on_bound(now, welcome);
    adaptation->tell(link);
    announcer.bind(*store);
  }
  void on_unbound(Now) override {
    log.warning("lost the leader at " + link.leader_address() + "; tasks go on, looking for one");
    core.on_unbound();
    announcer.unbind();
  }
  void on_message(Now now, const Header&, const Message& message) override { core.on_message(now, message); }
  void on_refused(Now, const Refused& refused) override {
    silence.on_refused();
    if (refusal == refused.reason) return;
    refusal = refused.reason;
    log.error("refused by the broker: " + refusal);
  }
  NodeLoad load() override {
    const StoreCounts counts = store->counts();
    return {slots->open(), core.busy(), counts.blocks, counts.bytes, counts.free_bytes, resident_bytes()};
  }

  Registry* metrics() override { return &node_metrics.registry(); }

  // ---- what it measures, and shows over HTTP ----
  void read_metrics() {
    Registry& registry = node_metrics.registry();
    registry.gauge(Metric::WorkerSlots).set(slots->open());
    registry.gauge(Metric::WorkerSlotsBusy).set(core.busy());
    registry.gauge(Metric::WorkerAttemptsHeld).set(core.held_count());
    const StoreCounts counts = store->counts();
    registry.gauge(Metric::BlocksStored).set(counts.blocks);
    registry.gauge(Metric::BlockBytesStored).set(counts.bytes);
    const ExchangeCounts moved = exchange->counts();
    registry.counter(Metric::ExchangeSent).set(moved.bytes_sent);
    registry.counter(Metric::ExchangeReceived).set(moved.bytes_stored);
    registry.gauge(Metric::CacheLimit).set(cache.counts().capacity_bytes);
    registry.gauge(Metric::ExchangeWindow).set(exchange->window());
    registry.gauge(Metric::ExchangeBatch).set(exchange->batch());
  }
  Status serve_http() {
    node_metrics.registry().before_reading([this](Now) { read_metrics(); });
    reactor.measure_turns(node_metrics.registry().histogram(Metric::TurnSeconds));
    if (options.http.empty()) return {};
    pages.add_health([this](Now) { return checks(); });
    auto started = NodeHttp::start(options.http, pages);
    if (!started) return tl::unexpected(started.error());
    http = *std::move(started);
    return {};
  }
  // Connected is not enough: it must be taking tasks, too.
  [[nodiscard]] std::vector<ReadinessCheck> checks() const {
    const std::uint32_t stuck = core.stuck();
    const std::uint32_t open = slots->open();
    const bool any_free = open > stuck;
    const std::string slots_lost = std::to_string(stuck) + " of " + std::to_string(open) +
                                   " slots are held by tasks that were told to stop and go on";
    return {{"bus", link.bound(), link.bound() ? "a leader is there" : no_leader()},
            {"slots", any_free, stuck == 0 ? "" : slots_lost},
            {"running", !give_up_at, give_up_at ? "it is stopping, and takes nothing more" : ""}};
  }
  [[nodiscard]] std::string no_leader() const {
    return refusal.empty() ? "no leader is reached" : "refused: " + refusal;
  }

  // ---- WorkerCore::Output ----
  bool send(const Message& message) override { return link.send(message); }
  void start(const DispatchItem& item) override { slots->start(item); }
  bool withdraw(const AttemptId& attempt) override { return slots->withdraw(attempt); }
  void cancel(const AttemptId& attempt) override { slots->cancel(attempt); }

  static LogFields about(const AttemptId& attempt, std::string_view trace = {}) {
    return {attempt.epoch, attempt.task, attempt.attempt, trace};
  }
  void overdue(const AttemptId& attempt, Duration since) override {
    log.warning("a task was told to stop " +
                    std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since).count()) +
                    " s ago and goes on: its type, " + slots->type_of(attempt) +
                    ", does not look whether it is cancelled; its slot is lost until it ends",
                about(attempt));
  }

  void on_slots(Now now) {
    Slots::Events& events = slots->take_events();
    for (const AttemptId& attempt : events.began) core.on_begin(now, attempt);
    for (AttemptEnd& attempt_end : events.ended) {
      task_metrics.on_end(attempt_end.type, attempt_end.outcome, attempt_end.elapsed);
      if (log.wants(LogLevel::Debug)) tell_end(attempt_end);
      core.on_end(std::move(attempt_end));
    }
    collect_at = events.more_soon ? std::optional(now.monotonic + Slots::gather_time) : std::nullopt;
  }

  void tell_end(const AttemptEnd& ended) {
    log.debug(ended.type + " " + std::string(to_text(ended.outcome)) + " after " +
                  std::to_string(ended.elapsed.count()) + " us",
              about(ended.attempt, ended.trace));
  }

  // One announcement a turn, so that a large store does not hold up leases.
  bool announce() {
    const Announce* next = announcer.next();
    if (next == nullptr || !link.send(*next)) return false;
    announcer.sent();
    return true;
  }

  // A person who stops it waits for this.
  void tell_drain() {
    const std::uint32_t running = core.busy();
    if (running == 0) return log.info("stopping");
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.drain).count();
    log.warning("stopping: waits up to " + std::to_string(seconds) + " s for " +
                (running == 1 ? "the task that runs" : "the " + std::to_string(running) + " tasks that run") +
                "; what is not done by then is handed back, and runs elsewhere");
  }

  // What it moves while memory or processors are short: what it holds must not cost the whole worker.
  std::vector<NodeAdaptation::Number> numbers() {
    return {{{"slots", options.slots, 1, true, true, true},
             count_text,
             [this] { return slots->open(); },
             [this](std::uint64_t open) { slots->set_open(static_cast<std::uint32_t>(open)); }},
            {{"cache", cache_bytes, 2 * limits::prefetch_bytes},
             mebibytes_text,
             [this] { return cache.counts().capacity_bytes; },
             [this](std::uint64_t bytes) { cache.set_capacity(bytes); }},
            {{"exchange window", limits::serve_bytes, limits::serve_peer_bytes},
             mebibytes_text,
             [this] { return exchange->window(); },
             [this](std::uint64_t bytes) { exchange->set_window(bytes); }},
            {{"exchange batch", limits::store_write_bytes, limits::block_bytes},
             mebibytes_text,
             [this] { return exchange->batch(); },
             [this](std::uint64_t bytes) { exchange->set_batch(bytes); }}};
  }
  void adapt(Now now) {
    if (!adaptation->turn(now)) return;
    collect_at = now.monotonic + Slots::gather_time;
    core.set_slots(slots->open());
    adaptation->tell(link);
  }

  void stop_by(Monotonic deadline) {
    core.drain(deadline);
    give_up_at = deadline + acknowledged_within;
  }

  std::optional<Monotonic> turn(Now now) {
    if (hurry.exchange(false)) stop_by(now.monotonic);
    adapt(now);
    if (collect_at && now.monotonic >= *collect_at) on_slots(now);
    if (slots->launch() && !collect_at) collect_at = now.monotonic + Slots::gather_time;
    const auto next = earlier(core.end_turn(now), collect_at);
    // Past its time it goes without acknowledgements: no leader is there to give them.
    const bool overdue = give_up_at && now.monotonic >= *give_up_at;
    if (core.drained() || overdue) {
      link.send(Goodbye{"stopped"});
      end({});
    }
    if (announce()) return now.monotonic;
    return earlier(earlier(next, give_up_at), adaptation->next());
  }

  SocketContext& context;
  Reactor& reactor;
  WorkerOptions options;
  const HandlerRegistry& handlers;
  Log& log;
  std::function<void(Status)> end;
  NodeMetrics node_metrics;
  NodePages pages;
  WorkerMetrics task_metrics;
  Announcer announcer;
  std::unique_ptr<BlockStore> store;
  PosixFileSystem files;
  std::unique_ptr<Pins> pins;
  MemoryStore cache;
  std::unique_ptr<ExchangeServer> exchange;
  WorkerCore core;
  std::unique_ptr<Slots> slots;
  std::optional<NodeAdaptation> adaptation;  // once what it moves is there
  BusLink link;
  BrokerSilence silence;
  std::string refusal;
  std::optional<Monotonic> give_up_at;  // set once it is stopping
  std::atomic<bool> hurry = false;      // set by stop_now(), from another thread
  std::optional<Monotonic> collect_at;  // when the slots are to be asked, whether they have called or not
  std::unique_ptr<NodeHttp> http;       // ends before what its pages look at
};

WorkerServer::WorkerServer(SocketContext& context, WorkerOptions options, const HandlerRegistry& handlers,
                           Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), handlers, log,
                                     [this](Status status) { end(std::move(status)); })) {}

WorkerServer::~WorkerServer() = default;

Status WorkerServer::open() {
  if (Status opened = state_->open(); !opened) return opened;
  reactor().at_turn_end([this](Now now) { return state_->turn(now); });
  start();
  return {};
}

std::string WorkerServer::exchange_address() const { return state_->exchange->address(); }
const std::string& WorkerServer::http_address() const {
  ENSURE(state_->http != nullptr);
  return state_->http->address();
}

void WorkerServer::on_stop(Now now) {
  state_->tell_drain();
  state_->stop_by(now.monotonic + state_->options.drain);
}

Status WorkerServer::hand_over(const std::function<bool()>& stopped) {
  const auto moved = hand_over_blocks(state_->context, state_->options.identity, state_->options.brokers,
                                      *state_->store, *state_->exchange, stopped);
  if (!moved) return tl::unexpected(moved.error());
  state_->log.info("handed over: " + std::to_string(*moved) + " blocks that only this node had");
  return {};
}

void WorkerServer::stop_now() {
  state_->hurry = true;
  reactor().wake();
}

}  // namespace cidbus
