#include "client/testing/fake_broker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shared/wire/work.h"

namespace cidbus {

using namespace std::chrono_literals;

FakeBroker::FakeBroker(SocketContext& context, std::string exchange)
    : exchange_(std::move(exchange)), router_(context, SocketKind::Router) {
  const Status bound = router_.bind("127.0.0.1:*");
  EXPECT_TRUE(bound) << bound.error().message;
  address_ = router_.bound_address();
  reactor_.watch(router_, [this](Now) { read(); });
  thread_ = std::thread([this] { reactor_.run(); });
}

FakeBroker::~FakeBroker() {
  reactor_.stop();
  thread_.join();
}

void FakeBroker::on(const Hello&) { answer(Welcome{"b1", 1s, 5s, 30s, credit}); }
void FakeBroker::on(const Ping&) { answer(Pong{}); }
void FakeBroker::on(const SessionClose&) { ++closed; }

void FakeBroker::read() {
  for (int count = 0; count < 100 && router_.receive(frames_); ++count) {
    const auto envelope = decoder_.decode(frames_[1]);
    ASSERT_TRUE(envelope);
    if (amnesia.exchange(false)) {
      sessions_.clear();
      answer(Refused{Refusal::NotKnown, "say hello again", {}});
    } else if (foreign) {
      answer(Refused{Refusal::WrongCluster, "this is cluster 'other'", {}});
    } else if (!deaf) {
      std::visit([this](const auto& body) { on(body); }, envelope->message);
    }
  }
}

void FakeBroker::answer(const Message& message) {
  const Header header{protocol_version, cluster_id(foreign ? "other" : "cidbus"), {1}, "b1", {1}};
  router_.send({frames_[0], encoder_.encode(header, message)});  // who is gone is told nothing
}

void FakeBroker::refuse_expired(const Submit& submit) {
  Rejected rejected{submit.session, {}};
  for (const SubmitItem& item : submit.items)
    rejected.items.push_back({item.seq, Refusal::SessionExpired, "session expired", {}});
  answer(rejected);
}

void FakeBroker::on(const Submit& submit) {
  if (submit.low_water > 1 && !sessions_.contains(submit.session)) return refuse_expired(submit);
  Session& session = sessions_[submit.session];
  Accepted accepted{submit.session, Durability::Disk, {}};
  Rejected rejected{submit.session, {}};
  std::vector<TaskId> fresh;
  for (const SubmitItem& item : submit.items) {
    ++submissions;
    const bool full =
        item.type == "full" && (refused_.insert(std::string(as_text(item.work))).second || always_full);
    const auto known = session.seqs.find(item.seq);
    const auto key = keys_.find(std::string(item.options.key));
    if (full) {
      rejected.items.push_back({item.seq, Refusal::Exhausted, "the queue is full", {}});
    } else if (item.type == "wrong") {
      rejected.items.push_back({item.seq, Refusal::NotKnown, "no worker has offered 'wrong'", {}});
    } else if (known != session.seqs.end()) {
      accepted.items.push_back({item.seq, known->second, true});
    } else if (key != keys_.end()) {
      accepted.items.push_back({item.seq, session.seqs[item.seq] = key->second, true});
    } else {
      fresh.push_back(session.seqs[item.seq] = make_task(item));
      accepted.items.push_back({item.seq, fresh.back(), false});
    }
  }
  if (!accepted.items.empty()) answer(accepted);
  if (!rejected.items.empty()) answer(rejected);
  push_results(submit.session, fresh);
}

void FakeBroker::push_results(const SessionId& id, const std::vector<TaskId>& fresh) {
  Session& session = sessions_[id];
  Results results{id, {}};
  for (const TaskId task : fresh) {
    if (!is_final(this->task(task).state)) continue;
    session.results.push_back(task);
    results.items.push_back({session.results.size(), this->task(task).seq, info(task)});
    results.items.back().info.work = {};  // the client knows what it asked for
  }
  if (!results.items.empty()) answer(results);
}

void FakeBroker::on(const SessionResume& resume) {
  const auto known = sessions_.find(resume.session);
  if (known == sessions_.end()) return answer(Refused{Refusal::SessionExpired, "session expired", {}});
  Results results{resume.session, {}};
  for (std::uint64_t rseq = resume.cursor + 1; rseq <= known->second.results.size(); ++rseq) {
    const TaskId task = known->second.results[rseq - 1];
    results.items.push_back({rseq, this->task(task).seq, info(task)});
  }
  answer(results);
}

void FakeBroker::on(const TaskQuery& query) {
  TaskInfos infos{query.request, {}, {}, false};
  for (const TaskId task : query.tasks) {
    const bool known = task.value > 0 && task.value <= tasks_.size();
    if (!known)
      infos.unknown.push_back(task);
    else if (query.kind == TaskQuery::Kind::Show || is_final(this->task(task).state))
      infos.tasks.push_back(info(task));
  }
  if (!infos.tasks.empty() || !infos.unknown.empty()) answer(infos);
}

void FakeBroker::on(const TaskList& list) {
  TaskInfos infos{list.request, {}, {}, false};
  std::uint64_t id = list.before == TaskId{} ? tasks_.size() : list.before.value - 1;
  for (; id > 0; --id) {
    const Task& found = task({id});
    if ((list.state && found.state != *list.state) || (!list.type.empty() && found.type != list.type))
      continue;
    if (infos.tasks.size() == list.limit) {
      infos.more = true;
      break;
    }
    infos.tasks.push_back(info({id}));
  }
  answer(infos);
}

void FakeBroker::on(const Cancel& cancel) {
  CancelAnswers answers{cancel.request, {}};
  for (const TaskId id : cancel.tasks) {
    if (id.value == 0 || id.value > tasks_.size()) {
      answers.answers.emplace_back(id, CancelAnswer::Unknown);
    } else if (is_final(task(id).state)) {
      answers.answers.emplace_back(id, CancelAnswer::AlreadyFinal);
    } else {
      task(id).state = TaskState::Cancelled;
      answers.answers.emplace_back(id, CancelAnswer::Cancelled);
    }
  }
  answer(answers);
}

void FakeBroker::on(const SnapshotRequest& request) {
  Snapshot snapshot;
  snapshot.request = request.request;
  snapshot.cluster = "cidbus";
  snapshot.leader = "b1";
  snapshot.applied = {7};
  snapshot.brokers = {{"b1", "127.0.0.1:9096", true, {1}, {7}, {7}, {7}, {7}}};
  snapshot.members = {
      {"w1",
       Role::Worker,
       MemberState::Alive,
       {3},
       "127.0.0.1:10000",
       {4, 1, 20, 3 << 20, 5ULL << 30, 64 << 20},
       {1'700'000'000'000},
       {1'700'000'001'000}},
      {"g1", Role::Gateway, MemberState::Dead, {4}, "", {}, {1'700'000'000'000}, {1'700'000'000'500}}};
  snapshot.tasks_by_state = {2, 0, 1, 40, 3, 0, 0};
  snapshot.blocks_indexed = 20;
  answer(snapshot);
}

void FakeBroker::on(const Place& place) {
  Placement placement{place.request, {}, exchange_.empty() ? 0U : 1U};
  const bool excluded = std::find(place.exclude.begin(), place.exclude.end(), "w1") != place.exclude.end();
  if (!exchange_.empty() && !excluded) placement.nodes.push_back({"w1", exchange_});
  answer(placement);
}
void FakeBroker::on(const Find& find) {
  Providers providers{find.request, {}, {}};
  if (!exchange_.empty()) providers.nodes.push_back({"w1", exchange_});
  for (const BlockKey& block : find.blocks) {
    providers.blocks.push_back({block, {}});
    if (!exchange_.empty()) providers.blocks.back().holders.push_back(0);
  }
  answer(providers);
}

TaskId FakeBroker::make_task(const SubmitItem& item) {
  Task made{std::string(item.type), std::string(item.options.key), "", to_bytes(item.work), {}, {}, item.seq};
  if (made.type == "echo" || made.type == "full") {
    const auto work = decode_work(item.work);
    EXPECT_TRUE(work);
    TaskResult result;
    for (const ByteView input : (*work)->inputs) result.cids.push_back(input);
    result.values = (*work)->parameters;
    made.result = encode_result(result);
    made.state = TaskState::Completed;
  } else if (made.type == "fail") {
    made.state = TaskState::Failed;
    made.error = "no such pixel";
  }
  tasks_.push_back(std::move(made));
  const TaskId id{tasks_.size()};
  if (!item.options.key.empty()) keys_[std::string(item.options.key)] = id;
  ++tasks;
  return id;
}

TaskInfo FakeBroker::info(TaskId id) {
  const Task& known = task(id);
  TaskInfo info;
  info.task = id;
  info.type = known.type;
  info.state = known.state;
  info.work = known.work;
  info.result = known.result;
  info.error = known.error;
  info.key = known.key;
  info.submitted_at = {1'700'000'000'000};
  if (!is_final(known.state)) return info;
  info.attempts = 1;
  info.worker = "w1";
  info.started_at = {1'700'000'000'010};
  info.finished_at = {1'700'000'000'042};
  return info;
}

}  // namespace cidbus
