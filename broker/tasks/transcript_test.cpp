#include "broker/tasks/transcript.h"

#include <gtest/gtest.h>

namespace cidbus::testing_tasks {
namespace {

using std::chrono::milliseconds;

SessionId session_of(const std::string& name) {
  SessionId id;
  std::copy(name.begin(), name.end(), id.bytes.begin());
  return id;
}
std::string name_of_session(const SessionId& id) {
  return std::string(reinterpret_cast<const char*>(id.bytes.data()));
}

std::string text_of(const AttemptId& attempt) {
  return to_text(attempt.task) + "." + std::to_string(attempt.attempt) + "@" +
         std::to_string(attempt.epoch.value);
}
// t3.1 or t3.1@2; without an epoch it is the first leader's.
AttemptId attempt_of(const std::string& text) {
  AttemptId attempt;
  const auto dot = text.find('.');
  const auto at = text.find('@');
  attempt.task = parse_task_id(text.substr(0, dot)).value();
  attempt.attempt = static_cast<std::uint32_t>(std::stoul(text.substr(dot + 1)));
  attempt.epoch.value = at == std::string::npos ? 1 : std::stoull(text.substr(at + 1));
  return attempt;
}
template <typename List>
std::string join(const List& attempts) {
  std::string text;
  for (const AttemptId& attempt : attempts) text += " " + text_of(attempt);
  return text;
}
std::string text_of(const TaskInfo& info) {
  std::string text = to_text(info.task) + " " + std::string(to_text(info.state));
  if (info.attempts > 0)
    text += " attempt " + std::to_string(info.attempts) + " on " + std::string(info.worker);
  if (!info.result.empty()) text += " \"" + std::string(as_text(info.result)) + "\"";
  if (!info.error.empty()) text += " error \"" + std::string(info.error) + "\"";
  return text;
}
template <typename Record>
Record read(ByteView payload) {
  Record record;
  EXPECT_TRUE(decode(payload, record));
  return record;
}

std::string text_of(RecordType type, ByteView payload) {
  std::string text(to_text(type));
  switch (type) {
    case RecordType::Open:
      return text + " epoch " + std::to_string(read<OpenRecord>(payload).epoch.value);
    case RecordType::Handover:
      return text + " to " + std::string(read<HandoverRecord>(payload).successor);
    case RecordType::Node: {
      const auto record = read<NodeRecord>(payload);
      text += " " + std::to_string(record.number) + " " + std::string(record.name);
      for (const std::string_view name : record.types) {
        const auto& strict = record.strict_types;
        const bool is_strict = std::find(strict.begin(), strict.end(), name) != strict.end();
        text += " " + std::string(name) + (is_strict ? "!" : "");
      }
      return text;
    }
    case RecordType::SessionOpen:
    case RecordType::SessionRenew:
    case RecordType::SessionClose:
      return text + " " + name_of_session(read<SessionRecord>(payload).session);
    case RecordType::Submit: {
      const auto record = read<SubmitRecord>(payload);
      return text + " " + name_of_session(record.session) + " " + std::to_string(record.seq);
    }
    case RecordType::Lease: {
      const auto record = read<LeaseRecord>(payload);
      return text + " " + to_text(record.task) + "." + std::to_string(record.attempt) + " to " +
             std::to_string(record.node);
    }
    case RecordType::Requeue: {
      const auto record = read<RequeueRecord>(payload);
      return text + " " + to_text(record.task) + "." + std::to_string(record.attempt) + " " +
             std::string(to_text(record.reason)) + (record.costs_try ? ", costs a try" : "") +
             (record.delay.count() > 0 ? ", waits" : "");
    }
    case RecordType::Result: {
      const auto record = read<ResultRecord>(payload);
      return text + " " + to_text(record.task) + "." + std::to_string(record.attempt) + " " +
             std::string(to_text(record.outcome));
    }
    case RecordType::Cancel:
    case RecordType::Expire:
      return text + " " + to_text(read<TaskRecord>(payload).task);
    case RecordType::ResultAck: {
      const auto record = read<ResultAckRecord>(payload);
      return text + " " + name_of_session(record.session) + " " + std::to_string(record.cursor);
    }
    case RecordType::Name: {
      const auto record = read<NameRecord>(payload);
      return text + " " + std::string(record.name) + (record.cid.empty() ? " off" : "");
    }
    case RecordType::Propose:
    case RecordType::Vote:
    case RecordType::Decide:
      return text;  // config_service_test.cpp
  }
  return text;
}

std::string text_of_infos(const TaskInfos& infos) {
  std::string text = std::to_string(infos.request.value) + ":";
  for (const TaskInfo& info : infos.tasks) text += " [" + text_of(info) + "]";
  for (const TaskId task : infos.unknown) text += " unknown " + to_text(task);
  return text + (infos.more ? " and more" : "");
}

std::string text_of(const Message& message) {
  std::string text(name_of(message));
  if (const auto* accepted = std::get_if<Accepted>(&message)) {
    text += " " + name_of_session(accepted->session);
    for (const AcceptedItem& item : accepted->items) {
      text += " " + std::to_string(item.seq) + "=" + to_text(item.task) + (item.duplicate ? " again" : "");
    }
  } else if (const auto* rejected = std::get_if<Rejected>(&message)) {
    text += " " + name_of_session(rejected->session);
    for (const RejectedItem& item : rejected->items) {
      text += " " + std::to_string(item.seq) + " " + std::string(to_text(item.why)) + ": " +
              std::string(item.reason);
      if (item.retry_after.count() > 0)
        text += " (retry after " + std::to_string(item.retry_after.count()) + " ms)";
    }
  } else if (const auto* results = std::get_if<Results>(&message)) {
    text += " " + name_of_session(results->session);
    for (const ResultItem& item : results->items) {
      text += " #" + std::to_string(item.rseq) + " of " + std::to_string(item.seq) + " [" +
              text_of(item.info) + "]";
    }
  } else if (const auto* dispatch = std::get_if<Dispatch>(&message)) {
    for (const DispatchItem& item : dispatch->items) {
      text += " " + text_of(item.attempt) + " " + std::string(item.type);
      if (item.time_limit.count() > 0) text += " in " + std::to_string(item.time_limit.count()) + " ms";
      if (item.strict) text += " strict";
    }
  } else if (const auto* ack = std::get_if<CompleteAck>(&message)) {
    text += join(ack->attempts);
  } else if (const auto* revoke = std::get_if<Revoke>(&message)) {
    text += join(revoke->attempts);
  } else if (const auto* renewed = std::get_if<Renewed>(&message)) {
    text += join(renewed->attempts);
    if (!renewed->lost.empty()) text += " lost" + join(renewed->lost);
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    text += " " + std::string(to_text(refused->why)) + ": " + std::string(refused->reason);
  } else if (const auto* answers = std::get_if<CancelAnswers>(&message)) {
    static constexpr std::string_view names[] = {"cancelled", "already final", "unknown"};
    text += " " + std::to_string(answers->request.value) + ":";
    for (const auto& [task, answer] : answers->answers) {
      text += " " + to_text(task) + " " + std::string(names[static_cast<std::size_t>(answer)]);
    }
  } else if (const auto* infos = std::get_if<TaskInfos>(&message)) {
    text += " " + text_of_infos(*infos);
  }
  return text;
}

std::string rest_of(std::istringstream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

void set_option(SubmitItem& item, const std::string& name, const std::string& value) {
  const auto number = [&] { return std::stol(value); };
  if (name == "prio") item.options.priority = static_cast<std::uint8_t>(number());
  if (name == "tries") item.options.tries = static_cast<std::uint8_t>(number());
  if (name == "delay") item.options.delay = milliseconds(number());
  if (name == "deadline") item.options.deadline = milliseconds(number());
  if (name == "limit") item.options.time_limit = milliseconds(number());
  if (name == "backoff") item.options.backoff = milliseconds(number());
}

}  // namespace

Transcript::Transcript(const ServiceLimits& service_limits, const StateLimits& state_limits)
    : state(state_limits), service_limits_(service_limits) {
  take_office();
  effects_.clear();
}

void Transcript::take_office() {
  open_.clear();
  peers_.clear();
  OpenRecord record{Epoch{++epoch_}, "b1", "127.0.0.1:9096"};
  Bytes payload;
  encode(record, payload);
  Changes changes;
  state.apply(LogIndex{++applied_}, now.wall, RecordType::Open, payload, changes);
  service = std::make_unique<TaskService>(static_cast<Output&>(*this), metrics, service_limits_, Prng(1));
  service->take_office(now, record.epoch, state);
}

LogIndex Transcript::propose(RecordType type, ByteView payload, Urgency urgency) {
  say(text_of(type, payload) + (urgency == Urgency::Lazy ? " (lazy)" : ""));
  open_.push_back({type, to_bytes(payload), now.wall});
  return LogIndex{applied_ + open_.size()};
}

void Transcript::send(Peer peer, const Message& message) {
  std::string name = "nobody";
  for (const auto& [known, number] : peers_) {
    if (number == static_cast<std::uint32_t>(peer)) name = known;
  }
  say("to " + name + ": " + text_of(message));
}

void Transcript::event(const TaskEvent& event) {
  say("feed: " + to_text(event.task) + " " + std::string(to_text(event.state)) +
      (event.worker.empty() ? "" : " on " + std::string(event.worker)));
}

// Long effects go on in lines of their own, further in.
void Transcript::say(std::string effect) {
  std::string indent = "    ";
  for (std::size_t end; effect.size() > 100 && (end = effect.rfind(' ', 100)) != std::string::npos;) {
    effects_ += indent + effect.substr(0, end) + "\n";
    effect.erase(0, end + 1);
    indent = "        ";
  }
  effects_ += indent + effect + "\n";
}

Peer Transcript::peer_of(const std::string& name) {
  std::uint32_t& number = peers_[name];
  if (number == 0) number = ++last_peer_;
  return Peer{number};
}

void Transcript::commit(std::size_t count) {
  Changes changes;
  for (; count > 0 && !open_.empty(); --count) {
    const Written& written = open_.front();
    state.apply(LogIndex{++applied_}, written.time, written.type, written.payload, changes);
    open_.pop_front();
  }
  service->on_applied(now, changes);
}

std::string Transcript::event(const std::string& line) {
  effects_.clear();
  std::istringstream words(line);
  std::string who;
  words >> who;
  dispatch(words, who);
  next = service->end_turn(now);
  if (open_.empty()) state.check_invariants();
  service->check_invariants();
  return effects_;
}

std::string Transcript::play(std::string_view scene) {
  std::istringstream lines{std::string(scene)};
  std::string played;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') {
      played += line + "\n";
    } else if (line[0] != ' ') {
      played += line + "\n" + event(line);
    }
  }
  return played;
}

void Transcript::dispatch(std::istringstream& words, const std::string& who) {
  if (who == "commit") {
    std::size_t count = SIZE_MAX;
    if (!(words >> count)) count = SIZE_MAX;
    return commit(count);
  }
  if (who == "wait") {
    std::int64_t wait = 0;
    words >> wait;
    now.monotonic += milliseconds(wait);
    now.wall.milliseconds += wait;
    service->tick(now);
    return;
  }
  if (who == "office") return take_office();
  if (who == "full" || who == "room") return service->admit(who == "room", rest_of(words));
  if (who == "watch") return service->watch(true);
  std::string verb;
  words >> verb;
  if (who == "lost") return service->on_worker_lost(now, verb);
  if (verb == "gone") {
    service->on_peer_gone(now, peer_of(who));
    peers_.erase(who);
    return;
  }
  who[0] == 'w' ? worker_event(words, who, verb) : client_event(words, who, verb);
}

void Transcript::worker_event(std::istringstream& words, const std::string& who, const std::string& verb) {
  if (verb == "hello") {
    peers_.erase(who);  // a new connection
    std::string types;
    std::string running;
    words >> types >> running;
    Hello hello;
    hello.role = Role::Worker;
    std::istringstream type_list(types);
    std::deque<std::string> names;
    for (std::string type; std::getline(type_list, type, ',');) {
      const bool is_strict = type.ends_with('!');
      if (is_strict) type.pop_back();
      hello.task_types.push_back(names.emplace_back(type));
      if (is_strict) hello.strict_types.push_back(names.back());
    }
    std::istringstream running_list(running.empty() ? "" : running.substr(running.find('=') + 1));
    for (std::string attempt; std::getline(running_list, attempt, ',');) {
      hello.running.push_back(attempt_of(attempt));
    }
    return service->on_hello(now, peer_of(who), who, Role::Worker, hello);
  }
  const Peer peer = peer_of(who);
  if (verb == "complete") return complete(words, peer);
  if (verb == "credit") {
    Credit credit;
    words >> credit.tasks;
    service->on_message(now, peer, credit);
  } else if (verb == "renew") {
    Renew renew;
    for (std::string attempt; words >> attempt;) renew.attempts.push_back(attempt_of(attempt));
    service->on_message(now, peer, renew);
  } else if (verb == "progress") {
    service->on_message(now, peer, Progress{attempt_of(rest_of(words)), 500, {}});
  } else {
    ADD_FAILURE() << "a worker cannot " << verb;
  }
}

void Transcript::complete(std::istringstream& words, Peer peer) {
  static const std::map<std::string, Outcome> outcomes{
      {"ok", Outcome::Completed},     {"failed", Outcome::Failed},       {"retry", Outcome::Retry},
      {"timeout", Outcome::TimedOut}, {"cancelled", Outcome::Cancelled}, {"back", Outcome::HandedBack}};
  std::string attempt;
  std::string outcome;
  words >> attempt >> outcome;
  const std::string text = rest_of(words);
  CompleteItem item;
  item.attempt = attempt_of(attempt);
  item.outcome = outcomes.at(outcome);
  (item.outcome == Outcome::Completed ? void(item.result = as_bytes(text)) : void(item.error = text));
  service->on_message(now, peer, Complete{{item}});
}

void Transcript::submit(std::istringstream& words, Peer peer) {
  std::string session;
  std::string low;
  words >> session >> low;
  Submit message{session_of(session), std::stoull(low.substr(4)), {}};
  std::deque<std::string> texts;
  for (std::string word; words >> word;) {
    SubmitItem item;
    item.seq = std::stoull(word);
    item.work = as_bytes("some work");
    std::istringstream parts(word.substr(word.find(':') + 1));
    std::string part;
    std::getline(parts, part, ',');
    item.type = texts.emplace_back(part);
    while (std::getline(parts, part, ',')) {
      const auto equals = part.find('=');
      const std::string& value = texts.emplace_back(part.substr(equals + 1));
      if (part.starts_with("key=")) {
        item.options.key = value;
      } else if (part.starts_with("work=")) {
        item.work = as_bytes(value);
      } else {
        set_option(item, part.substr(0, equals), value);
      }
    }
    message.items.push_back(item);
  }
  service->on_message(now, peer, message);
}

void Transcript::list(std::istringstream& words, Peer peer) {
  TaskList message;
  std::deque<std::string> texts;
  words >> message.request.value;
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    const std::string& value = texts.emplace_back(word.substr(equals + 1));
    if (word.starts_with("state=")) message.state = parse_task_state(value);
    if (word.starts_with("type=")) message.type = value;
    if (word.starts_with("before=")) message.before = parse_task_id(value).value();
    if (word.starts_with("limit=")) message.limit = static_cast<std::uint32_t>(std::stoul(value));
  }
  service->on_message(now, peer, message);
}

void Transcript::client_event(std::istringstream& words, const std::string& who, const std::string& verb) {
  const Peer peer = peer_of(who);
  if (verb == "submit") return submit(words, peer);
  if (verb == "list") return list(words, peer);
  if (verb == "resume" || verb == "ack" || verb == "close") {
    std::string session;
    std::uint64_t cursor = 0;
    words >> session >> cursor;
    const SessionId id = session_of(session);
    if (verb == "resume") service->on_message(now, peer, SessionResume{id, cursor});
    if (verb == "ack") service->on_message(now, peer, ResultAck{id, cursor});
    if (verb == "close") service->on_message(now, peer, SessionClose{id});
    return;
  }
  RequestId request;
  std::vector<TaskId> tasks;
  words >> request.value;
  for (std::string task; words >> task;) tasks.push_back(parse_task_id(task).value());
  if (verb == "cancel") service->on_message(now, peer, Cancel{request, tasks});
  if (verb == "show") service->on_message(now, peer, TaskQuery{request, TaskQuery::Kind::Show, tasks});
  if (verb == "wait") service->on_message(now, peer, TaskQuery{request, TaskQuery::Kind::Wait, tasks});
}

}  // namespace cidbus::testing_tasks
