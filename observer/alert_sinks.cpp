#include "observer/alert_sinks.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "client/command/json_writer.h"
#include "observer/alert_delivery.h"
#include "shared/base/limits/observer.h"
#include "shared/io/clock.h"
#include "shared/io/mailbox.h"

namespace cidbus {

// Invariant: what waits leaves in order; the first is at its `tries_`th try.
class AlertSinks::Runner {
 public:
  Runner(AlertSink sink, Log& log) : sink_(std::move(sink)), log_(log), thread_([this] { run(); }) {}
  ~Runner() {
    stop_ = true;
    incoming_.push({});
    thread_.join();
  }
  void tell(const AlertNotice& notice, const std::string& json) {
    if (notice.alert.level >= sink_.least) incoming_.push(json);
  }

 private:
  void run() {
    while (!stop_) {
      incoming_.wait(time_to_next_try());
      for (std::string& json : incoming_.take_all())
        if (!json.empty()) waiting_.push_back(std::move(json));
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
    waiting_.erase(waiting_.begin(), waiting_.end() - limits::alerts_on_the_way);
    tries_ = 0;
  }
  void try_first() {
    const std::string& json = waiting_.front();
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
    waiting_.pop_front();
    tries_ = 0;
  }

  const AlertSink sink_;
  Log& log_;
  Mailbox<std::string> incoming_;  // an empty one wakes
  std::atomic<bool> stop_{false};
  std::deque<std::string> waiting_;
  unsigned tries_ = 0;
  Monotonic next_;
  std::thread thread_;  // last: it uses the others
};

AlertSinks::AlertSinks(const std::vector<AlertSink>& sinks, std::string cluster, std::string observer,
                       Log& log)
    : cluster_(std::move(cluster)), observer_(std::move(observer)) {
  if (!sinks.empty()) curl_global_init(CURL_GLOBAL_DEFAULT);
  for (const AlertSink& sink : sinks) runners_.push_back(std::make_unique<Runner>(sink, log));
}

AlertSinks::~AlertSinks() = default;

void AlertSinks::tell(const std::vector<AlertNotice>& notices) {
  for (const AlertNotice& notice : notices) {
    const std::string json = alert_json(cluster_, observer_, notice);
    for (const auto& runner : runners_) runner->tell(notice, json);
  }
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
