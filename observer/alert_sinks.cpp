#include "observer/alert_sinks.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <utility>

#include "client/command/json_writer.h"
#include "observer/alert_delivery.h"
#include "shared/base/limits/observer.h"
#include "shared/io/clock.h"

namespace cidbus {

// Invariant: what waits leaves in order; the first is at its `tries_`th try.
class AlertSinks::Runner {
 public:
  Runner(AlertSink sink, Log& log, Mailbox<std::uint64_t>& settled)
      : sink_(std::move(sink)), log_(log), settled_(settled), thread_([this] { run(); }) {}
  ~Runner() {
    stop_ = true;
    incoming_.push({});
    thread_.join();
  }
  [[nodiscard]] bool wants(const AlertNotice& notice) const { return notice.alert.level >= sink_.least; }
  void tell(std::uint64_t number, const std::string& json) { incoming_.push({number, json}); }

 private:
  struct Letter {
    std::uint64_t number = 0;  // 0: it only wakes
    std::string json;
  };
  void run() {
    while (!stop_) {
      incoming_.wait(time_to_next_try());
      for (Letter& letter : incoming_.take_all())
        if (letter.number != 0) waiting_.push_back(std::move(letter));
      bound();
      if (!stop_ && !waiting_.empty() && read_monotonic() >= next_) try_first();
    }
    if (!waiting_.empty())
      log_.warning("stopped with " + std::to_string(waiting_.size()) + " alerts not told to sink " +
                   sink_.name);
  }
  [[nodiscard]] std::chrono::milliseconds time_to_next_try() const {
    if (waiting_.empty()) return std::chrono::milliseconds(-1);
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next_ - read_monotonic());
    return std::max(rest, std::chrono::milliseconds(0));
  }
  void bound() {
    if (waiting_.size() <= limits::alerts_on_the_way) return;
    log_.error("sink " + sink_.name + " is too slow: " +
               std::to_string(waiting_.size() - limits::alerts_on_the_way) + " alerts were not told to it");
    while (waiting_.size() > limits::alerts_on_the_way) drop_first();
  }
  void drop_first() {
    settled_.push(waiting_.front().number);
    waiting_.pop_front();
    tries_ = 0;
  }
  void try_first() {
    const std::string& json = waiting_.front().json;
    const Status delivered = sink_.command.empty() ? deliver_to_web(sink_.webhook, json, stop_)
                                                   : deliver_to_program(sink_.command, json, stop_);
    if (stop_ && !delivered) return;
    ++tries_;
    if (!delivered && tries_ < limits::alert_tries) {
      const Duration back_off = limits::alert_back_off * (1U << (tries_ - 1));
      next_ = read_monotonic() + std::min<Duration>(back_off, limits::alert_back_off_most);
      if (tries_ == 1)
        log_.warning("sink " + sink_.name +
                     " could not be told an alert, and is tried again: " + delivered.error().message);
      return;
    }
    if (!delivered)
      log_.error("sink " + sink_.name + " was not told an alert, after " + std::to_string(tries_) +
                 " tries: " + delivered.error().message);
    drop_first();
  }

  const AlertSink sink_;
  Log& log_;
  Mailbox<std::uint64_t>& settled_;
  Mailbox<Letter> incoming_;
  std::atomic<bool> stop_{false};
  std::deque<Letter> waiting_;
  unsigned tries_ = 0;
  Monotonic next_;
  std::thread thread_;  // last: it uses the others
};

AlertSinks::AlertSinks(const std::vector<AlertSink>& sinks, std::string cluster, std::string observer,
                       Log& log)
    : cluster_(std::move(cluster)), observer_(std::move(observer)) {
  if (!sinks.empty()) curl_global_init(CURL_GLOBAL_DEFAULT);
  for (const AlertSink& sink : sinks) runners_.push_back(std::make_unique<Runner>(sink, log, settled_));
}

AlertSinks::~AlertSinks() = default;

void AlertSinks::tell(const std::vector<AlertNotice>& notices) {
  for (const AlertNotice& notice : notices) {
    const std::uint64_t number = ++number_;
    OnTheWay& letter = on_the_way_.emplace(number, OnTheWay{notice, 1}).first->second;  // 1: this call
    const std::string json = alert_json(cluster_, observer_, notice);
    for (const auto& runner : runners_) {
      if (!runner->wants(notice)) continue;
      ++letter.sinks;
      runner->tell(number, json);
    }
    settle(number);
  }
}

std::vector<AlertNotice> AlertSinks::take_told() {
  for (const std::uint64_t number : settled_.take_all()) settle(number);
  return std::exchange(told_, {});
}

void AlertSinks::settle(std::uint64_t number) {
  const auto place = on_the_way_.find(number);
  if (--place->second.sinks != 0) return;
  told_.push_back(std::move(place->second.notice));
  on_the_way_.erase(place);
}

std::string alert_json(const std::string& cluster, const std::string& observer, const AlertNotice& notice) {
  const Alert& alert = notice.alert;
  JsonWriter json;
  json.open_object().name("cluster").string(cluster).name("observer").string(observer);
  json.name("change").string(to_text(notice.change)).name("id").string(alert.id);
  json.name("rule").string(alert.rule).name("node").string_or_null(alert.node);
  json.name("series").string(alert.series).name("level").string(to_text(alert.level));
  json.name("value").real(alert.value).name("text").string(alert.text);
  json.name("raised_at").string(to_rfc3339(alert.raised_at)).name("time").string(to_rfc3339(notice.time));
  return json.close_object().text();
}

}  // namespace cidbus
