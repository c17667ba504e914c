#include "leecher/server.h"

#include <atomic>
#include <filesystem>
#include <optional>

#include "gateway/cluster_blocks.h"
#include "gateway/content_server.h"
#include "leecher/guests.h"
#include "leecher/hand_in.h"
#include "leecher/keeper.h"
#include "leecher/outbox_file.h"
#include "leecher/pin_resolver.h"
#include "leecher/pull_through.h"
#include "leecher/pusher.h"
#include "leecher/status.h"
#include "shared/exchange/exchange_server.h"
#include "shared/io/broker_silence.h"
#include "shared/io/clock.h"
#include "shared/io/mailbox.h"
#include "shared/io/node_adaptation.h"
#include "shared/io/node_metrics.h"
#include "shared/io/node_pages.h"
#include "shared/io/posix_file_system.h"
#include "shared/store/rocksdb_store.h"

namespace cidbus {
namespace {

constexpr Duration look_every = std::chrono::seconds(1);
constexpr ByteCount own_memory_bytes = 2 * limits::prefetch_bytes;  // of a thread that fetches; the least

// A source and the memory that it keeps what it asked for ahead in.
class OwnMemory final : public BlockSource {
 public:
  using Make = std::function<std::unique_ptr<BlockSource>(MemoryStore&)>;
  explicit OwnMemory(const Make& make) : memory_(own_memory_bytes, WhenFull::Evict), source_(make(memory_)) {}
  Result<Block> get(const Cid& cid) override { return source_->get(cid); }
  void prefetch(std::span<const Cid> cids) override { source_->prefetch(cids); }

 private:
  MemoryStore memory_;
  std::unique_ptr<BlockSource> source_;
};

Result<std::unique_ptr<IndexedStore>> open_store(const std::string& folder, WhenFull when_full,
                                                 ByteCount capacity, std::string bound,
                                                 std::span<const BlockKey> used) {
  DiskStoreOptions options;
  options.folder = folder;
  auto disk = open_rocksdb_store(std::move(options));
  if (!disk) return tl::unexpected(disk.error());
  return IndexedStore::open(*std::move(disk), when_full, capacity, used, std::move(bound));
}

}  // namespace

struct LeecherServer::State : BusLink::Owner, Guests::Owner, DeskOutput {
  State(SocketContext& zmq_context, Reactor& given_reactor, LeecherOptions given, Log& log_to,
        std::function<void(Status)> given_end)
      : context(zmq_context),
        reactor(given_reactor),
        options(std::move(given)),
        log(log_to),
        end(std::move(given_end)),
        node_metrics(options.identity.name, Role::Leecher, options.data, log),
        content_metrics(node_metrics.registry()),
        pages(given_reactor, node_metrics.registry()),
        link(zmq_context, given_reactor, options.identity, options.brokers, *this),
        guests(zmq_context, given_reactor, options.identity, *this) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() override {
    stop = true;
    stop_serving();
  }

  Status open();
  Status open_stores();
  Status open_outbox();
  Status serve_blocks();
  Status serve_http();
  LocalBlocks local() { return {options.identity.name, *cache, *added, online}; }
  std::unique_ptr<BlockSource> make_source(MemoryStore& memory);
  std::unique_ptr<BlockSource> make_source_of_its_own();

  // ---- BusLink::Owner
  Hello make_hello() override {
    Hello hello;
    hello.role = Role::Leecher;
    return hello;
  }
  void on_bound(Now now, const Welcome& welcome) override;
  void on_unbound(Now now) override;
  void on_message(Now now, const Header&, const Message& message) override {
    if (!hand_in->on_message(now, message)) desk->on_leader_message(now, message);
  }
  void on_refused(Now, const Refused& refused) override {
    silence.on_refused();
    if (refusal == refused.reason) return;
    refusal = refused.reason;
    log.error("refused by the broker: " + refusal);
  }
  NodeLoad load() override {
    const StoreCounts counts = cache->counts();
    NodeLoad load;
    load.blocks = counts.blocks;
    load.block_bytes = counts.bytes;
    load.disk_free_bytes = counts.free_bytes;
    return load;
  }

  Registry* metrics() override { return &node_metrics.registry(); }
  void read_metrics();
  // Replies must not outlive the server.
  void stop_serving() {
    pages.close();
    if (http) http->stop();
    pages.close();
    status_asked.take_all();
  }

  // ---- Guests::Owner
  bool on_guest_message(Now now, Guest guest, const Message& message) override {
    return desk->on_message(now, guest, message);
  }
  void on_guest_gone(Guest guest) override { desk->on_guest_gone(guest); }

  // ---- DeskOutput
  void tell(Guest guest, const Message& message) override { guests.tell(guest, message); }
  void ask(const Message& message) override { link.send(message); }
  [[nodiscard]] bool holds(const BlockKey& key) const override { return cache->has(key) || added->has(key); }

  std::vector<NodeAdaptation::Number> numbers();
  void on_outbox_file();
  void answer_status();
  [[nodiscard]] LeecherStatus status() const;
  std::optional<Monotonic> turn(Now now);

  SocketContext& context;
  Reactor& reactor;
  const LeecherOptions options;
  Log& log;
  const std::function<void(Status)> end;
  NodeMetrics node_metrics;
  ContentMetrics content_metrics;
  NodePages pages;
  std::atomic<bool> online{false};
  std::atomic<bool> stop{false};        // waits for blocks are to end
  std::atomic<std::size_t> sources{0};  // made so far
  PosixFileSystem files;
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<IndexedStore> cache;
  std::unique_ptr<IndexedStore> added;
  std::atomic<bool> owes{true};  // submissions or content, at the end of the last turn
  Outbox outbox;
  std::unique_ptr<OutboxFile> outbox_file;
  std::unique_ptr<Desk> desk;
  std::unique_ptr<HandIn> hand_in;
  BusLink link;
  BrokerSilence silence;
  Guests guests;
  std::string refusal;
  std::string added_trouble;
  std::vector<PinState> pins;
  Mailbox<std::shared_ptr<HttpReply>> status_asked;  // shared for std::function's sake

  std::unique_ptr<PullThrough> pull;
  std::unique_ptr<ExchangeServer> exchange;
  std::unique_ptr<Pusher> pusher;
  std::unique_ptr<Keeper> keeper;
  std::unique_ptr<ContentServer> http;  // ends before what its threads look at
  std::optional<NodeAdaptation> adaptation;
};

Status LeecherServer::State::open() {
  if (Status made = files.create_directory(options.data); !made) return made;
  auto locked = files.lock(options.data);
  if (!locked) return tl::unexpected(locked.error());
  lock = *std::move(locked);
  if (Status opened = open_stores(); !opened) return opened;
  if (Status opened = open_outbox(); !opened) return opened;
  if (Status serving = serve_blocks(); !serving) return serving;
  if (Status serving = serve_http(); !serving) return serving;
  if (Status listening = guests.listen(options.listen); !listening) return listening;
  reactor.watch(outbox_file->descriptor(), [this](Now) { on_outbox_file(); });
  reactor.watch(pusher->descriptor(), [this](Now) { added_trouble = pusher->take_trouble(); });
  reactor.watch(keeper->descriptor(), [this](Now) { pins = keeper->take_states(); });
  reactor.watch(status_asked.fd(), [this](Now) { answer_status(); });
  silence.watch(reactor, link, log);
  return link.open();
}

Status LeecherServer::State::open_stores() {
  auto opened = open_store(options.data + "/cache", WhenFull::Evict, options.cache_bytes, "--cache-max",
                           read_uses(options.data));
  if (!opened) return tl::unexpected(opened.error());
  cache = *std::move(opened);
  auto waiting =
      open_store(options.data + "/added", WhenFull::Refuse, options.outbox_bytes, "--outbox-max", {});
  if (!waiting && waiting.error().kind == FaultKind::BadData) {
    return fault(FaultKind::BadData,
                 "the store of what was added here and is not yet with the workers is "
                 "damaged: " +
                     options.data + "/added; move it away, and add again what " +
                     "'cidbus stat' does not find");
  }
  if (!waiting) return tl::unexpected(waiting.error());
  added = *std::move(waiting);
  const auto make_resolve = [this]() -> Keeper::Resolve {
    // Shared for std::function's sake.
    const auto resolver = std::make_shared<PinResolver>(context, options.identity, options.brokers);
    return [resolver](const Pin& pin) { return resolver->resolve(pin); };
  };
  auto kept = Keeper::start(
      options.data, local(), [this] { return make_source_of_its_own(); }, make_resolve, stop, log);
  if (!kept) return tl::unexpected(kept.error());
  keeper = *std::move(kept);
  pins = keeper->take_states();
  return cache->trim();
}

Status LeecherServer::State::open_outbox() {
  auto opened = OutboxFile::open(files, options.data, outbox);
  if (!opened) return tl::unexpected(opened.error());
  outbox_file = *std::move(opened);
  if (outbox_file->torn() > 0) {
    log.warning("the outbox ended in " + std::to_string(outbox_file->torn()) +
                " bytes of an entry that was not whole, and they are let go: a crash leaves such an end of "
                "what was not yet acknowledged; after anything else compare 'cidbus-leecher status'");
  }
  return {};
}

std::unique_ptr<BlockSource> LeecherServer::State::make_source(MemoryStore& memory) {
  ClusterBlocksOptions fetching;
  fetching.gateway = options.identity;
  fetching.brokers = options.brokers;
  return std::make_unique<CachingBlocks>(local(),
                                         make_cluster_blocks(context, fetching, ++sources, stop, memory));
}

std::unique_ptr<BlockSource> LeecherServer::State::make_source_of_its_own() {
  return std::make_unique<OwnMemory>([this](MemoryStore& memory) { return make_source(memory); });
}

Status LeecherServer::State::serve_blocks() {
  pull = std::make_unique<PullThrough>(local(), [this] { return make_source_of_its_own(); });
  auto serving = ExchangeServer::start(context, *pull, options.identity, options.exchange);
  if (!serving) return tl::unexpected(serving.error());
  exchange = *std::move(serving);
  pusher = std::make_unique<Pusher>(context, options.identity, options.brokers, local(), stop);
  const DeskSettings settings{options.identity.name, options.identity.cluster, exchange->address()};
  desk = std::make_unique<Desk>(settings, outbox, *this, read_clock().wall);
  hand_in = std::make_unique<HandIn>(outbox, *desk, *this);
  return {};
}

Status LeecherServer::State::serve_http() {
  ContentServerOptions serving;
  serving.http.address = options.http;
  serving.cache_bytes = limits::leecher_memory_bytes;
  serving.fetchers = limits::leecher_fetchers;
  serving.make_source = [this](MemoryStore& memory) { return make_source(memory); };
  serving.checks = [this] {
    const char* const brokers =
        online ? "a leader is there" : "cut off from the brokers; serving what is here";
    return std::vector<ReadinessCheck>{{"cache", true, brokers}};
  };
  serving.other = [this](const HttpRequest& request, HttpReply& reply) {
    if (request.target != "/status") return pages.take(request, reply);
    status_asked.push(std::make_shared<HttpReply>(std::move(reply)));
    return true;
  };
  serving.metrics = &content_metrics;
  auto started = ContentServer::start(std::move(serving));
  if (!started) return tl::unexpected(started.error());
  http = *std::move(started);
  adaptation.emplace(files, options.data, log, node_metrics.registry(), numbers());
  node_metrics.registry().before_reading([this](Now) { read_metrics(); });
  reactor.measure_turns(node_metrics.registry().histogram(Metric::TurnSeconds));
  return {};
}

// What it moves while memory is short.
std::vector<NodeAdaptation::Number> LeecherServer::State::numbers() {
  return {{{"cache", limits::leecher_memory_bytes, own_memory_bytes},
           mebibytes_text,
           [this] { return http->cache_counts().capacity_bytes; },
           [this](std::uint64_t bytes) { http->set_cache_bytes(bytes); }},
          {{"exchange window", limits::serve_bytes, limits::serve_peer_bytes},
           mebibytes_text,
           [this] { return exchange->window(); },
           [this](std::uint64_t bytes) { exchange->set_window(bytes); }}};
}

void LeecherServer::State::read_metrics() {
  Registry& registry = node_metrics.registry();
  const StoreCounts counts = cache->counts();
  registry.gauge(Metric::BlocksStored).set(counts.blocks);
  registry.gauge(Metric::BlockBytesStored).set(counts.bytes);
  const ExchangeCounts moved = exchange->counts();
  registry.counter(Metric::ExchangeSent).set(moved.bytes_sent);
  registry.counter(Metric::ExchangeReceived).set(moved.bytes_stored);
  registry.gauge(Metric::CacheLimit).set(http->cache_counts().capacity_bytes);
  registry.gauge(Metric::ExchangeWindow).set(exchange->window());
  registry.gauge(Metric::ExchangeBatch).set(exchange->batch());
  const Outbox::Counts& items = outbox.counts();
  registry.gauge(Metric::OutboxItems, "waiting").set(items.waiting);
  registry.gauge(Metric::OutboxItems, "handed_in").set(items.handed_in);
  registry.gauge(Metric::OutboxItems, "refused").set(items.refused);
}

void LeecherServer::State::on_bound(Now now, const Welcome& welcome) {
  refusal.clear();
  online = true;
  desk->set_since(now.wall);
  desk->on_online();
  hand_in->on_bound(now);
  pusher->begin();
  keeper->begin();
  adaptation->tell(link);
  log.info("joined under " + std::string(welcome.leader) + " at " + link.leader_address());
}

void LeecherServer::State::on_unbound(Now now) {
  online = false;
  desk->set_since(now.wall);
  desk->on_offline(now);
  hand_in->on_unbound(now);
  log.warning("lost the leader at " + link.leader_address() + "; serving what is here, and looking for one");
}

void LeecherServer::State::on_outbox_file() {
  const auto synced = outbox_file->take_synced();
  if (synced) return desk->on_synced(*synced);
  log.error("the outbox cannot be written: " + synced.error().message);
  end(tl::unexpected(synced.error()));
}

LeecherStatus LeecherServer::State::status() const {
  LeecherStatus status;
  status.name = options.identity.name;
  status.cluster = options.identity.cluster;
  status.online = online;
  status.since = desk->since();
  if (online) status.leader = link.leader_address();
  status.listen = guests.address();
  status.exchange = exchange->address();
  status.cache = cache->counts();
  status.kept_bytes = cache->kept_bytes();
  status.added = added->counts();
  status.added_trouble = added_trouble;
  status.pins = pins;
  status.outbox_trouble = outbox_file->trouble().empty() ? hand_in->trouble() : outbox_file->trouble();
  return status;
}

void LeecherServer::State::answer_status() {
  for (const auto& reply : status_asked.take_all()) {
    HttpResponse response;
    response.headers.add("Content-Type", "application/json");
    response.headers.add("Cache-Control", "no-store");
    response.first = http_text(status_json(status(), outbox) + '\n');
    response.length = response.first.bytes.size();
    reply->answer(std::move(response));
  }
}

// Tasks wait for the content that was added before them.
std::optional<Monotonic> LeecherServer::State::turn(Now now) {
  const Monotonic hand_in_at = hand_in->end_turn(now, !pusher->is_done());
  const Monotonic desk_at = desk->end_turn(now);
  outbox_file->append_changes(outbox);
  guests.end_turn(now);
  owes = outbox.counts().waiting > 0 || !pusher->is_done();
  if (adaptation->turn(now)) adaptation->tell(link);
  return std::min({hand_in_at, desk_at, now.monotonic + look_every});
}

LeecherServer::LeecherServer(SocketContext& context, LeecherOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log,
                                     [this](Status status) { end(std::move(status)); })) {}

LeecherServer::~LeecherServer() = default;

Status LeecherServer::open() {
  if (Status opened = state_->open(); !opened) return opened;
  reactor().at_turn_end([this](Now now) { return state_->turn(now); });
  state_->log.info("serving http://" + http_address() + " and commands at " + bus_address());
  start();
  return {};
}

std::string LeecherServer::http_address() const { return state_->http->address(); }
std::string LeecherServer::bus_address() const { return state_->guests.address(); }

Status LeecherServer::hand_over(const std::function<bool()>&) {
  if (!state_->owes) return {};
  return fault(FaultKind::TryAgain, "its outbox is not handed in yet");
}

void LeecherServer::on_stop(Now) {
  state_->link.send(Goodbye{"stopped"});
  state_->stop = true;
  state_->stop_serving();
  end({});
}

}  // namespace cidbus
