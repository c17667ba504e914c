// The session core against brokers that fail over and forget sessions, over links that lose, repeat and
// reorder: a seeded world in one thread, and what must hold in every one of them.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "client/session_core.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

struct Chances {  // of 1000, each step or message
  unsigned lose = 0, repeat = 0, reorder = 0, fail_over = 0, vanish = 0, exhaust = 0;
};

// One direction of a connection. What is on it when the connection breaks is gone.
class Link {
 public:
  using Delivery = std::function<void()>;
  Link(Prng chance, const Chances& chances) : chance_(chance), chances_(chances) {}

  void push(Delivery delivery) {
    if (chance_.chance(chances_.lose, 1000)) return;
    if (chance_.chance(chances_.repeat, 1000)) queue_.push_back(delivery);
    queue_.push_back(std::move(delivery));
  }
  void deliver_one() {
    if (queue_.empty()) return;
    const bool out_of_order = chance_.chance(chances_.reorder, 1000);
    const auto place = out_of_order ? static_cast<std::ptrdiff_t>(chance_.below(queue_.size())) : 0;
    const Delivery delivery = std::move(queue_[static_cast<std::size_t>(place)]);
    queue_.erase(queue_.begin() + place);
    delivery();
  }
  void cut() { queue_.clear(); }

 private:
  Prng chance_;
  const Chances& chances_;
  std::deque<Delivery> queue_;
};

struct Item {
  std::uint64_t seq;
  std::string key;
  std::string work;
};

// The brokers' replicated state, and the office that serves it. What is appended is durable at commit(); a
// fail-over keeps a prefix of the rest.
class Brokers {
 public:
  using Reply = std::function<void(Message)>;
  Brokers(Prng chance, const Chances& chances, Reply reply)
      : chance_(chance), chances_(chances), reply_(std::move(reply)) {}

  void on_submit(Monotonic now, const SessionId& session, std::uint64_t low_water, std::vector<Item> items) {
    const auto known = sessions_.find(session);
    if (known == sessions_.end() && low_water > 1) {
      Rejected rejected{session, {}};
      for (const Item& item : items) rejected.items.push_back({item.seq, Refusal::SessionExpired, "", 0ms});
      return reply_(rejected);
    }
    if (chance_.chance(chances_.exhaust, 1000)) {
      return reply_(Rejected{session, {{items[0].seq, Refusal::Exhausted, "no room", 100ms}}});
    }
    for (Item& item : items) {
      append([this, now, session, item = std::move(item)] { apply_submit(now, session, item); });
    }
  }
  void on_resume(const SessionId& session, std::uint64_t cursor) {
    const auto known = sessions_.find(session);
    if (known == sessions_.end()) return reply_(Refused{Refusal::SessionExpired, "session expired", 0ms});
    for (std::uint64_t rseq = cursor + 1; rseq <= known->second.results.size(); ++rseq) push(session, rseq);
  }
  void on_acknowledgement(const SessionId& session, std::uint64_t cursor) {
    const auto known = sessions_.find(session);
    EXPECT_TRUE(known == sessions_.end() || cursor <= known->second.results.size());
  }
  void on_wait(RequestId request, const std::vector<TaskId>& tasks) {
    for (const TaskId task : tasks) {
      if (forgotten_.contains(task.value))
        reply_(TaskInfos{request, {}, {task}, false});
      else if (this->task(task).final)
        reply_(TaskInfos{request, {info(task)}, {}, false});
      else
        waits_.emplace(task, request);
    }
  }

  void commit() {
    std::vector<std::function<void()>> records = std::move(appended_);
    appended_.clear();
    for (const auto& record : records) record();
  }
  void finish_one() {
    if (open_.empty()) return;
    const auto chosen = std::next(open_.begin(), static_cast<std::ptrdiff_t>(chance_.below(open_.size())));
    append([this, task = TaskId{*chosen}] { apply_finish(task); });
  }
  void fail_over() {
    appended_.resize(chance_.below(appended_.size() + 1));
    commit();
    waits_.clear();
  }
  // A session that was silent for its ttl; its results go with it, and maybe the finished tasks too.
  void forget_sessions(bool tasks_too) {
    for (const auto& [id, session] : sessions_) {
      if (!tasks_too) continue;
      for (const TaskId task : session.results) forgotten_.insert(task.value);
    }
    sessions_.clear();
  }

  [[nodiscard]] const std::string& work_of(TaskId task) { return this->task(task).work; }
  std::map<std::string, int> runs;  // how often a work was made a task: never twice

 private:
  struct Task {
    std::string work;
    SessionId session;
    std::uint64_t seq;
    bool final = false;
  };
  struct Session {
    std::map<std::uint64_t, TaskId> seqs;
    std::vector<TaskId> results;  // of rseq 1, 2, …
  };

  Task& task(TaskId id) { return tasks_.at(id.value - 1); }
  void append(std::function<void()> record) { appended_.push_back(std::move(record)); }

  void apply_submit(Monotonic, const SessionId& id, const Item& item) {
    Session& session = sessions_[id];
    TaskId& known = session.seqs[item.seq];
    bool duplicate = true;
    if (known == TaskId{} && !item.key.empty() && keys_.contains(item.key)) {
      known = keys_[item.key];
    } else if (known == TaskId{}) {
      tasks_.push_back({item.work, id, item.seq});
      known = TaskId{tasks_.size()};
      open_.insert(known.value);
      if (!item.key.empty()) keys_[item.key] = known;
      ++runs[item.work];
      duplicate = false;
    }
    reply_(Accepted{id, Durability::Disk, {{item.seq, known, duplicate}}});
  }
  void apply_finish(TaskId id) {
    if (task(id).final) return;
    task(id).final = true;
    open_.erase(id.value);
    const auto session = sessions_.find(task(id).session);
    if (session != sessions_.end()) {
      session->second.results.push_back(id);
      push(session->first, session->second.results.size());
    }
    const auto [first, last] = waits_.equal_range(id);
    for (auto wait = first; wait != last; ++wait) reply_(TaskInfos{wait->second, {info(id)}, {}, false});
    waits_.erase(first, last);
  }
  void push(const SessionId& session, std::uint64_t rseq) {
    const TaskId id = sessions_[session].results[rseq - 1];
    reply_(Results{session, {{rseq, task(id).seq, info(id)}}});
  }
  TaskInfo info(TaskId id) {
    TaskInfo info;
    info.task = id;
    info.state = TaskState::Completed;
    info.result = as_bytes(task(id).work);
    return info;
  }

  Prng chance_;
  const Chances& chances_;
  Reply reply_;
  std::deque<Task> tasks_;  // a deque: results point into it
  std::set<std::uint64_t> open_;
  std::set<std::uint64_t> forgotten_;
  std::map<SessionId, Session> sessions_;
  std::map<std::string, TaskId> keys_;
  std::vector<std::function<void()>> appended_;
  std::multimap<TaskId, RequestId> waits_;
};

// What one ticket was told, and whether that may be.
struct Told {
  std::string work;
  bool keyed = false;
  int accepted = 0, results = 0, unknown = 0, unknown_tasks = 0;
  TaskId task;
};

class World : public SessionOutput {
 public:
  World(std::uint64_t seed, Chances chances, bool keys)
      : chances_(chances),
        keys_(keys),
        chance_(seed),
        up_(chance_.fork(), chances_),
        down_(chance_.fork(), chances_),
        brokers_(chance_.fork(), chances_,
                 [this](Message message) {
                   down_.push([this, message = std::move(message)] { core_->on_message(now_, message); });
                 }),
        core_(std::make_unique<SessionCore>(new_session(), SessionSettings{}, *this)) {}

  void run(std::size_t submissions) {
    for (int step = 0; step < 1500; ++step) {
      if (told_.size() < submissions && chance_.chance(1, 3)) submit();
      disturb();
      turn();
    }
    chances_ = {};
    for (int step = 0; step < 20'000 && !core_->idle(); ++step) turn();
    check();
  }

  void send(const Message& message) override {
    ASSERT_TRUE(bound_);
    if (const auto* submit = std::get_if<Submit>(&message)) return push_up(*submit);
    up_.push([this, message] {
      if (const auto* resume = std::get_if<SessionResume>(&message))
        brokers_.on_resume(resume->session, resume->cursor);
      if (const auto* ack = std::get_if<ResultAck>(&message))
        brokers_.on_acknowledgement(ack->session, ack->cursor);
      if (const auto* query = std::get_if<TaskQuery>(&message))
        brokers_.on_wait(query->request, query->tasks);
    });
  }
  void accepted(Ticket ticket, TaskId task, bool) override {
    Told& told = told_.at(ticket.value - 1);
    ++told.accepted;
    told.task = task;
    EXPECT_EQ(told.unknown, 0);
    EXPECT_EQ(brokers_.work_of(task), told.work);
  }
  void rejected(Ticket ticket, Refusal, std::string_view, std::chrono::milliseconds) override {
    ADD_FAILURE() << "rejected " << ticket.value;
  }
  void result(Ticket ticket, const TaskInfo& info) override {
    Told& told = told_.at(ticket.value - 1);
    ++told.results;
    EXPECT_EQ(told.accepted, 1);
    EXPECT_EQ(info.task, told.task);
    EXPECT_EQ(as_text(info.result), told.work);
  }
  void unknown(Ticket ticket, TaskId task) override {
    Told& told = told_.at(ticket.value - 1);
    ++(task == TaskId{} ? told.unknown : told.unknown_tasks);
    EXPECT_FALSE(task == TaskId{} && told.keyed);
  }
  SessionId new_session() override {
    SessionId session;
    for (auto& byte : session.bytes) byte = static_cast<std::uint8_t>(chance_.below(256));
    return session;
  }

  std::size_t unknown_count = 0, unknown_task_count = 0, result_count = 0;

 private:
  void submit() {
    Told told;
    told.work = "work " + std::to_string(told_.size() + 1);
    told.keyed = keys_ && chance_.chance(1, 2);
    const std::string key = told.keyed ? "key of " + told.work : "";
    TaskOptions options;
    options.key = key;
    told_.push_back(told);
    EXPECT_EQ(core_->submit("echo", options, as_bytes(told.work)).value, told_.size());
  }
  void push_up(const Submit& submit) {
    std::vector<Item> items;
    for (const auto& item : submit.items)
      items.push_back({item.seq, std::string(item.options.key), std::string(as_text(item.work))});
    up_.push([this, session = submit.session, low_water = submit.low_water, items = std::move(items)] {
      brokers_.on_submit(now_, session, low_water, items);
    });
  }
  void disturb() {
    const bool vanish = chance_.chance(chances_.vanish, 1000);
    if (!vanish && !chance_.chance(chances_.fail_over, 1000)) return;
    brokers_.fail_over();
    up_.cut();
    down_.cut();
    if (bound_) core_->on_unbound(now_);
    bound_ = false;
    if (!vanish) return;
    now_ += std::chrono::minutes(chance_.between(46, 90));
    if (chance_.chance(2, 3)) brokers_.forget_sessions(chance_.chance(1, 2));
  }
  void turn() {
    now_ += std::chrono::milliseconds(chance_.below(200));
    if (!bound_ && chance_.chance(1, 4)) {
      core_->on_bound(now_, 8);
      bound_ = true;
    }
    if (bound_) {
      for (int i = 0; i < 4; ++i) up_.deliver_one();
      if (chance_.chance(1, 2)) brokers_.commit();
      if (chance_.chance(1, 2)) brokers_.finish_one();
      for (int i = 0; i < 4; ++i) down_.deliver_one();
    }
    core_->tick(now_);
  }
  void check() {
    EXPECT_TRUE(core_->idle());
    for (const auto& [work, runs] : brokers_.runs) EXPECT_EQ(runs, 1) << work;
    for (const Told& told : told_) {
      EXPECT_EQ(told.accepted + told.unknown, 1) << told.work;
      EXPECT_EQ(told.results + told.unknown_tasks, told.accepted) << told.work;
      result_count += static_cast<std::size_t>(told.results);
      unknown_count += static_cast<std::size_t>(told.unknown);
      unknown_task_count += static_cast<std::size_t>(told.unknown_tasks);
    }
  }

  Chances chances_;
  const bool keys_;
  Prng chance_;
  Monotonic now_{10h};
  bool bound_ = false;
  std::vector<Told> told_;
  Link up_;
  Link down_;
  Brokers brokers_;
  std::unique_ptr<SessionCore> core_;
};

TEST(SessionWorld, EveryAcceptedTaskIsCalledBackOnceOverLossRepeatsDisorderAndFailover) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, {.lose = 100, .repeat = 100, .reorder = 300, .fail_over = 10, .exhaust = 50}, true);
    world.run(100);
    EXPECT_EQ(world.result_count, 100u);
    EXPECT_EQ(world.unknown_count, 0u);
    if (HasFailure()) return;
  }
}

TEST(SessionWorld, WhenSessionsExpireNothingRunsTwiceAndWhatCannotBeKnownIsSaidOnce) {
  std::size_t unknown = 0;
  std::size_t unknown_tasks = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    World world(
        seed, {.lose = 200, .repeat = 50, .reorder = 100, .fail_over = 5, .vanish = 30, .exhaust = 20}, true);
    world.run(100);
    unknown += world.unknown_count;
    unknown_tasks += world.unknown_task_count;
    if (HasFailure()) return;
  }
  EXPECT_GT(unknown, 0u);  // or the test would not have seen what it is about
  EXPECT_GT(unknown_tasks, 0u);
}

}  // namespace
}  // namespace cidbus
