// Finds the leader among the brokers a node was given, and notices when it is lost (CONSENSUS C1).
//
// Pure: told what happened on the connections, it answers whom to greet or ping next. The node says hello to
// one broker at a time; a welcome binds it, a redirect names the next one to try, anything else is tried
// again with exponential back-off and full jitter, 10 ms to 1 s
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
//
// Invariants
//  1. epoch() never decreases, and a message of a lower epoch than seen is not accepted.
//  2. While bound, the leader has been heard within the node timeout.
//  3. A ping of the leader, which may suspect this node, brings its own next one forward; there are two in a
//     heartbeat at most.
//
// Thread rule: one owner. Limits: as many brokers as it is given.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ids.h"
#include "shared/base/limits/times.h"
#include "shared/base/prng.h"
#include "shared/base/time.h"
#include "shared/core/message.h"

namespace cidbus {

class LeaderLink {
 public:
  enum class Change { None, Bound, Unbound };
  enum class Action { None, Hello, Ping };
  struct Step {
    Action action = Action::None;
    std::size_t broker = 0;
    Change change = Change::None;
  };

  // `brokers`: HOST:PORT of each. REQUIRES: at least one.
  LeaderLink(std::vector<std::string> brokers, Prng prng);

  // One more to look for the leader at; gives its place.
  std::size_t add_broker(std::string address);

  void on_connected(Monotonic now, std::size_t broker);
  Change on_disconnected(Monotonic now, std::size_t broker);
  // Any message from a broker. `accepted` is false for one of a deposed leader, which must not be acted on.
  Change on_message(Monotonic now, std::size_t broker, const Header& header, const Message& message,
                    bool& accepted);

  // Somebody says that this broker took the office of `epoch`: one of a later office than the one it is bound
  // to is turned to at once.
  Change on_leader_named(Monotonic now, std::string_view address, Epoch epoch);

  // Other periods than those of the welcome, from now on.
  void set_periods(Monotonic now, Duration heartbeat, Duration timeout);

  // What is due; call it until it answers None, and again at deadline().
  Step step(Monotonic now);
  [[nodiscard]] Monotonic deadline() const;

  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] std::size_t leader() const { return candidate_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  // Not bound, and the broker asked last said that nobody holds office.
  [[nodiscard]] bool leaderless() const;
  [[nodiscard]] const std::vector<std::string>& brokers() const { return brokers_; }

 private:
  void retry_later(Monotonic now);
  void unbind(Monotonic now);
  void bind(Monotonic now, std::size_t broker, const Welcome& welcome);
  void follow(Monotonic now, const Redirect& redirect);
  bool choose_candidate();

  std::vector<std::string> brokers_;
  std::vector<bool> connected_;
  Prng prng_;
  Epoch epoch_;   // highest seen; only grows
  Epoch office_;  // of the leader, while bound
  bool bound_ = false;
  std::size_t candidate_ = 0;     // the leader while bound, whom to greet next otherwise
  bool candidate_named_ = false;  // by a redirect
  bool nobody_leads_ = false;     // said the last redirect
  unsigned failures_ = 0;         // in a row; sets the back-off
  Monotonic next_hello_{};
  Monotonic next_ping_{};
  Monotonic last_ping_{};
  Monotonic heard_{};  // the leader, while bound
  Duration heartbeat_ = limits::heartbeat;
  Duration timeout_ = limits::node_timeout;
};

}  // namespace cidbus
