#include <cmath>

#include "shared/base/limits/metrics.h"
#include "shared/wire/values.h"

namespace cidbus::wire {
namespace {

void put_event(schema::Feed::Event::Builder out, const HeartbeatEvent& event) {
  auto heartbeat = out.initHeartbeat();
  heartbeat.setName(text_of(event.name));
  heartbeat.setRole(static_cast<schema::Role>(event.role));
  heartbeat.setIncarnation(event.incarnation.value);
  put(heartbeat.initLoad(), event.load);
}
void put_event(schema::Feed::Event::Builder out, const LeaderEvent& event) {
  auto leader = out.initLeader();
  leader.setLeader(text_of(event.leader));
  leader.setEndpoint(text_of(event.endpoint));
  leader.setEpoch(event.epoch.value);
}
void put_event(schema::Feed::Event::Builder out, const MemberEvent& event) {
  put(out.initMember(), event.member);
}
void put_event(schema::Feed::Event::Builder out, const TaskEvent& event) {
  auto task = out.initTask();
  task.setTask(event.task.value);
  task.setType(text_of(event.type));
  task.setState(static_cast<schema::TaskState>(event.state));
  if (!event.worker.empty()) task.setWorker(text_of(event.worker));
  task.setAttempts(event.attempts);
}
void put_event(schema::Feed::Event::Builder out, const SkippedEvent& event) { out.setSkipped(event.count); }
void put_event(schema::Feed::Event::Builder out, const CountersEvent& event) {
  auto counters = out.initCounters();
  auto states = counters.initTasksByState(static_cast<unsigned>(event.tasks_by_state.size()));
  for (unsigned place = 0; place < states.size(); ++place) states.set(place, event.tasks_by_state[place]);
  counters.setAccepted(event.accepted);
  counters.setFinished(event.finished);
  counters.setRequeued(event.requeued);
  counters.setStaleResults(event.stale_results);
  counters.setRefusedMessages(event.refused_messages);
}

void put_event(schema::Feed::Event::Builder out, const ElectionEvent& event) {
  auto election = out.initElection();
  election.setWord(static_cast<schema::ElectionWord>(event.word));
  if (!event.to.empty()) election.setTo(text_of(event.to));
  election.setEpoch(event.epoch.value);
  election.setLast(event.last.value);
  election.setLastEpoch(event.last_epoch.value);
  election.setPriority(event.priority);
}

void put_event(schema::Feed::Event::Builder out, const ProposalEvent& event) {
  put(out.initProposal(), event.proposal);
}

void put_event(schema::Feed::Event::Builder out, const MetricsEvent& event) {
  auto metrics = out.initMetrics();
  metrics.setRole(static_cast<schema::Role>(event.role));
  auto samples = metrics.initSamples(static_cast<unsigned>(event.samples.size()));
  for (unsigned place = 0; place < samples.size(); ++place) {
    const MetricSample& sample = event.samples[place];
    samples[place].setMetric(sample.metric);
    if (!sample.labels[0].empty()) samples[place].setLabel(text_of(sample.labels[0]));
    if (!sample.labels[1].empty()) samples[place].setSecond(text_of(sample.labels[1]));
    samples[place].setValue(sample.value);
    if (sample.buckets.empty()) continue;
    samples[place].setBuckets(kj::arrayPtr(sample.buckets.data(), sample.buckets.size()));
  }
}

FeedEvent get_metrics(schema::Feed::Metrics::Reader in, Checks& checks) {
  MetricsEvent event;
  event.role = checks.pick(in.getRole(), Role::Client, "an unknown role");
  const auto samples = in.getSamples();
  const unsigned count = checks.count(samples, "more than 4096 metrics", limits::samples_a_message);
  event.samples.reserve(count);
  for (unsigned place = 0; place < count; ++place) {
    const auto sample = samples[place];
    MetricSample& got = event.samples.emplace_back();
    got.metric = sample.getMetric();
    got.labels[0] = checks.text(sample.getLabel(), limits::label_length, "a label over 64 bytes");
    got.labels[1] = checks.text(sample.getSecond(), limits::label_length, "a label over 64 bytes");
    got.value = sample.getValue();
    checks.require(std::isfinite(got.value), "a metric that is no number");
    const auto buckets = sample.getBuckets();
    const unsigned filled = checks.count(buckets, "a histogram of too many buckets", limits::metric_buckets);
    for (unsigned bucket = 0; bucket < filled; ++bucket) got.buckets.push_back(buckets[bucket]);
  }
  return event;
}

FeedEvent get_task(schema::Feed::Task::Reader in, Checks& checks) {
  return TaskEvent{TaskId{in.getTask()}, checks.name(in.getType(), "a task type that is not a name"),
                   checks.pick(in.getState(), TaskState::Timeout, "an unknown task state"),
                   checks.name(in.getWorker(), "a worker that is not a name"), in.getAttempts()};
}
FeedEvent get_counters(schema::Feed::Counters::Reader in, Checks& checks) {
  CountersEvent event;
  const auto states = in.getTasksByState();
  const unsigned count = checks.count(states, "more task states than there are", task_state_count);
  for (unsigned place = 0; place < count; ++place) event.tasks_by_state.push_back(states[place]);
  event.accepted = in.getAccepted();
  event.finished = in.getFinished();
  event.requeued = in.getRequeued();
  event.stale_results = in.getStaleResults();
  event.refused_messages = in.getRefusedMessages();
  return event;
}
FeedEvent get_heartbeat(schema::Feed::Heartbeat::Reader in, Checks& checks) {
  return HeartbeatEvent{checks.name(in.getName(), "a node's name that is not a name"),
                        checks.pick(in.getRole(), Role::Client, "an unknown role"),
                        Incarnation{in.getIncarnation()}, get(in.getLoad())};
}
FeedEvent get_leader(schema::Feed::Leader::Reader in, Checks& checks) {
  return LeaderEvent{checks.name(in.getLeader(), "a leader that is not a name"),
                     checks.endpoint(in.getEndpoint()), Epoch{in.getEpoch()}};
}
FeedEvent get_election(schema::Feed::Election::Reader in, Checks& checks) {
  return ElectionEvent{checks.pick(in.getWord(), ElectionWord::Resign, "an unknown word of an election"),
                       checks.name(in.getTo(), "a broker that is not a name"),
                       Epoch{in.getEpoch()},
                       LogIndex{in.getLast()},
                       Epoch{in.getLastEpoch()},
                       in.getPriority()};
}

FeedEvent get_event(schema::Feed::Event::Reader in, Checks& checks) {
  switch (in.which()) {
    case schema::Feed::Event::HEARTBEAT:
      return get_heartbeat(in.getHeartbeat(), checks);
    case schema::Feed::Event::LEADER:
      return get_leader(in.getLeader(), checks);
    case schema::Feed::Event::MEMBER:
      return MemberEvent{get(in.getMember(), checks)};
    case schema::Feed::Event::TASK:
      return get_task(in.getTask(), checks);
    case schema::Feed::Event::SKIPPED:
      return SkippedEvent{in.getSkipped()};
    case schema::Feed::Event::COUNTERS:
      return get_counters(in.getCounters(), checks);
    case schema::Feed::Event::ELECTION:
      return get_election(in.getElection(), checks);
    case schema::Feed::Event::PROPOSAL:
      return ProposalEvent{get(in.getProposal(), checks)};
    case schema::Feed::Event::METRICS:
      return get_metrics(in.getMetrics(), checks);
  }
  checks.require(false, "an unknown feed event");
  return SkippedEvent{};
}

}  // namespace

void put(schema::Feed::Builder out, const Feed& feed) {
  out.setTopic(static_cast<schema::FeedTopic>(feed.topic));
  out.setNumber(feed.number);
  out.setApplied(feed.applied.value);
  out.setTime(feed.time.milliseconds);
  auto events = out.initEvents(static_cast<unsigned>(feed.events.size()));
  for (unsigned place = 0; place < events.size(); ++place) {
    std::visit([&](const auto& event) { put_event(events[place], event); }, feed.events[place]);
  }
}

Feed get(schema::Feed::Reader in, Checks& checks) {
  Feed feed;
  feed.topic = checks.pick(in.getTopic(), FeedTopic::Metrics, "an unknown feed topic");
  feed.number = in.getNumber();
  feed.applied = {in.getApplied()};
  feed.time = {in.getTime()};
  const auto events = in.getEvents();
  const unsigned count = checks.count(events, "more than 4096 feed events");
  feed.events.reserve(count);
  for (unsigned place = 0; place < count; ++place) feed.events.push_back(get_event(events[place], checks));
  return feed;
}

}  // namespace cidbus::wire
