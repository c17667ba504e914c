#include "gateway/gateway.h"

#include <atomic>
#include <optional>

#include "gateway/cluster_blocks.h"
#include "gateway/content_server.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/content.h"
#include "shared/io/broker_silence.h"
#include "shared/io/node_adaptation.h"
#include "shared/io/node_metrics.h"
#include "shared/io/node_pages.h"
#include "shared/io/posix_file_system.h"

namespace cidbus {

namespace {

// The cache has to hold what readers of a file ask for ahead, or it would be gone before its turn.
constexpr ByteCount least_cache_bytes = 2 * limits::prefetch_bytes;

std::string joined(const std::vector<std::string>& brokers) {
  std::string text;
  for (const std::string& broker : brokers) text += (text.empty() ? "" : ", ") + broker;
  return text;
}

}  // namespace

struct Gateway::State : BusLink::Owner {
  State(SocketContext& zmq_context, Reactor& reactor, GatewayOptions given, Log& log_to)
      : context(zmq_context),
        options(std::move(given)),
        log(log_to),
        node_metrics(options.identity.name, Role::Gateway, {}, log),
        content_metrics(node_metrics.registry()),
        pages(reactor, node_metrics.registry()),
        link(zmq_context, reactor, options.identity, options.brokers, *this) {}

  Hello make_hello() override {
    Hello hello;
    hello.role = Role::Gateway;
    return hello;
  }
  void on_bound(Now, const Welcome& welcome) override {
    refusal.store(std::nullopt);
    bound = true;
    log.info("joined under " + std::string(welcome.leader) + " at " + link.leader_address());
    adaptation->tell(link);
  }
  void on_unbound(Now) override {
    bound = false;
    log.warning("lost the leader at " + link.leader_address() + "; looking for one");
  }
  void on_message(Now, const Header&, const Message&) override {}
  void on_refused(Now, const Refused& refused) override {
    silence.on_refused();
    if (refusal.load() == refused.why) return;
    refusal.store(refused.why);
    log.error("refused: " + std::string(refused.reason));
  }
  NodeLoad load() override {
    NodeLoad load;
    const StoreCounts counts = server->cache_counts();
    load.blocks = counts.blocks;
    load.block_bytes = counts.bytes;
    return load;
  }

  Registry* metrics() override { return &node_metrics.registry(); }
  void read_metrics() {
    const StoreCounts counts = server->cache_counts();
    node_metrics.registry().gauge(Metric::BlocksStored).set(counts.blocks);
    node_metrics.registry().gauge(Metric::BlockBytesStored).set(counts.bytes);
    node_metrics.registry().gauge(Metric::CacheLimit).set(counts.capacity_bytes);
  }

  // Called by the thread that serves HTTP.
  [[nodiscard]] std::vector<ReadinessCheck> checks() const {
    if (bound) return {{"bus", true, "a leader is there"}};
    if (const auto why = refusal.load()) return {{"bus", false, "refused: " + std::string(to_text(*why))}};
    return {{"bus", false, "no leader at " + joined(options.brokers)}};
  }
  Status serve();
  // What it moves while memory is short.
  std::vector<NodeAdaptation::Number> numbers() {
    return {{{"cache", options.cache_bytes, least_cache_bytes},
             mebibytes_text,
             [this] { return server->cache_counts().capacity_bytes; },
             [this](std::uint64_t bytes) { server->set_cache_bytes(bytes); }}};
  }
  std::optional<Monotonic> turn(Now now) {
    if (adaptation->turn(now)) adaptation->tell(link);
    return adaptation->next();
  }
  void stop_serving() {
    pages.close();
    if (server) server->stop();
    pages.close();
  }

  SocketContext& context;
  const GatewayOptions options;
  Log& log;
  NodeMetrics node_metrics;
  ContentMetrics content_metrics;
  NodePages pages;
  BusLink link;
  BrokerSilence silence;
  std::atomic<bool> bound{false};
  std::atomic<std::optional<Refusal>> refusal{};  // of the last hello, until one is welcome
  std::atomic<bool> stop{false};                  // searches for blocks are to end
  std::atomic<std::size_t> fetchers{0};           // made so far
  PosixFileSystem files;
  std::unique_ptr<ContentServer> server;  // ends before what its threads look at
  std::optional<NodeAdaptation> adaptation;
};

Status Gateway::State::serve() {
  if (options.cache_bytes < least_cache_bytes) {
    return fault(FaultKind::BadUsage, "a cache of " + std::to_string(options.cache_bytes) +
                                          " bytes is too small; give --cache-bytes at least " +
                                          std::to_string(least_cache_bytes));
  }
  ContentServerOptions serving;
  serving.http.address = options.http;
  serving.http.answer_time = options.fetch_time + limits::http_grace;
  serving.cache_bytes = options.cache_bytes;
  serving.make_source = [this](MemoryStore& cache) {
    const ClusterBlocksOptions fetching{options.identity, options.brokers, options.fetch_time,
                                        options.unknown_time};
    return make_cluster_blocks(context, fetching, ++fetchers, stop, cache);
  };
  serving.checks = [this] { return checks(); };
  serving.other = [this](const HttpRequest& request, HttpReply& reply) { return pages.take(request, reply); };
  serving.metrics = &content_metrics;
  auto started = ContentServer::start(std::move(serving));
  if (!started) return tl::unexpected(started.error());
  server = *std::move(started);
  adaptation.emplace(files, "", log, node_metrics.registry(), numbers());
  node_metrics.registry().before_reading([this](Now) { read_metrics(); });
  return {};
}

Gateway::Gateway(SocketContext& context, GatewayOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log)) {}

// Replies must not outlive the server.
Gateway::~Gateway() {
  state_->stop = true;
  state_->stop_serving();
}

Status Gateway::open() {
  if (const Status serving = state_->serve(); !serving) return serving;
  reactor().at_turn_end([this](Now now) { return state_->turn(now); });
  reactor().measure_turns(state_->node_metrics.registry().histogram(Metric::TurnSeconds));
  state_->silence.watch(reactor(), state_->link, state_->log);
  if (const Status opened = state_->link.open(); !opened) return opened;
  state_->log.info("serving http://" + http_address());
  start();
  return {};
}

const std::string& Gateway::http_address() const {
  ENSURE(state_->server != nullptr);
  return state_->server->address();
}

void Gateway::on_stop(Now) {
  state_->link.send(Goodbye{"stopped"});
  state_->stop = true;
  state_->stop_serving();
  end({});
}

}  // namespace cidbus
