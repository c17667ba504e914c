// A small world in one thread: clients, workers and a leader that is replaced, under a seed. Whatever
// happens, every accepted submission gets its result called back once, and everything ends.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "broker/tasks/task_service.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

struct WorldWorker {
  std::string name;
  Peer peer = Peer::Nobody;
  std::map<AttemptId, std::optional<Outcome>> held;  // until acknowledged; how it ended, once it did
};

struct WorldClient {
  SessionId session;
  Peer peer = Peer::Nobody;
  std::uint64_t next_seq = 1;
  std::map<std::uint64_t, TaskOptions> unanswered;
  std::map<std::uint64_t, TaskId> accepted;
  std::map<std::uint64_t, int> delivered;
  std::uint64_t cursor = 0;
  bool established = false;
  [[nodiscard]] std::uint64_t low_water() const {
    return unanswered.empty() ? next_seq : unanswered.begin()->first;
  }
};

class World final : public Output {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    for (unsigned i = 0; i < 3; ++i) workers_.push_back({.name = "w" + std::to_string(i + 1), .held = {}});
    for (unsigned i = 0; i < 3; ++i) {
      clients_.emplace_back();
      clients_.back().session.bytes[0] = static_cast<std::uint8_t>(i + 1);
    }
    take_office();
    connect(workers_[0]);
    commit(SIZE_MAX);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      act();
      finish_turn();
      if (testing::Test::HasFailure()) return;
    }
  }

  // No more faults and no more submissions: everything has to come to its end.
  void heal_and_finish() {
    for (WorldWorker& worker : workers_) disconnect(worker.peer), connect(worker);
    for (WorldClient& client : clients_) disconnect(client.peer), connect(client);
    for (int round = 0; round < 400 && !all_done(); ++round) {
      pass(round % 4 == 0 ? 11'000 : 300);
      for (WorldWorker& worker : workers_) {
        service_->on_message(now_, worker.peer, Credit{4});
        renew(worker);
        for (auto& [attempt, outcome] : worker.held) outcome = outcome.value_or(Outcome::Completed);
        tell_ends(worker);
      }
      for (WorldClient& client : clients_) {
        send_unanswered(client);
        if (client.established)
          service_->on_message(now_, client.peer, SessionResume{client.session, client.cursor});
      }
      commit(SIZE_MAX);
      finish_turn();
      if (testing::Test::HasFailure()) return;
    }
    check_end();
  }

  std::map<std::string, int> marks;

 private:
  // ---- the journal and the leader
  struct Written {
    RecordType type;
    Bytes payload;
    WallTime time;
  };
  LogIndex propose(RecordType type, ByteView payload, Urgency) override {
    ++marks[std::string(to_text(type))];
    open_.push_back({type, to_bytes(payload), now_.wall});
    return LogIndex{state_.applied().value + open_.size()};
  }
  void event(const TaskEvent&) override {}
  void commit(std::size_t count) {
    Changes changes;
    changes.applied = state_.applied();
    for (; count > 0 && !open_.empty(); --count) {
      state_.apply(LogIndex{state_.applied().value + 1}, open_.front().time, open_.front().type,
                   open_.front().payload, changes);
      open_.pop_front();
    }
    service_->on_applied(now_, changes);
    state_.check_invariants();
  }
  void take_office() {
    ++marks["office"];
    open_.clear();
    inbox_.clear();
    for (WorldWorker& worker : workers_) worker.peer = Peer::Nobody;
    for (WorldClient& client : clients_) client.peer = Peer::Nobody;
    Bytes payload;
    encode(OpenRecord{Epoch{++epoch_}, "b1", "b1:9096"}, payload);
    Changes changes;
    state_.apply(LogIndex{state_.applied().value + 1}, now_.wall, RecordType::Open, payload, changes);
    service_ = std::make_unique<TaskService>(*this, metrics_, ServiceLimits{}, random_.fork());
    service_->take_office(now_, Epoch{epoch_}, state_);
  }
  void pass(std::int64_t wait) {
    now_.monotonic += milliseconds(wait);
    now_.wall.milliseconds += wait;
    service_->tick(now_);
  }
  void finish_turn() {
    service_->end_turn(now_);
    service_->check_invariants();
    while (!inbox_.empty()) {
      const auto deliver = std::move(inbox_.front());
      inbox_.pop_front();
      deliver();
    }
  }

  // ---- messages; copied when sent, delivered at the end of the turn
  void send(Peer peer, const Message& message) override {
    for (WorldWorker& worker : workers_) {
      if (worker.peer == peer) return to_worker(worker, peer, message);
    }
    for (WorldClient& client : clients_) {
      if (client.peer == peer) return to_client(client, peer, message);
    }
  }
  void to_worker(WorldWorker& worker, Peer peer, const Message& message) {
    std::vector<AttemptId> attempts;
    std::function<void(const AttemptId&)> effect;
    if (const auto* dispatch = std::get_if<Dispatch>(&message)) {
      for (const DispatchItem& item : dispatch->items) attempts.push_back(item.attempt);
      effect = [&worker](const AttemptId& attempt) { worker.held.emplace(attempt, std::nullopt); };
    } else if (const auto* ack = std::get_if<CompleteAck>(&message)) {
      attempts = ack->attempts;
      effect = [&worker](const AttemptId& attempt) { worker.held.erase(attempt); };
    } else if (const auto* revoke = std::get_if<Revoke>(&message)) {
      ++marks["revoke"];
      attempts = revoke->attempts;
      effect = [&worker](const AttemptId& attempt) {
        const auto found = worker.held.find(attempt);
        if (found != worker.held.end()) found->second = found->second.value_or(Outcome::Cancelled);
      };
    } else if (const auto* renewed = std::get_if<Renewed>(&message)) {
      marks["lost lease"] += static_cast<int>(renewed->lost.size());
      return;
    }
    inbox_.push_back([&worker, peer, attempts, effect] {
      if (worker.peer != peer || !effect) return;
      for (const AttemptId& attempt : attempts) effect(attempt);
    });
  }
  void to_client(WorldClient& client, Peer peer, const Message& message) {
    if (const auto* accepted = std::get_if<Accepted>(&message)) {
      const auto items = accepted->items;
      inbox_.push_back([this, &client, peer, items] {
        if (client.peer == peer) on_accepted(client, items);
      });
    } else if (const auto* results = std::get_if<Results>(&message)) {
      std::vector<std::tuple<std::uint64_t, std::uint64_t, TaskId>> items;
      for (const ResultItem& item : results->items) {
        EXPECT_TRUE(is_final(item.info.state));
        items.emplace_back(item.rseq, item.seq, item.info.task);
      }
      inbox_.push_back([this, &client, peer, items] {
        if (client.peer == peer) on_results(client, items);
      });
    } else {
      const auto* refused = std::get_if<Refused>(&message);
      ADD_FAILURE() << "a client was told " << (refused == nullptr ? name_of(message) : refused->reason);
    }
  }
  void on_accepted(WorldClient& client, const std::vector<AcceptedItem>& items) {
    client.established = true;
    for (const AcceptedItem& item : items) {
      const auto [known, is_new] = client.accepted.emplace(item.seq, item.task);
      EXPECT_EQ(known->second, item.task) << "one submission became two tasks";
      EXPECT_TRUE(is_new || item.duplicate);
      marks["duplicate"] += item.duplicate ? 1 : 0;
      client.unanswered.erase(item.seq);
    }
  }
  void on_results(WorldClient& client,
                  const std::vector<std::tuple<std::uint64_t, std::uint64_t, TaskId>>& items) {
    client.established = true;
    for (const auto& [rseq, seq, task] : items) {
      if (rseq <= client.cursor) continue;
      EXPECT_EQ(rseq, client.cursor + 1) << "a result was left out";
      client.cursor = rseq;
      ++client.delivered[seq];
      const auto known = client.accepted.emplace(seq, task).first;
      EXPECT_EQ(known->second, task);
      client.unanswered.erase(seq);
    }
  }

  // ---- what nodes do
  void connect(WorldWorker& worker) {
    worker.peer = Peer{++last_peer_};
    Hello hello;
    hello.role = Role::Worker;
    hello.task_types = {"echo", "hash"};
    for (const auto& [attempt, outcome] : worker.held) hello.running.push_back(attempt);
    service_->on_hello(now_, worker.peer, worker.name, Role::Worker, hello);
  }
  void connect(WorldClient& client) {
    client.peer = Peer{++last_peer_};
    if (client.established)
      service_->on_message(now_, client.peer, SessionResume{client.session, client.cursor});
    send_unanswered(client);
  }
  void disconnect(Peer& peer) {
    if (peer == Peer::Nobody) return;
    service_->on_peer_gone(now_, peer);
    peer = Peer::Nobody;
  }
  void send_unanswered(WorldClient& client) {
    if (client.unanswered.empty()) return;
    Submit submit{client.session, client.established ? client.low_water() : 1, {}};
    for (const auto& [seq, options] : client.unanswered) {
      submit.items.push_back({seq, type_of(seq), options, as_bytes("work")});
      if (!client.established) break;
    }
    service_->on_message(now_, client.peer, submit);
  }
  void renew(WorldWorker& worker) {
    Renew renewal;
    for (const auto& [attempt, outcome] : worker.held) {
      if (!outcome) renewal.attempts.push_back(attempt);
    }
    if (!renewal.attempts.empty()) service_->on_message(now_, worker.peer, renewal);
  }
  void tell_ends(WorldWorker& worker) {
    Complete complete;
    for (const auto& [attempt, outcome] : worker.held) {
      if (outcome) complete.items.push_back({attempt, *outcome, as_bytes("result"), "", {}});
    }
    if (!complete.items.empty()) service_->on_message(now_, worker.peer, complete);
  }

  void act() {
    pass(static_cast<std::int64_t>(random_.chance(1, 30) ? random_.below(12'000) : random_.below(200)));
    WorldWorker& worker = workers_[random_.below(workers_.size())];
    WorldClient& client = clients_[random_.below(clients_.size())];
    const auto choice = random_.below(24);
    if (choice < 6) return commit(random_.chance(1, 2) ? SIZE_MAX : random_.below(6));
    if (choice < 10) return client.peer == Peer::Nobody ? connect(client) : submit(client);
    if (choice == 10 && random_.chance(1, 4)) return disconnect(client.peer);
    if (choice == 11 && client.peer != Peer::Nobody && client.cursor > 0) {
      service_->on_message(now_, client.peer, ResultAck{client.session, client.cursor});
      return;
    }
    if (choice == 12 && client.peer != Peer::Nobody && random_.chance(1, 3) && !client.accepted.empty()) {
      auto some = client.accepted.begin();
      std::advance(some, random_.below(client.accepted.size()));
      cancel(some->second);
      return;
    }
    if (choice == 13 && random_.chance(1, 10)) return take_office();
    if (choice == 14 && random_.chance(1, 4)) return crash(worker);
    if (choice == 15 && random_.chance(1, 3)) return disconnect(worker.peer);
    if (worker.peer == Peer::Nobody) return connect(worker);
    work(worker);
  }
  static std::string_view type_of(std::uint64_t seq) { return seq % 3 == 0 ? "hash" : "echo"; }
  void submit(WorldClient& client) {
    for (auto count = random_.between(1, 4); count > 0; --count) {
      TaskOptions options;
      options.priority = static_cast<std::uint8_t>(random_.below(10));
      options.tries = static_cast<std::uint8_t>(random_.between(1, 3));
      options.backoff = milliseconds(random_.below(400));
      if (random_.chance(1, 8)) options.delay = milliseconds(random_.below(900));
      if (random_.chance(1, 8)) options.deadline = milliseconds(random_.between(1, 3000));
      if (random_.chance(1, 6)) options.key = type_of(client.next_seq);  // which is all they differ in
      client.unanswered.emplace(client.next_seq++, options);
    }
    send_unanswered(client);
  }
  void cancel(TaskId task) {
    // Asked through a connection of its own, whose answer nobody waits for.
    service_->on_message(now_, Peer{++last_peer_}, Cancel{RequestId{1}, {task}});
  }
  void crash(WorldWorker& worker) {
    ++marks["crash"];
    disconnect(worker.peer);
    worker.held.clear();
    if (random_.chance(1, 2)) service_->on_worker_lost(now_, worker.name);
  }
  void work(WorldWorker& worker) {
    if (random_.chance(1, 2))
      service_->on_message(now_, worker.peer, Credit{static_cast<std::uint32_t>(random_.below(5))});
    if (random_.chance(1, 2)) renew(worker);
    for (auto& [attempt, outcome] : worker.held) {
      if (outcome || random_.chance(1, 2)) continue;
      static constexpr Outcome ends[] = {Outcome::Completed, Outcome::Completed, Outcome::Completed,
                                         Outcome::Failed,    Outcome::Retry,     Outcome::TimedOut,
                                         Outcome::HandedBack};
      outcome = ends[random_.below(std::size(ends))];
    }
    tell_ends(worker);
  }

  // ---- the end
  [[nodiscard]] bool all_done() const {
    for (const WorldClient& client : clients_) {
      if (!client.unanswered.empty() || client.delivered.size() != client.accepted.size()) return false;
    }
    return open_.empty();
  }
  void check_end() {
    for (const WorldClient& client : clients_) {
      EXPECT_TRUE(client.unanswered.empty());
      EXPECT_EQ(client.accepted.size(), client.next_seq - 1);
      for (const auto& [seq, task] : client.accepted) {
        const auto delivered = client.delivered.find(seq);
        ASSERT_TRUE(delivered != client.delivered.end()) << "no result for task " << task.value;
        EXPECT_EQ(delivered->second, 1) << "task " << task.value;
      }
      marks["results"] += static_cast<int>(client.delivered.size());
    }
    const StateCounts& counts = state_.counts();
    EXPECT_EQ(counts[0] + counts[1] + counts[2], 0u) << "open tasks are left";
  }

  Prng random_;
  Now now_{Monotonic(std::chrono::seconds(1)), WallTime{1'000'000'000}};
  StateMachine state_;
  Registry registry_;
  TaskMetrics metrics_{registry_};
  std::unique_ptr<TaskService> service_;
  std::deque<Written> open_;
  std::deque<std::function<void()>> inbox_;
  std::deque<WorldWorker> workers_;
  std::deque<WorldClient> clients_;
  std::uint32_t last_peer_ = 0;
  std::uint64_t epoch_ = 0;
};

TEST(TaskServiceWorld, EveryAcceptedSubmissionGetsOneResultWhateverHappens) {
  std::map<std::string, int> marks;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(400);
    if (!testing::Test::HasFailure()) world.heal_and_finish();
    for (const auto& [name, count] : world.marks) marks[name] += count;
    if (testing::Test::HasFailure()) return;
  }
  for (const char* name :
       {"office", "crash", "revoke", "lost lease", "duplicate", "REQUEUE", "EXPIRE", "CANCEL"}) {
    EXPECT_GT(marks[name], 50) << name;
  }
  EXPECT_GT(marks["results"], 10'000);
}

}  // namespace
}  // namespace cidbus
