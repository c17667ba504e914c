#include <algorithm>
#include <future>
#include <thread>

#include "cidbus/client.h"
#include "client/client.h"
#include "client/library/client_blocks.h"
#include "client/library/public_streams.h"
#include "client/library/public_values.h"
#include "client/library/task_check.h"
#include "client/library/task_questions.h"
#include "client/library/task_submitter.h"
#include "shared/base/limits/library.h"
#include "shared/content/filesystem_export.h"
#include "shared/content/filesystem_import.h"
#include "shared/core/trace_context.h"
#include "shared/io/bus_asker.h"
#include "shared/io/clock.h"
#include "shared/io/node_options.h"
#include "shared/io/pool.h"

namespace cidbus::v1 {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours(24 * 365 * 10);  // further off no clock is asked

milliseconds bounded(milliseconds time) { return std::clamp(time, milliseconds(0), longest); }
Monotonic in(milliseconds time) { return read_clock().monotonic + bounded(time); }

Fault waits_for_itself() {
  return {FaultKind::BadUsage,
          "this waits, and was called in a callback, which everything waits for; call it from "
          "another thread"};
}

Status check(const ClientOptions& options) {
  if (Status place = check_cluster(options.brokers, options.cluster); !place) return place;
  if (options.copies < 1) return Fault{FaultKind::BadUsage, "content needs at least 1 copy"};
  return {};
}

Result<std::uint8_t> small_number(const char* name, int number, int most) {
  if (number >= 0 && number <= most) return static_cast<std::uint8_t>(number);
  return Fault{FaultKind::BadUsage, std::string(name) + " is " + std::to_string(number) +
                                        "; give a number from 0 to " + std::to_string(most)};
}

Result<TaskOptions> make_options(const TaskRequest& request) {
  const auto priority = small_number("priority", request.priority, 9);
  if (!priority) return priority.error();
  const auto retries = small_number("retries", request.retries, limits::tries_max - 1);
  if (!retries) return retries.error();
  for (const milliseconds time : {request.delay, request.deadline, request.time_limit}) {
    if (time < milliseconds(0) || time > longest)
      return Fault{FaultKind::BadUsage, "a task's times are from 0 to ten years"};
  }
  TaskOptions options;
  options.priority = *priority;
  options.tries = static_cast<std::uint8_t>(*retries + 1);
  options.delay = request.delay;
  options.deadline = request.deadline;
  options.time_limit = request.time_limit;
  return options;
}

Result<SubmissionOrder> make_order(const TaskRequest& request) {
  SubmissionOrder order;
  const auto checked = check_task(request.type, request.inputs.size(), request.parameters, request.key);
  if (!checked) return to_public(checked.error());
  auto options = make_options(request);
  if (!options) return options.error();
  std::vector<cidbus::Cid> inputs;
  for (const Cid& input : request.inputs) {
    inputs.push_back(to_internal(input));
    order.asked.inputs.push_back(input.text());
  }
  if (!request.traceparent.empty()) {
    auto trace = read_traceparent(request.traceparent);
    if (!trace) return to_public(traceparent_fault(request.traceparent));
    order.asked.traceparent = *std::move(trace);
  }
  auto work = encode_task(inputs, request.parameters, order.asked.traceparent);
  if (!work) return to_public(work.error());
  order.type = request.type;
  order.key = request.key;
  order.options = *options;
  order.work = *std::move(work);
  return order;
}

}  // namespace

struct Submission::State {
  explicit State(std::thread::id thread)
      : told_by(thread), accepted_future(accepted.get_future()), result_future(result.get_future()) {}
  const std::thread::id told_by;  // it cannot wait for itself
  std::promise<Result<TaskId>> accepted;
  std::promise<Result<Task>> result;
  const std::shared_future<Result<TaskId>> accepted_future;
  const std::shared_future<Result<Task>> result_future;

  template <typename Value>
  Result<Value> wait(const std::shared_future<Result<Value>>& future, milliseconds timeout) const {
    if (future.wait_for(milliseconds(0)) == std::future_status::ready) return future.get();
    if (std::this_thread::get_id() == told_by) return waits_for_itself();
    if (future.wait_for(bounded(timeout)) == std::future_status::ready) return future.get();
    return Fault{FaultKind::TimedOut, "nothing was told in the time given, and the submission goes on"};
  }
};

Result<TaskId> Submission::accepted(milliseconds timeout) const {
  return state_->wait(state_->accepted_future, timeout);
}
Result<Task> Submission::result(milliseconds timeout) const {
  return state_->wait(state_->result_future, timeout);
}

struct Client::State {
  explicit State(ClientOptions given)
      : options(std::move(given)),
        context(trust_or_fault({options.key_file, options.allow_file, false})),
        askers(limits::idle_connections,
               [this] {
                 return std::make_unique<BusAsker>(context, client_identity(options.cluster),
                                                   options.brokers);
               }),
        blocks(limits::idle_connections,
               [this] { return open_client_blocks(context, block_options(), cache); }),
        submitter(context, client_identity(options.cluster), options.brokers) {}

  [[nodiscard]] bool is_callback() const { return std::this_thread::get_id() == submitter.thread(); }

  ClientBlocksOptions block_options() const {
    ClientBlocksOptions block_options;
    block_options.cluster = options.cluster;
    block_options.brokers = options.brokers;
    block_options.copies = static_cast<std::uint32_t>(options.copies);
    block_options.contact = block_options.patience = bounded(options.patience);
    return block_options;
  }

  // `question` gets a way to ask by the deadline, and a number.
  template <typename Question>
  auto ask(Monotonic deadline, const Question& question) {
    const auto asker = askers.borrow();
    const AskLeader ask_leader = [&](const Message& message, const TakeAnswer& take) {
      return asker->ask(message, deadline, take);
    };
    return question(ask_leader, asker->next_request());
  }

  // What `import` stored is durable when this gives a CID.
  template <typename Import>
  Result<Cid> add(const Import& import) {
    if (is_callback()) return waits_for_itself();
    const auto lent = blocks.borrow();
    Importer importer(default_profile, *lent);
    const auto node = import(importer);
    const cidbus::Status flushed = lent->flush();  // also after a fault: it ends the lot
    if (!node) return to_public(node.error());
    if (!flushed) return to_public(flushed.error());
    return to_public(node->cid);
  }

  const ClientOptions options;
  SocketContext context;
  MemoryStore cache{client_cache_bytes, WhenFull::Evict};
  Pool<BusAsker> askers;
  Pool<BlockAccess> blocks;
  TaskSubmitter submitter;
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(ClientOptions options) {
  if (const Status checked = check(options); !checked) return checked.error();
  auto state = std::make_unique<State>(std::move(options));
  const auto reached = state->ask(in(state->options.contact), [](const AskLeader& ask, RequestId) {
    return ask(Ping{}, [](const Message& message) { return std::holds_alternative<Pong>(message); });
  });
  if (!reached) return to_public(reached.error());
  return Client(std::move(state));
}

// ---- tasks

Result<Submission> Client::submit(const TaskRequest& request) {
  auto shared = std::make_shared<Submission::State>(state_->submitter.thread());
  auto order = make_order(request);
  if (!order) return order.error();
  order->accepted = [shared](const cidbus::Result<cidbus::TaskId>& task) {
    shared->accepted.set_value(task ? Result<TaskId>(TaskId(task->value)) : to_public(task.error()));
  };
  order->ended = [shared](const cidbus::Result<TaskRecord>& task) {
    shared->result.set_value(task ? Result<Task>(to_public(*task)) : to_public(task.error()));
  };
  const auto taken = state_->submitter.submit(*std::move(order), bounded(state_->options.patience));
  if (!taken) return to_public(taken.error());
  return Submission(std::move(shared));
}

Status Client::submit(const TaskRequest& request, Ended ended) {
  auto order = make_order(request);
  if (!order) return order.error();
  order->ended = [ended = std::move(ended)](const cidbus::Result<TaskRecord>& task) {
    ended(task ? Result<Task>(to_public(*task)) : to_public(task.error()));
  };
  return to_public(state_->submitter.submit(*std::move(order), bounded(state_->options.patience)));
}

Result<Task> Client::task(TaskId id) {
  if (state_->is_callback()) return waits_for_itself();
  const auto found = state_->ask(in(state_->options.patience), [&](const AskLeader& ask, RequestId request) {
    return show_task(ask, request, {id.number()});
  });
  if (!found) return to_public(found.error());
  return to_public(*found);
}

Result<Task> Client::wait(TaskId id, milliseconds timeout) {
  if (state_->is_callback()) return waits_for_itself();
  const cidbus::TaskId task{id.number()};
  std::optional<cidbus::Result<TaskRecord>> ended;
  const auto asked = state_->ask(in(timeout), [&](const AskLeader& ask, RequestId request) {
    return wait_for_tasks(ask, request, {&task, 1}, [&](cidbus::TaskId, const auto& told) { ended = told; });
  });
  if (!asked && asked.error().kind == cidbus::FaultKind::TimedOut)
    return Fault{FaultKind::TimedOut, "task " + id.text() + " has not ended in the time given, and goes on"};
  if (!asked) return to_public(asked.error());
  if (!*ended) return to_public(ended->error());
  return to_public(**ended);
}

Result<std::vector<Task>> Client::tasks(const TaskFilter& filter) {
  if (state_->is_callback()) return waits_for_itself();
  TaskList list;
  if (filter.state) list.state = static_cast<cidbus::TaskState>(*filter.state);
  list.type = filter.type;
  std::vector<Task> tasks;
  const Monotonic deadline = in(state_->options.patience);
  for (bool more = true; more && tasks.size() < filter.limit;) {
    const std::size_t left = filter.limit - tasks.size();
    list.limit = static_cast<std::uint32_t>(std::min(left, limits::items_a_message));
    const auto page = state_->ask(deadline, [&](const AskLeader& ask, RequestId request) {
      list.request = request;
      return list_tasks(ask, list);
    });
    if (!page) return to_public(page.error());
    for (const TaskRecord& record : page->tasks) tasks.push_back(to_public(record));
    more = page->more;
    if (more) list.before = page->tasks.back().id;
  }
  return tasks;
}

Result<CancelAnswer> Client::cancel(TaskId id) {
  if (state_->is_callback()) return waits_for_itself();
  const cidbus::TaskId task{id.number()};
  const auto answers =
      state_->ask(in(state_->options.patience), [&](const AskLeader& ask, RequestId request) {
        return cancel_tasks(ask, request, {&task, 1});
      });
  if (!answers) return to_public(answers.error());
  const bool known = !answers->empty() && answers->front().second != cidbus::CancelAnswer::Unknown;
  if (!known) return to_public(unknown_task(task));
  return answers->front().second == cidbus::CancelAnswer::Cancelled ? CancelAnswer::Cancelled
                                                                    : CancelAnswer::AlreadyFinal;
}

// ---- content

Result<Cid> Client::add(std::string_view bytes) {
  return state_->add([&](Importer& importer) {
    MemorySource source(as_bytes(bytes));
    return importer.add_file(source);
  });
}

Result<Cid> Client::add(const Source& source) {
  return state_->add([&](Importer& importer) {
    FunctionSource bytes(source);
    return importer.add_file(bytes);
  });
}

Result<Cid> Client::add_path(const std::filesystem::path& path) {
  return state_->add([&](Importer& importer) {
    PathImportOptions options;
    options.recursive = true;
    options.follow_path_link = true;
    return cidbus::add_path(importer, path, options);
  });
}

Result<std::string> Client::get(const Cid& cid, std::uint64_t most) {
  std::string content;
  const Status read = get(cid, [&](std::string_view bytes) -> Status {
    if (bytes.size() > most - content.size()) {
      return Fault{FaultKind::BadData, cid.text() + " is larger than " + std::to_string(most) +
                                           " bytes; read it piece by piece, or allow more"};
    }
    content.append(bytes);
    return {};
  });
  if (!read) return read.error();
  return content;
}

Status Client::get(const Cid& cid, const Sink& sink) {
  if (state_->is_callback()) return waits_for_itself();
  const auto lent = state_->blocks.borrow();
  FunctionSink out(sink);
  const auto read = Reader(*lent).read(to_internal(cid), {}, out);
  if (!read) return to_public(read.error());
  return {};
}

Result<Cid> Client::resolve(std::string_view path) {
  if (state_->is_callback()) return waits_for_itself();
  const auto parsed = parse_content_path(path);
  if (!parsed) return to_public(parsed.error());
  const auto lent = state_->blocks.borrow();
  const auto cids = Reader(*lent).resolve(*parsed);
  if (!cids) return to_public(cids.error());
  return to_public(cids->back());
}

Result<std::vector<Entry>> Client::list(const Cid& folder) {
  if (state_->is_callback()) return waits_for_itself();
  const auto lent = state_->blocks.borrow();
  std::vector<Entry> entries;
  const auto listed =
      Reader(*lent).list(to_internal(folder), [&](const ListedEntry& entry) -> cidbus::Result<Visit> {
        entries.push_back({std::string(entry.name), to_public(entry.cid), entry.tsize});
        return Visit::Continue;
      });
  if (!listed) return to_public(listed.error());
  return entries;
}

Status Client::get_path(const Cid& cid, const std::filesystem::path& destination) {
  if (state_->is_callback()) return waits_for_itself();
  const auto lent = state_->blocks.borrow();
  Reader reader(*lent);
  return to_public(export_path(reader, to_internal(cid), destination));
}

}  // namespace cidbus::v1
