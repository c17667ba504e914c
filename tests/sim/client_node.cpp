#include "tests/sim/client_node.h"

#include "shared/base/ensure.h"

namespace cidbus::sim {
namespace {

using namespace std::chrono_literals;

SessionId session_from(Prng& prng) {
  SessionId session;
  for (auto& byte : session.bytes) byte = static_cast<std::uint8_t>(prng());
  return session;
}

}  // namespace

ClientNode::ClientNode(const NodeGround& ground, NodeIdentity identity, Prng given, std::uint32_t submissions)
    : Node(ground, std::move(identity), given),
      core_(session_from(prng()), SessionSettings{}, *this),
      left_(submissions) {
  after(Duration(prng().below(50'000'000)), [this] { submit_some(); });
}

Hello ClientNode::make_hello() {
  Hello hello;
  hello.role = Role::Client;
  return hello;
}

void ClientNode::on_message(const Message& message) {
  if (const auto* answers = std::get_if<CancelAnswers>(&message)) return on_cancel_answers(*answers);
  if (const auto* results = std::get_if<Results>(&message)) order_.on_told(*results);
  core_.on_message(now().monotonic, message);
  order_.on_handled();
}

void ClientNode::on_cancel_answers(const CancelAnswers& answers) {
  for (const auto& [task, answer] : answers.answers) {
    ENSURE(answer != CancelAnswer::Unknown, "an accepted task is unknown", to_text(task));
    if (answer == CancelAnswer::Cancelled) cancelled_.insert(task);
  }
}

std::optional<Monotonic> ClientNode::turn() {
  const Monotonic next = core_.tick(now().monotonic);
  return next == Monotonic::max() ? std::nullopt : std::optional(next);
}

void ClientNode::submit_some() {
  const auto burst = std::min<std::uint64_t>(left_, prng().between(1, 40));
  for (std::uint64_t count = 0; count < burst && core_.has_room(); ++count) {
    Entry entry;
    const std::string text = identity().name + "/" + std::to_string(++submitted_);
    entry.work = to_bytes(as_bytes(text));
    entry.work.resize(prng().between(text.size(), text.size() + 200), ' ');
    TaskOptions options;
    options.priority = static_cast<std::uint8_t>(prng().below(10));
    options.tries = static_cast<std::uint8_t>(prng().between(1, 6));
    options.backoff = std::chrono::milliseconds(prng().between(1, 200));
    if (prng().chance(1, 8)) options.delay = std::chrono::milliseconds(prng().below(3000));
    if (prng().chance(1, 30)) options.deadline = std::chrono::milliseconds(prng().between(1, 4000));
    const std::string key = prng().chance(1, 4) ? text : "";
    options.key = key;
    const Ticket ticket = core_.submit(prng().chance(1, 4) ? "strict" : "echo", options, entry.work);
    ledger_.emplace(ticket, std::move(entry));
    --left_;
  }
  wake();
  if (left_ > 0) after(Duration(prng().between(100'000, 400'000'000)), [this] { submit_some(); });
}

void ClientNode::accepted(Ticket ticket, TaskId task, bool duplicate) {
  truths().told.on_accepted(task);
  if (duplicate) chronicle().mark("C3 a submission sent again is recognised");
  Entry& entry = ledger_.at(ticket);
  ENSURE(entry.task.value == 0 && task.value != 0, "accepted twice", to_text(entry.task), to_text(task));
  ENSURE(!entry.rejected && !entry.unknown && entry.results == 0);
  entry.task = task;
  if (!prng().chance(1, 15)) return;
  after(Duration(prng().below(3'000'000'000)), [this, task] {
    Node::send(Cancel{RequestId{++last_request_}, {task}});
  });
}

void ClientNode::rejected(Ticket ticket, Refusal, std::string_view, std::chrono::milliseconds) {
  Entry& entry = ledger_.at(ticket);
  ENSURE(entry.task.value == 0 && !entry.rejected, "rejected what was accepted", to_text(entry.task));
  entry.rejected = true;
}

void ClientNode::result(Ticket ticket, const TaskInfo& info) {
  truths().told.on_result(info.task);
  order_.on_called_back(info.task);
  Entry& entry = ledger_.at(ticket);
  ENSURE(info.task == entry.task, "a result of another task", to_text(info.task), to_text(entry.task));
  ENSURE(++entry.results == 1, "a result twice", to_text(info.task));
  ENSURE(is_final(info.state), to_text(info.state));
  ENSURE(info.state != TaskState::Completed || equal(info.result, entry.work), "a wrong result",
         to_text(info.task));
  entry.state = info.state;
}

void ClientNode::unknown(Ticket ticket, TaskId task) {
  Entry& entry = ledger_.at(ticket);
  ENSURE(task == entry.task || task.value == 0, to_text(task));
  entry.unknown = true;
}

SessionId ClientNode::new_session() { return session_from(prng()); }

}  // namespace cidbus::sim
