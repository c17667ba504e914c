#include "gateway/content_server.h"

#include "gateway/cached_blocks.h"
#include "gateway/content_answer.h"
#include "gateway/fetch_pool.h"
#include "shared/io/clock.h"

namespace cidbus {

namespace {

constexpr ByteCount quick_dag_pb_bytes = 1 << 20;  // decoded on the server's thread in one go: about 2 ms

}  // namespace

ContentMetrics::ContentMetrics(Registry& registry)
    : http(registry),
      hits(registry.counter(Metric::CacheHits)),
      misses(registry.counter(Metric::CacheMisses)) {}

class ContentServer::Core final : public HttpHandler {
 public:
  explicit Core(ContentServerOptions options)
      : options_(std::move(options)),
        cache_(options_.cache_bytes, WhenFull::Evict),
        pool_(options_.fetchers, [this] { return options_.make_source(cache_); }) {}

  Status listen() {
    if (options_.metrics != nullptr) options_.http.metrics = &options_.metrics->http;
    auto http = HttpServer::start(options_.http, *this);
    if (!http) return tl::unexpected(http.error());
    http_ = *std::move(http);
    return {};
  }
  // The server first: promises given to the pool must find it, stopped or not, until the pool has ended.
  void stop() {
    if (http_) http_->stop();
    pool_.stop();
  }
  [[nodiscard]] const std::string& address() const { return http_->address(); }
  [[nodiscard]] StoreCounts cache_counts() const { return cache_.counts(); }
  void set_cache_bytes(ByteCount bytes) { cache_.set_capacity(bytes); }

  void handle(const HttpRequest& request, HttpReply reply) override;

 private:
  class Body;
  void answer(ContentQuestion question, HttpReply reply);
  HttpResponse to_http(ContentAnswer answer);
  [[nodiscard]] Monotonic begin_by() const { return read_clock().monotonic + options_.http.answer_time; }

  ContentServerOptions options_;
  MemoryStore cache_;
  FetchPool pool_;
  std::unique_ptr<HttpServer> http_;  // ends before what it stands on
};

// A response's further pieces.
class ContentServer::Core::Body final : public HttpBody {
 public:
  Body(Core& core, std::unique_ptr<ContentStream> stream) : core_(core), stream_(std::move(stream)) {}

  void next(HttpPieceReply reply) override {
    if (stream_->at_end())
      return reply.answer(HttpPiece{});  // the announced length was longer: it is broken off
    CachedBlocks quick(core_.cache_, quick_dag_pb_bytes);
    auto piece = stream_->next(quick, Ahead::Leave);
    if (!quick.missed()) return reply.answer(std::move(piece));
    if (!thread_) thread_ = core_.pool_.least_busy();
    // std::function wants to be copied, so what moves is shared; the stream also outlives a connection that
    // ends while a piece of it is fetched.
    auto later = std::make_shared<HttpPieceReply>(std::move(reply));
    core_.pool_.run(*thread_, core_.begin_by(), [stream = stream_, later](BlockSource& source) {
      later->answer(stream->next(source, Ahead::Hint));
    });
  }

 private:
  Core& core_;
  std::shared_ptr<ContentStream> stream_;
  std::optional<std::size_t> thread_;  // of the pool, once one was needed
};

void ContentServer::Core::handle(const HttpRequest& request, HttpReply reply) {
  if (options_.other && options_.other(request, reply)) return;
  Asked asked = open_request(request);
  if (auto* response = std::get_if<Response>(&asked)) {
    return reply.answer(to_http(answer_text(*std::move(response))));
  }
  if (const auto* question = std::get_if<ReadinessQuestion>(&asked)) {
    return reply.answer(to_http(answer_text(respond_readiness(*question, options_.checks()))));
  }
  answer(std::get<ContentQuestion>(std::move(asked)), std::move(reply));
}

void ContentServer::Core::answer(ContentQuestion question, HttpReply reply) {
  CachedBlocks quick(cache_, quick_dag_pb_bytes);
  auto answered = answer_content(question, quick, Effort::Quick);
  const bool later = quick.missed() || (!answered && answered.error().kind == FaultKind::TryAgain);
  if (options_.metrics != nullptr) (later ? options_.metrics->misses : options_.metrics->hits).add();
  if (!later) {
    if (!answered) answered = answer_text(respond_to_fault(question, answered.error()));
    return reply.answer(to_http(*std::move(answered)));
  }
  auto promise = std::make_shared<HttpReply>(std::move(reply));  // shared for std::function's sake
  pool_.run(pool_.least_busy(), begin_by(),
            [this, question = std::move(question), promise](BlockSource& source) {
              CachedBlocks cached(cache_, CachedBlocks::no_limit);
              BlockSource& allowed = question.only_if_cached ? static_cast<BlockSource&>(cached) : source;
              auto done = answer_content(question, allowed, Effort::Thorough);
              if (!done) done = answer_text(respond_to_fault(question, done.error()));
              promise->answer(to_http(*std::move(done)));
            });
}

HttpResponse ContentServer::Core::to_http(ContentAnswer answer) {
  HttpResponse response;
  response.status = answer.response.status;
  response.headers = std::move(answer.response.headers);
  response.length = answer.length;
  response.first = std::move(answer.first);
  if (answer.rest) response.rest = std::make_unique<Body>(*this, std::move(answer.rest));
  return response;
}

ContentServer::ContentServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ContentServer::~ContentServer() { stop(); }

Result<std::unique_ptr<ContentServer>> ContentServer::start(ContentServerOptions options) {
  auto core = std::make_unique<Core>(std::move(options));
  if (const Status listening = core->listen(); !listening) return tl::unexpected(listening.error());
  return std::unique_ptr<ContentServer>(new ContentServer(std::move(core)));
}

void ContentServer::stop() { core_->stop(); }
const std::string& ContentServer::address() const { return core_->address(); }
StoreCounts ContentServer::cache_counts() const { return core_->cache_counts(); }
void ContentServer::set_cache_bytes(ByteCount bytes) { core_->set_cache_bytes(bytes); }

}  // namespace cidbus
