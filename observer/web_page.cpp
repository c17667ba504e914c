#include "observer/web_page.h"

#include "observer/web/page_files.h"
#include "shared/base/limits/web_page.h"
#include "shared/io/version.h"

namespace cidbus {
namespace {

constexpr Duration names_period = std::chrono::seconds(10);
constexpr Duration votes_period = std::chrono::seconds(1);  // while one is open
constexpr std::chrono::milliseconds stale(900);             // who comes between two ticks sees the last one

// Scripts and styles are the observer's own; nothing else is asked for, from anywhere, and no text becomes
// markup or code (Content Security Policy level 3; Trusted Types).
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

HttpResponse file_response(const PageFile& file) {
  HttpResponse response;
  response.headers.add("Content-Type", content_type_of(file.name));
  response.headers.add("Cache-Control", "no-cache");
  response.headers.add("Content-Security-Policy", policy);
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Referrer-Policy", "no-referrer");
  response.headers.add("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.add("Cross-Origin-Resource-Policy", "same-origin");
  response.first = {file.bytes, {}};  // the program's own, for as long as it runs
  response.length = file.bytes.size();
  return response;
}

}  // namespace

WebPage::WebPage(NodePages& pages, Reactor& reactor, Sources sources, const std::vector<AlertRule>& rules,
                 WallTime now)
    : sources_(std::move(sources)), started_(now), streams_(reactor, ledger_) {
  put_rules(ledger_, rules);
  add_files(pages);
  add_history(pages);
  pages.add("/events", [this](Now at, std::string_view) {
    refresh(at.wall);
    return streams_.open();
  });
  pages.add("/state.json", [this](Now at, std::string_view) {
    refresh(at.wall);
    return http_page(200, "application/json", ledger_.since(0) + "\n");
  });
}

WebPage::~WebPage() = default;

void WebPage::close() {
  streams_.close();
  reader_.reset();
}

void WebPage::add_files(NodePages& pages) {
  for (const PageFile& file : page_files()) {
    const std::string path = file.name == "index.html" ? "/" : "/" + std::string(file.name);
    pages.add(path, [&file](Now, std::string_view) { return file_response(file); });
  }
}

void WebPage::add_history(NodePages& pages) {
  if (!sources_.folder.empty()) reader_ = std::make_unique<HistoryReader>(sources_.folder);
  pages.add("/series.json", [this](Now, std::string_view) {
    return http_page(200, "application/json", series_list(sources_.history) + "\n");
  });
  pages.add_later("/history", [this](Now now, std::string_view query, HttpReply reply) {
    auto parsed = parse_history_query(query, now.wall, reader_ != nullptr);
    if (const auto* refusal = std::get_if<std::string>(&parsed))
      return reply.answer(http_line(400, *refusal));
    auto& question = std::get<HistoryQuestion>(parsed);
    HistoryColumns newest = columns_in(sources_.history, question);
    if (reader_ == nullptr || is_in_memory(question, now.wall))
      return reply.answer(history_page(question, newest));
    reader_->ask(std::move(question), std::move(newest), std::move(reply));
  });
}

void WebPage::refresh(WallTime now) {
  if (now - refreshed_ < stale && now >= refreshed_) return;
  refreshed_ = now;
  const Board board = sources_.board(now);
  const Point* const failed = sources_.history.newest({"", "tasks_failed_percent"});
  PageFacts facts{sources_.observer,       version, started_, sources_.view.blocks_indexed(),
                  sources_.view.skipped(), {}};
  if (failed != nullptr && board.bound) facts.failed_percent = failed->value;
  put_now(ledger_, board, facts);
  put_cluster(ledger_, board);
  put_running(ledger_, runs_);
  put_alerts(ledger_, board, sources_.marks());
  answers_.put(ledger_);
  ledger_.commit();
  streams_.tell();
}

void WebPage::on_event(WallTime now, std::string_view publisher, const FeedEvent& event) {
  if (const auto* task = std::get_if<TaskEvent>(&event)) {
    if (const auto run = runs_.on_event(now, *task)) ledger_.append("runs", run_entry(*run));
  } else if (const auto* said = std::get_if<ElectionEvent>(&event)) {
    ledger_.append("elections", election_entry(now, publisher, *said));
  } else if (std::holds_alternative<SkippedEvent>(event)) {
    runs_.on_loss();
  } else if (std::holds_alternative<ProposalEvent>(event)) {
    agreed_wanted_ = true;
  }
}

void WebPage::on_message(const Message& message) {
  if (const auto* configuration = std::get_if<Configuration>(&message)) {
    if (configuration->request.value == 0) agreed_wanted_ = true;  // told to all, without what is forbidden
    if (configuration->request.value != 0) answers_.take(*configuration);
  } else if (const auto* proposals = std::get_if<Proposals>(&message)) {
    answers_.take(*proposals);
  } else if (const auto* names = std::get_if<ContentNames>(&message)) {
    answers_.take(*names);
  }
}

void WebPage::on_notices(const std::vector<AlertNotice>& notices) {
  for (const AlertNotice& notice : notices) ledger_.append("alerts", alert_entry(notice));
}

void WebPage::on_tick(Now now) {
  if (streams_.count() == 0) return;
  ask(now.monotonic);
  refresh(now.wall);
}

void WebPage::ask(Monotonic now) {
  if (agreed_wanted_ || (answers_.has_open() && now >= next_votes_)) {
    ++request_.value;
    agreed_wanted_ = !sources_.ask(ConfigRequest{request_}) || !sources_.ask(ProposalsRequest{request_});
    next_votes_ = now + votes_period;
  }
  if (now >= next_names_) {
    next_names_ = now + names_period;
    ++request_.value;
    FindContent question;
    question.request = request_;
    question.limit = limits::page_names;
    static_cast<void>(sources_.ask(question));
  }
}

}  // namespace cidbus
