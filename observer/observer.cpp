#include "observer/observer.h"

#include <algorithm>
#include <map>
#include <set>

#include "shared/node/feed_tracker.h"
#include "shared/wire/codec.h"

namespace cidbus {
namespace {

constexpr int feed_out_offset = 1;  // DESIGN section 11: a broker at port P sends the feed at P+1
constexpr int messages_a_turn = 256;

bool is_of_state(FeedTopic topic) { return topic == FeedTopic::Tasks || topic == FeedTopic::Members; }
bool is_state_event(const FeedEvent& event) {
  return std::holds_alternative<TaskEvent>(event) || std::holds_alternative<MemberEvent>(event);
}

}  // namespace

struct Observer::State : BusLink::Owner {
  State(SocketContext& context, Reactor& reactor, ObserverOptions given, Log& log_to)
      : options(std::move(given)),
        log(log_to),
        feed(context, SocketKind::Sub),
        link(context, reactor, options.identity, options.brokers, *this) {}

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
    ask_for_snapshot();
  }
  void on_unbound(Now) override {
    log.warning("lost the leader at " + link.leader_address() + "; looking for one");
  }
  void on_refused(Now, const Refused& refused) override {
    if (refusal == refused.reason) return;
    refusal = refused.reason;
    log.error("refused: " + refusal);
  }
  void on_message(Now now, const Header&, const Message& message) override {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return;
    if (snapshot->applied < passed_over) return ask_for_snapshot();
    attached = true;
    shown = snapshot->applied;
    print(print_snapshot(options.style, now.wall, *snapshot));
  }

  void ask_for_snapshot() {
    ++request.value;
    link.send(SnapshotRequest{request});
  }

  void on_feed(Now now) {
    for (int count = 0; count < messages_a_turn && feed.receive(frames); ++count) {
      if (frames.size() != 2) continue;
      const auto envelope = decoder.decode(frames[1]);
      if (!envelope || envelope->header.cluster != cluster_id(options.identity.cluster)) continue;
      const auto* message = std::get_if<Feed>(&envelope->message);
      if (message != nullptr) on_feed(now, envelope->header, *message);
    }
    std::fflush(options.output);
  }

  void on_feed(Now now, const Header& header, const Feed& message) {
    const auto verdict = tracker.on_feed(header, message);
    if (verdict.kind == FeedTracker::Kind::Repeated) return;
    if (verdict.kind == FeedTracker::Kind::Gap) {
      print(print_gap(options.style, now.wall, header.sender, message.topic, verdict.missed));
      ask_for_snapshot();
    }
    // How things stand comes first; what has happened until then is in it, but for what brokers say of who
    // leads.
    if (!attached && message.topic != FeedTopic::Elections) {
      passed_over = std::max(passed_over, message.applied);
      return;
    }
    if (verdict.kind == FeedTracker::Kind::First && message.number > 1 && is_of_state(message.topic))
      ask_for_snapshot();  // it has said things before that were not heard
    for (const FeedEvent& event : message.events) {
      if (is_state_event(event) && message.applied.value != 0 && message.applied <= shown) continue;
      print(print_event(options.style, message.time, header.sender, event));
    }
  }

  void print(const std::string& line) {
    if (line.empty()) return;
    std::fwrite(line.data(), 1, line.size(), options.output);
    std::fputc('\n', options.output);
  }

  ObserverOptions options;
  Log& log;
  Socket feed;
  BusLink link;
  std::map<std::string, std::string> connected;  // brokers on the bus, and their keys
  std::set<std::string> listened;                // addresses of feeds
  FeedTracker tracker;
  Frames frames;
  Decoder decoder;
  RequestId request;
  LogIndex shown;         // covered by the last snapshot
  LogIndex passed_over;   // of the feed, before the first snapshot: it must cover this
  bool attached = false;  // the first snapshot is printed
  std::string refusal;
};

Observer::Observer(SocketContext& context, ObserverOptions options, Log& log)
    : state_(std::make_unique<State>(context, reactor(), std::move(options), log)) {}

Observer::~Observer() = default;

Status Observer::open() {
  state_->feed.subscribe("");
  reactor().watch(state_->feed, [this](Now now) { state_->on_feed(now); });
  if (const Status opened = state_->link.open(); !opened) return opened;
  start();
  return {};
}

void Observer::on_stop(Now) {
  state_->link.send(Goodbye{"stopped"});
  std::fflush(state_->options.output);
  end({});
}

}  // namespace cidbus
