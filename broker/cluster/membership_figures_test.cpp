// How well silence tells the dead from the living: a leader's table of members under loss and pauses, by
// chance from a seed. Prints the figures of docs/reliability.md; the bounds here are wide.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <queue>
#include <tuple>

#include "broker/cluster/membership.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

struct Trial {
  const char* name;
  std::uint64_t lost_percent;  // of messages to and from the leader, each by itself
  Duration pause_every;        // a node stands still about so often
  Duration pause_most;         // and for up to so long
  bool refutes;                // a suspect is asked, and answers
};

struct Figures {
  double node_hours = 0;
  std::uint64_t suspicions = 0;
  std::uint64_t wrongly_dead = 0;     // alive, and standing still for less than the node timeout
  std::vector<milliseconds> cut_off;  // from the power cut until the table says dead
  std::vector<milliseconds> killed;   // from the kill -9, which breaks the connection
};

constexpr Duration heartbeat = 1s;
constexpr Duration node_timeout = 5s;
constexpr Duration grace = 1s;
constexpr std::size_t nodes = 200;

class Simulation {
 public:
  Simulation(const Trial& trial, std::uint64_t seed) : trial_(trial), prng_(seed), living_(nodes) {
    for (std::size_t node = 0; node < nodes; ++node) {
      join(node);
      at(Duration(prng_.below(heartbeat.count())), [this, node] { beat(node); });
      at(Duration(prng_.below(trial_.pause_every.count())), [this, node] { pause(node); });
    }
    at(30s, [this] { kill_one(); });
  }

  Figures run(Duration time) {
    const Monotonic end = now_.monotonic + time;
    while (!events_.empty() && events_.top().when <= end) {
      const Event event = events_.top();
      events_.pop();
      advance(event.when);
      event.act();
      look();
    }
    figures_.node_hours = static_cast<double>(nodes) * std::chrono::duration<double>(time).count() / 3600;
    return figures_;
  }

 private:
  struct Living {
    std::uint64_t incarnation = 0;
    Monotonic paused_until{};
    Monotonic pause_began{};
    std::optional<Monotonic> died_at;
    bool broke = false;  // its connection, as it died
  };
  struct Event {
    Monotonic when;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const Event& other) const {
      return std::tie(when, order) > std::tie(other.when, other.order);
    }
  };

  static std::string name_of(std::size_t node) { return "w" + std::to_string(node); }
  void at(Duration delay, std::function<void()> act) {
    events_.push({now_.monotonic + delay, ++order_, std::move(act)});
  }
  void advance(Monotonic when) {
    now_.wall = now_.wall + duration_cast<milliseconds>(when - now_.monotonic);
    now_.monotonic = when;
  }
  bool is_lost() { return prng_.chance(trial_.lost_percent, 100); }
  bool is_still(const Living& node) const { return now_.monotonic < node.paused_until; }

  void join(std::size_t node) {
    living_[node] = Living{++incarnations_, {}, {}, {}, false};
    Hello hello;
    hello.role = Role::Worker;
    table_.hello(now_, name_of(node), {living_[node].incarnation}, hello, true);
    table_.heard(now_, name_of(node), {living_[node].incarnation});
  }
  // A ping on the bus and a heartbeat on the feed, each on a way of its own.
  void beat(std::size_t node) {
    const Living& self = living_[node];
    if (!self.died_at && !is_still(self)) {
      if (!is_lost()) table_.heard(now_, name_of(node), {self.incarnation});
      if (!is_lost()) table_.heartbeat(now_, name_of(node), {self.incarnation}, {});
    }
    const Duration rest = is_still(self) ? self.paused_until - now_.monotonic : heartbeat;
    at(rest, [this, node] { beat(node); });
  }
  void pause(std::size_t node) {
    Living& self = living_[node];
    self.pause_began = now_.monotonic;
    self.paused_until = now_.monotonic + Duration(prng_.below(trial_.pause_most.count()));
    at(trial_.pause_every / 2 + Duration(prng_.below(trial_.pause_every.count())),
       [this, node] { pause(node); });
  }
  void kill_one() {
    const std::size_t node = prng_.below(nodes);
    Living& self = living_[node];
    if (!self.died_at) {
      self.died_at = now_.monotonic;
      self.broke = prng_.chance(1, 2);
      if (self.broke) table_.connection_broke(now_, name_of(node), {self.incarnation});
    }
    at(2s + Duration(prng_.below(6'000'000'000)), [this] { kill_one(); });
  }

  void look() {
    for (const std::string& name : table_.take_changes(now_)) {
      const std::size_t node = std::stoul(name.substr(1));
      const Membership::Node& seen = *table_.find(name);
      if (seen.state == MemberState::Suspect) suspect(node);
      if (seen.state == MemberState::Dead) bury(node);
    }
    const auto deadline = table_.deadline();
    if (!deadline || (*deadline >= looks_at_ && looks_at_ > now_.monotonic)) return;
    looks_at_ = *deadline;
    at(*deadline - now_.monotonic, [] {});
  }
  void suspect(std::size_t node) {
    if (living_[node].died_at) return;
    ++figures_.suspicions;
    if (!trial_.refutes) return;
    at(1ms, [this, node] {  // the question, and the answer
      const Living& self = living_[node];
      if (self.died_at || is_lost() || is_lost()) return;
      const Duration still = is_still(self) ? self.paused_until - now_.monotonic : Duration(0);
      at(still, [this, node, incarnation = self.incarnation] {
        if (!living_[node].died_at) table_.heard(now_, name_of(node), {incarnation});
      });
    });
  }
  // The table says dead: rightly, after how long; or wrongly. Either way it joins again.
  void bury(std::size_t node) {
    const Living& self = living_[node];
    if (self.died_at) {
      (self.broke ? figures_.killed : figures_.cut_off)
          .push_back(duration_cast<milliseconds>(now_.monotonic - *self.died_at));
    } else if (!is_still(self) || now_.monotonic - self.pause_began < node_timeout - heartbeat) {
      ++figures_.wrongly_dead;
    }
    at(500ms, [this, node] { join(node); });
  }

  Trial trial_;
  Prng prng_;
  Now now_{Monotonic(1h), WallTime{1'000'000}};
  Membership table_{node_timeout, grace};
  std::vector<Living> living_;
  std::priority_queue<Event> events_;
  Monotonic looks_at_{};  // the next look that is planned
  std::uint64_t order_ = 0;
  std::uint64_t incarnations_ = 0;
  Figures figures_;
};

milliseconds at_percent(std::vector<milliseconds> times, std::size_t percent) {
  std::sort(times.begin(), times.end());
  return times.empty() ? milliseconds(0) : times[std::min(times.size() - 1, times.size() * percent / 100)];
}

Figures figures_of(const Trial& trial) {
  const Figures figures = Simulation(trial, 7).run(30min);
  std::printf(
      "%-38s %6.0f node hours, %6llu suspicions, %4llu wrongly dead; cut off: p50 %lld max %lld ms of "
      "%zu; killed: p50 %lld max %lld ms of %zu\n",
      trial.name, figures.node_hours, static_cast<unsigned long long>(figures.suspicions),
      static_cast<unsigned long long>(figures.wrongly_dead),
      static_cast<long long>(at_percent(figures.cut_off, 50).count()),
      static_cast<long long>(at_percent(figures.cut_off, 100).count()), figures.cut_off.size(),
      static_cast<long long>(at_percent(figures.killed, 50).count()),
      static_cast<long long>(at_percent(figures.killed, 100).count()), figures.killed.size());
  EXPECT_GT(figures.cut_off.size(), 50U);
  EXPECT_GT(figures.killed.size(), 50U);
  EXPECT_LE(at_percent(figures.cut_off, 100), milliseconds(5000)) << "the node timeout";
  EXPECT_LE(at_percent(figures.killed, 100), milliseconds(1000)) << "the grace of a broken connection";
  return figures;
}

TEST(MembershipFigures, NobodyIsTakenForDeadWithoutTroubleOrWithOrdinaryTrouble) {
  EXPECT_EQ(figures_of({"no trouble", 0, 1h, 1ms, true}).suspicions, 0U);
  EXPECT_EQ(figures_of({"10 % lost, pauses up to 1 s", 10, 60s, 1s, true}).wrongly_dead, 0U);
  EXPECT_EQ(figures_of({"pauses up to 3 s", 0, 20s, 3s, true}).wrongly_dead, 0U);
}

TEST(MembershipFigures, AskingASuspectSavesMostOfThoseWhoseWordsWereLost) {
  const Figures silent = figures_of({"50 % lost, suspects not asked", 50, 1h, 1ms, false});
  const Figures asked = figures_of({"50 % lost, suspects asked", 50, 1h, 1ms, true});
  EXPECT_GT(silent.wrongly_dead, 20U) << "or this proves nothing";
  EXPECT_LT(asked.wrongly_dead, silent.wrongly_dead);
}

}  // namespace
}  // namespace cidbus
