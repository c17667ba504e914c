#include "observer/page_streams.h"

#include <atomic>

#include "shared/base/limits/web_page.h"

namespace cidbus {
namespace {

constexpr const char* beginning = "retry: 1000\n\n";  // milliseconds, when the connection broke

}  // namespace

struct PageStreams::Shared {
  Mailbox<Question> asked;
  std::atomic<std::size_t> count{0};
  std::atomic<bool> closed{false};

  // Nothing follows.
  void end_all() {
    for (const Question& question : asked.take_all()) question.reply->answer(HttpPiece{});
  }
};

// Of one connection, on the server's thread.
class PageStreams::Body final : public HttpBody {
 public:
  explicit Body(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) { ++shared_->count; }
  ~Body() override { --shared_->count; }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  void next(HttpPieceReply reply) override {
    if (shared_->closed) return reply.answer(HttpPiece{});
    shared_->asked.push({browser_, std::make_shared<HttpPieceReply>(std::move(reply))});
    if (shared_->closed) shared_->end_all();  // meanwhile; the mailbox's lock keeps both closings apart
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Browser> browser_ = std::make_shared<Browser>();
};

PageStreams::PageStreams(Reactor& reactor, const PageLedger& ledger)
    : reactor_(reactor), ledger_(ledger), shared_(std::make_shared<Shared>()) {
  reactor_.watch(shared_->asked.fd(), [this](Now) { take_questions(); });
}

PageStreams::~PageStreams() { reactor_.unwatch(shared_->asked.fd()); }

std::size_t PageStreams::count() const { return shared_->count; }

HttpResponse PageStreams::open() {
  if (count() >= limits::page_browsers) return http_line(503, "too many browsers follow this observer");
  HttpResponse response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.first = http_text(beginning);
  response.endless = true;
  response.rest = std::make_unique<Body>(shared_);
  return response;
}

void PageStreams::take_questions() {
  for (Question& question : shared_->asked.take_all()) {
    if (question.browser->seen < ledger_.version()) {
      answer(question);
    } else {
      waiting_.push_back(std::move(question));
    }
  }
}

void PageStreams::tell() {
  pieces_.clear();
  for (const Question& question : std::exchange(waiting_, {})) answer(question);
}

void PageStreams::answer(const Question& question) {
  const auto [place, fresh] = pieces_.try_emplace(question.browser->seen);
  if (fresh) place->second = http_text("data: " + ledger_.since(question.browser->seen) + "\n\n");
  question.browser->seen = ledger_.version();
  question.reply->answer(place->second);
}

void PageStreams::close() {
  shared_->closed = true;
  shared_->end_all();
  for (const Question& question : std::exchange(waiting_, {})) question.reply->answer(HttpPiece{});
}

}  // namespace cidbus
