#include "client/library/task_submitter.h"

#include <map>
#include <optional>

#include "client/client.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/library.h"
#include "shared/io/mailbox.h"
#include "shared/io/quota.h"

namespace cidbus {
namespace {

// A program waits as long as it likes; only its own timeouts end that.
constexpr Duration as_long_as_it_takes = std::chrono::hours(24 * 365 * 10);

SessionSettings settings() {
  SessionSettings settings;  // the quota is the bound, and lies below these
  settings.unanswered_bytes = 2 * limits::submitted_bytes;
  settings.held = limits::submitted_bytes / limits::submission_overhead_bytes + 2;
  return settings;
}

Fault unknown_fault(TaskId task) {
  if (task == TaskId{}) {
    return {
        FaultKind::TryAgain,
        "whether the task was accepted is not known: the session expired; submit with a key to be able to "
        "repeat"};
  }
  return {FaultKind::NotFound, "how task " + to_text(task) + " ended is not known any more"};
}

}  // namespace

struct TaskSubmitter::State : Client::Listener {
  // What is still to be told of a submission that the session has.
  struct Open {
    Asked asked;
    std::size_t work_bytes = 0;  // 0 once they were given back
    bool told_accepted = false;
    std::function<void(const Result<TaskId>&)> accepted;
    std::function<void(const Result<TaskRecord>&)> ended;
  };

  State(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers)
      : client(context, std::move(identity), std::move(brokers), settings(), *this) {}

  void run() {
    client.watch(orders.fd(), [this] { take_orders(); });
    Client::Patience patience;
    patience.first_contact = patience.outage = as_long_as_it_takes;
    const Status ran = client.run(patience, [this] { return stopping; });
    client.unwatch(orders.fd());
    if (!ran) failure = ran.error();
    end_all();
    do {
      if (!stopping) orders.wait();
      take_orders();  // also once after the stop: a callback may have submitted behind it
    } while (!stopping);
    if (ran) client.close();
  }

  // Nothing in the mailbox stands for: stop.
  void take_orders() {
    for (std::optional<SubmissionOrder>& order : orders.take_all()) {
      if (!order) {
        stopping = true;
        failure = Fault{FaultKind::Unavailable,
                        "the client was closed before this was told; what a broker accepted goes on"};
      } else if (failure) {
        end(make_open(*order), tl::unexpected(*failure));
      } else {
        TaskOptions options = order->options;
        options.key = order->key;
        const Ticket ticket = client.submit(order->type, options, order->work);
        open.emplace(ticket, make_open(*order));
      }
    }
  }

  static Open make_open(SubmissionOrder& order) {
    return {std::move(order.asked), order.work.size(), false, std::move(order.accepted),
            std::move(order.ended)};
  }

  void tell_accepted(Open& of, const Result<TaskId>& what) {
    if (of.told_accepted) return;
    of.told_accepted = true;
    quota.give(std::exchange(of.work_bytes, 0));
    if (of.accepted) of.accepted(what);
  }
  void end(Open of, const Result<TaskRecord>& how) {
    if (how)
      tell_accepted(of, how->id);
    else
      tell_accepted(of, tl::unexpected(how.error()));
    quota.give(limits::submission_overhead_bytes);
    if (of.ended) of.ended(how);
  }
  void end(Ticket ticket, const Result<TaskRecord>& how) {
    if (is_open(ticket)) end(std::move(open.extract(ticket).mapped()), how);
  }
  // What a broker still says while the session closes is about tickets that have been told their end.
  bool is_open(Ticket ticket) const {
    const bool found = open.count(ticket) != 0;
    ENSURE(found || failure, "ticket", ticket.value);
    return found;
  }
  void end_all() {
    while (!open.empty()) end(open.begin()->first, tl::unexpected(*failure));
  }

  // ---- Client::Listener
  void accepted(Ticket ticket, TaskId task, bool) override {
    if (is_open(ticket)) tell_accepted(open.at(ticket), task);
  }
  void rejected(Ticket ticket, const Fault& why) override { end(ticket, tl::unexpected(why)); }
  void result(Ticket ticket, const TaskInfo& info) override {
    if (is_open(ticket)) end(ticket, make_task_record(info, open.at(ticket).asked));
  }
  void unknown(Ticket ticket, TaskId task) override { end(ticket, tl::unexpected(unknown_fault(task))); }

  Client client;
  Quota quota{limits::submitted_bytes};
  Mailbox<std::optional<SubmissionOrder>> orders;
  std::map<Ticket, Open> open;
  bool stopping = false;
  std::optional<Fault> failure;  // what everything ends with from here on
  std::thread thread;
};

TaskSubmitter::TaskSubmitter(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers)
    : state_(std::make_unique<State>(context, std::move(identity), std::move(brokers))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

TaskSubmitter::~TaskSubmitter() {
  ENSURE(std::this_thread::get_id() != thread());
  state_->orders.push(std::nullopt);
  state_->thread.join();
}

Status TaskSubmitter::submit(SubmissionOrder order, std::chrono::milliseconds patience) {
  const std::size_t bytes = order.work.size() + limits::submission_overhead_bytes;
  if (std::this_thread::get_id() == thread()) {
    if (state_->failure) return tl::unexpected(*state_->failure);
    patience = std::chrono::milliseconds(0);
  }
  if (!state_->quota.take(bytes, patience)) {
    return fault(FaultKind::TryAgain,
                 "there is no room for more submissions: " + std::to_string(limits::submitted_bytes >> 20) +
                     " MiB of them have not ended; submit more when some have");
  }
  state_->orders.push(std::move(order));
  return {};
}

std::thread::id TaskSubmitter::thread() const { return state_->thread.get_id(); }

}  // namespace cidbus
