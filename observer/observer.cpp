#include "observer/observer.h"

#include <algorithm>
#include <map>
#include <set>

#include "observer/alert_watch.h"
#include "observer/console.h"
#include "observer/core/cluster_view.h"
#include "observer/core/feed_follower.h"
#include "observer/core/machine_series.h"
#include "observer/history_keeper.h"
#include "observer/screen_view.h"
#include "observer/told_metrics.h"
#include "observer/web_page.h"
#include "shared/base/limits/metrics.h"
#include "shared/base/limits/web_page.h"
#include "shared/io/broker_silence.h"
#include "shared/io/clock.h"
#include "shared/io/node_metrics.h"
#include "shared/io/node_pages.h"
#include "shared/metrics/prometheus.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr int feed_out_offset = 1;  // DESIGN section 11: a broker at port P sends the feed at P+1
constexpr int messages_a_turn = 256;

constexpr Duration tick_period = std::chrono::seconds(1);
constexpr Duration look_period = std::chrono::milliseconds(250);  // at the terminal's size
constexpr Duration round_time = std::chrono::seconds(3);          // for every broker to answer for itself

}  // namespace

struct Observer::State : BusLink::Owner {
  State(SocketContext& context, Reactor& reactor, ObserverOptions given, Log& log_to)
      : options(std::move(given)),
        log(log_to),
        loop(reactor),
        node_metrics(options.identity.name, Role::Observer, options.data, log),
        pages(reactor, node_metrics.registry()),
        messages(node_metrics.registry().counter(Metric::FeedMessages)),
        gaps(node_metrics.registry().counter(Metric::FeedGaps)),
        missed(node_metrics.registry().counter(Metric::FeedMissed)),
        feed(context, SocketKind::Sub),
        link(context, reactor, options.identity, options.brokers, *this),
        alerts(options.alerts, options.identity.cluster, options.identity.name, options.data, log_to) {}
  ~State() override {
    if (web) web->close();
  }

  Hello make_hello() override {
    Hello hello;
    hello.role = Role::Observer;
    return hello;
  }
  // The bus knows which key a broker has, so the feed follows it.
  void on_connected(Now, const std::string& broker, const std::string& key) override {
    connected[broker] = key;
    listen_to(broker, false);  // with the key it had before
    choose_feeds();
  }
  void on_disconnected(Now, const std::string& broker) override {
    connected.erase(broker);
    choose_feeds();
  }
  [[nodiscard]] bool was_given(const std::string& broker) const {
    return std::find(options.brokers.begin(), options.brokers.end(), broker) != options.brokers.end();
  }
  void choose_feeds() {
    const bool any_given = std::any_of(connected.begin(), connected.end(),
                                       [&](const auto& entry) { return was_given(entry.first); });
    for (const auto& [broker, key] : connected) listen_to(broker, was_given(broker) || !any_given);
  }
  void listen_to(const std::string& broker, bool on) {
    const std::string address = address_at(broker, feed_out_offset);
    if (on && listened.insert(address).second) {
      static_cast<void>(feed.connect(address, connected[broker]));  // the bus has tried the address
    } else if (!on && listened.erase(address) != 0) {
      feed.disconnect(address);
    }
  }
  void on_bound(Now, const Welcome& welcome) override {
    log.info("attached to " + std::string(welcome.leader) + " at " + link.leader_address());
    view.on_bound();
    if (web) web->on_bound();
    ask_for_snapshot();
  }
  void on_unbound(Now now) override {
    view.on_unbound(now.wall);
    log.warning("lost the leader at " + link.leader_address() + "; looking for one");
  }
  void on_refused(Now, const Refused& refused) override {
    silence.on_refused();
    if (refusal == refused.reason) return;
    refusal = refused.reason;
    log.error("refused: " + refusal);
  }
  void on_message(Now now, const Header& header, const Message& message) override {
    if (web) web->on_message(message);
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return;
    if (!follower.on_snapshot(*snapshot)) return ask_for_snapshot();
    view.on_snapshot(now.wall, *snapshot);
    tell(now, header.sender, *snapshot);
  }
  void on_own_word(Now now, const Header& header, const Message& message) override {
    if (const auto* status = std::get_if<BrokerStatus>(&message)) {
      if (view.on_status(now.wall, *status)) round_ends.reset();
      return;
    }
    const auto& snapshot = std::get<Snapshot>(message);
    if (link.bound() || snapshot.request != request || !follower.on_standby_snapshot(snapshot)) return;
    view.on_standby_snapshot(now.wall, snapshot);
    if (snapshot_wanted) tell(now, header.sender, snapshot);
  }
  void tell(Now now, std::string_view teller, const Snapshot& snapshot) {
    snapshot_wanted = false;
    print(print_snapshot(options.style, now.wall, teller, snapshot));
  }

  Registry* metrics() override { return &node_metrics.registry(); }

  // ---- what it shows over HTTP
  Status serve_http() {
    if (options.page.empty()) return {};
    pages.add_health([this](Now now) { return checks(now); });
    pages.add("/metrics/nodes", [this](Now now, std::string_view) {
      return http_page(200, prometheus_content_type, told.to_prometheus(now.monotonic));
    });
    web = std::make_unique<WebPage>(
        pages, loop,
        WebPage::Sources{options.identity.name, options.data, [this](WallTime now) { return board(now); },
                         view, history, [this]() -> const AlertMarks& { return alerts.marks(); },
                         [this](const Message& question) { return link.send(question); }},
        options.alerts.rules, read_clock().wall);
    auto started = NodeHttp::start(options.page, pages, limits::page_connections);
    if (!started) return tl::unexpected(started.error());
    http = *std::move(started);
    log.info("the web page is at http://" + http->address() + "/");
    return {};
  }
  // Connected is not enough: the leader says something every second.
  [[nodiscard]] std::vector<ReadinessCheck> checks(Now now) const {
    const bool hears = heard_at && now.monotonic - *heard_at < limits::metrics_expire;
    const bool attached = follower.attached();
    return {{"bus", link.bound(), link.bound() ? "a leader is there" : "no leader is reached"},
            {"feed", hears, hears ? "it is heard" : "nothing was heard on it lately"},
            {"snapshot", attached, attached ? "" : "none has come yet"}};
  }

  void ask_for_snapshot() {
    ++request.value;
    snapshot_wanted = true;
    if (!link.send(SnapshotRequest{request})) link.ask_standbys(SnapshotRequest{request});
  }
  // While no leader is there, again and again: nobody says on the feed which nodes a broker hears.
  void ask_standbys() {
    if (link.bound()) return;
    ++request.value;
    link.ask_standbys(SnapshotRequest{request});
  }

  void on_feed(Now now) {
    for (int count = 0; count < messages_a_turn && feed.receive(frames); ++count) {
      if (frames.size() != 2) continue;
      const auto envelope = decoder.decode(frames[1]);
      if (!envelope || envelope->header.cluster != cluster_id(options.identity.cluster)) continue;
      const auto* message = std::get_if<Feed>(&envelope->message);
      if (message != nullptr) on_feed(now, envelope->header, *message);
    }
  }

  void on_feed(Now now, const Header& header, const Feed& message) {
    const auto verdict = follower.on_feed(header, message);
    heard_at = now.monotonic;
    if (verdict.missed != 0) {
      gaps.add();
      missed.add(verdict.missed);
      if (web) web->on_loss();
      print(print_gap(options.style, now.wall, header.sender, message.topic, verdict.missed));
    }
    if (verdict.ask) ask_for_snapshot();
    if (!verdict.is_new) return;
    messages.add();
    told.on_feed(now.monotonic, header, message);
    for (const FeedEvent& event : message.events) {
      if (!follower.is_news(message, event)) continue;
      view.on_event(now.wall, header.sender, event);
      if (const auto* metrics = std::get_if<MetricsEvent>(&event))
        machines.on_metrics(now.wall, header.sender, *metrics);
      if (web) web->on_event(now.wall, header.sender, event);
      if (!screen && is_told(event)) print(print_event(options.style, message.time, header.sender, event));
    }
  }

  // What is known is measured once a second, whether anything came or not.
  std::optional<Monotonic> on_turn_end(Now now) {
    if (now.monotonic < next_tick) {
      if (!screen) return next_tick;
      screen->draw_again();
      return std::min(next_tick, now.monotonic + look_period);
    }
    next_tick = now.monotonic + tick_period;
    ask_brokers(now);
    ask_standbys();
    const auto take = [&](const Sample& sample) {
      alerts.on_sample(sample, history);
      history.add(sample);
    };
    view.sample(now.wall, take);
    machines.sample(now.wall, take);
    const auto notices = alerts.on_tick(now.wall, !view.hears(now.wall));
    for (const AlertNotice& notice : notices) print(print_alert(options.style, notice));
    if (web) web->on_notices(notices);
    reader_gone = !screen && is_reader_gone(STDOUT_FILENO);
    history.forget_silent(now.wall);
    if (history.refused() != 0 && !refusal_told) {
      refusal_told = true;
      log.warning("more than " + std::to_string(limits::history_series) +
                  " series: the history of new ones is not kept");
    }
    const auto told_now = alerts.take_told();
    if (keeper) keeper->on_tick(now, notices, told_now);
    if (screen) screen->on_tick([&] { return board(now.wall); });
    if (web) web->on_tick(now);
    return next_tick;
  }
  Board board(WallTime now) const {
    Board made = make_board(view, history, alerts.raised(), alerts.marks(), now);
    if (!view.bound() && !refusal.empty()) made.health.reasons.insert(made.health.reasons.begin(), refusal);
    return made;
  }
  void ask_brokers(Now now) {
    if (round_ends && now.monotonic < *round_ends) return;
    if (round_ends) view.end_round(now.wall);
    round_ends = now.monotonic + round_time;
    std::set<std::size_t> asked;
    ++round.value;
    link.ask_each(BrokerStatusRequest{round}, asked);
  }

  Status open_history() {
    if (options.data.empty()) return {};
    auto opened = HistoryKeeper::open(options.data, options.history_bytes, read_clock(), history, log);
    if (!opened) return tl::unexpected(opened.error());
    keeper = std::move(*opened);
    alerts.restore(keeper->left_alerts());
    return {};
  }

  void print(const std::string& line) {
    if (line.empty() || screen || !printing) return;
    console.output.line(line);
  }
  // The leader says once a second that it leads: a person reads it when that changes.
  bool is_told(const FeedEvent& event) {
    if (!std::holds_alternative<LeaderEvent>(event) || options.style == PrintStyle::Ndjson) return true;
    std::string text = print_event(PrintStyle::Text, {}, {}, event);
    if (text == told_leader) return false;
    told_leader = std::move(text);
    return true;
  }
  // What was printed leaves. A fault when that ends the observer: without a message when the reader has gone.
  Status flush() {
    if (!printing) return {};
    Status written = console.output.flush();
    if (written && reader_gone) written = fault(FaultKind::Failed, "");
    printing = written.has_value();
    if (written || options.ends_with_output) return written;
    log.warning("nothing more is printed: " +
                (written.error().message.empty() ? "nobody reads it" : written.error().message));
    return {};
  }

  ObserverOptions options;
  Log& log;
  Reactor& loop;
  NodeMetrics node_metrics;
  NodePages pages;
  Counter& messages;  // of the feed
  Counter& gaps;
  Counter& missed;
  ToldMetrics told;
  Socket feed;
  BusLink link;
  BrokerSilence silence;
  std::map<std::string, std::string> connected;  // brokers on the bus, and their keys
  std::set<std::string> listened;                // addresses of feeds
  FeedFollower follower;
  ClusterView view;
  MachineSeries machines;
  History history;
  AlertWatch alerts;
  std::unique_ptr<HistoryKeeper> keeper;  // none without a folder
  std::unique_ptr<ScreenView> screen;     // none: lines are printed
  Console console{Format::Table};         // lines leave at the end of each turn
  bool printing = true;
  bool reader_gone = false;
  std::string told_leader;  // as a person was told of it
  Monotonic next_tick;
  std::optional<Monotonic> round_ends;  // of asking brokers, if one is under way
  bool refusal_told = false;            // that history is full
  Frames frames;
  Decoder decoder;
  RequestId request;            // of the last snapshot
  bool snapshot_wanted = true;  // and to be told, when it comes
  RequestId round;              // of asking brokers
  std::string refusal;
  std::optional<Monotonic> heard_at;  // anything on the feed, last
  std::unique_ptr<WebPage> web;       // none without an address
  std::unique_ptr<NodeHttp> http;     // ends before what its pages look at
};

Observer::Observer(SocketContext& context, ObserverOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log)) {}

Observer::~Observer() = default;

Status Observer::open() {
  if (const Status kept = state_->open_history(); !kept) return kept;
  if (state_->options.screen) {
    auto screen = ScreenView::open(reactor(), [this] { on_stop(read_clock()); });
    if (!screen) return tl::unexpected(screen.error());
    state_->screen = std::move(*screen);
  }
  state_->feed.subscribe("");
  reactor().watch(state_->feed, [this](Now now) { state_->on_feed(now); });
  reactor().at_turn_end([this](Now now) {
    const auto next = state_->on_turn_end(now);
    if (const Status printed = state_->flush(); !printed) leave(printed);
    return next;
  });
  if (const Status serving = state_->serve_http(); !serving) return serving;
  reactor().measure_turns(state_->node_metrics.registry().histogram(Metric::TurnSeconds));
  state_->silence.watch(reactor(), state_->link, state_->log);
  if (const Status opened = state_->link.open(); !opened) return opened;
  start();
  return {};
}

void Observer::on_stop(Now) { leave(state_->flush()); }

void Observer::leave(Status status) {
  // What sinks took since the last tick is not told again by the next start.
  if (state_->keeper) state_->keeper->on_tick(read_clock(), {}, state_->alerts.take_told());
  state_->link.send(Goodbye{"stopped"});
  end(std::move(status));
}

}  // namespace cidbus
