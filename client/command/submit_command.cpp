#include <CLI/CLI.hpp>
#include <memory>

#include "client/command/batch.h"
#include "client/command/content_access.h"
#include "client/command/interrupt.h"
#include "client/command/json_writer.h"
#include "client/command/overdue.h"
#include "client/command/registry.h"
#include "client/command/task_record.h"
#include "client/command/task_request.h"
#include "shared/base/outbox_id.h"

namespace cidbus {
namespace {

constexpr Duration acceptance_time = std::chrono::seconds(10);

// What becomes of the one submission.
class OneTask : public Client::Listener {
 public:
  explicit OneTask(Asked asked) : asked_(std::move(asked)) {}

  void accepted(Ticket, TaskId task, bool duplicate) override {
    task_ = task;
    duplicate_ = duplicate;
  }
  void rejected(Ticket, const Fault& why) override { failure_ = why; }
  void result(Ticket, const TaskInfo& info) override { record_ = make_task_record(info, asked_); }
  void unknown(Ticket, TaskId task) override {
    failure_ =
        Fault{FaultKind::TryAgain,
              task == TaskId{} ? "whether the task was accepted is not known: the session expired; look "
                                 "at 'cidbus task list', or submit with --key to be able to repeat"
                               : "how task " + to_text(task) + " ended is not known any more"};
  }

  [[nodiscard]] bool is_answered() const { return task_ || failure_; }
  [[nodiscard]] bool is_over() const { return record_ || failure_; }

  std::optional<TaskId> task_;
  bool duplicate_ = false;
  std::optional<TaskRecord> record_;
  std::optional<Fault> failure_;

 private:
  const Asked asked_;
};

void print_accepted(Context& context, TaskId task, bool duplicate) {
  Output& output = context.output();
  if (output.is_json()) return output.line(accepted_json(task, duplicate));
  output.line(to_text(task));
  if (output.format() != Format::Table || !is_outbox_item(task)) return;
  context.complain(
      "it is in the leecher's outbox, and handed in once a broker answers; see 'cidbus task show " +
      to_text(task) + "'");
}

Result<int> print_result(Context& context, const TaskRecord& task) {
  Output& output = context.output();
  if (output.is_json())
    output.line(to_json(task));
  else if (output.format() == Format::Quiet)
    print_quiet(output, task);
  else
    print_details(output, task);
  if (task.state == TaskState::Completed) return 0;
  return fault(FaultKind::Failed, failure_of(task));
}

Result<int> wait_for_result(Context& context, Client& client, const OneTask& one) {
  const Status ran =
      client.run(context.patience(), [&] { return one.is_over() || context.interrupted() != 0; });
  if (one.record_) return print_result(context, *one.record_);
  if (one.failure_) return tl::unexpected(*one.failure_);
  const TaskId task = *one.task_;
  if (ran) {
    context.complain(goes_on(task, FaultKind::Failed, "interrupted").message);
    return context.interrupted();
  }
  if (ran.error().kind == FaultKind::TimedOut) return tl::unexpected(overdue(context, task));
  return tl::unexpected(goes_on(task, ran.error().kind, ran.error().message));
}

Result<int> submit_one(Context& context, const RawTaskRequest& raw, bool wait) {
  const auto request = make_task_request(raw);
  if (!request) return tl::unexpected(request.error());
  ContentAccess content(context);
  const auto work = make_work(*request, [&](const std::string& path) { return content.add_input(path); });
  if (!work) return tl::unexpected(work.error());

  OneTask one(work->asked);
  SessionSettings settings;
  settings.await_results = wait;
  Client client(context.sockets(), context.new_identity(), context.common().brokers, settings, one);
  if (context.environment().interrupt != nullptr)
    client.watch(context.environment().interrupt->descriptor(), [] {});
  client.submit(request->type, request->options_with_key(), work->bytes);
  Client::Patience patience = context.patience();
  patience.deadline = context.deadline(acceptance_time);
  const Status ran = client.run(patience, [&] { return one.is_answered() || context.interrupted() != 0; });
  if (one.failure_) return tl::unexpected(*one.failure_);
  if (!one.task_ && ran) return context.interrupted();
  if (!one.task_ && ran.error().kind == FaultKind::TimedOut) {
    return fault(
        FaultKind::TimedOut,
        "no broker has answered the submission in time, so whether it was accepted is not known; see "
        "'cidbus task list', or submit with --key to be able to repeat");
  }
  if (!one.task_) return tl::unexpected(ran.error());
  Result<int> ended = 0;
  if (wait)
    ended = wait_for_result(context, client, one);
  else
    print_accepted(context, *one.task_, one.duplicate_);
  client.close();
  // Who cannot be given the answer is still told what was accepted.
  if (const Status told = context.output().flush(); !told)
    return fault(told.error().kind, told.error().message + "; task " + to_text(*one.task_) + " was accepted");
  return ended;
}

struct SubmitOptions {
  RawTaskRequest request;
  std::vector<std::string> parameters;  // K=V
  std::string batch;
  bool wait = false;
};

Result<int> submit(Context& context, SubmitOptions& options) {
  if (!options.batch.empty()) {
    const RawTaskRequest& raw = options.request;
    const bool alone = raw.type.empty() && raw.inputs.empty() && options.parameters.empty() &&
                       !raw.priority && !raw.retries && raw.delay.empty() && raw.deadline.empty() &&
                       raw.time_limit.empty() && raw.key.empty() && raw.traceparent.empty();
    if (!alone)
      return fault(FaultKind::BadUsage,
                   "--batch takes tasks from a file only; leave out TYPE and its options");
    return submit_batch(context, options.batch, options.wait);
  }
  if (options.request.type.empty())
    return fault(FaultKind::BadUsage, "no task type was given; see 'cidbus submit --help'");
  for (const std::string& word : options.parameters) {
    auto parameter = parse_parameter(word);
    if (!parameter) return tl::unexpected(parameter.error());
    options.request.parameters.push_back(std::move(*parameter));
  }
  if (options.request.traceparent.empty()) options.request.traceparent = context.traceparent();
  return submit_one(context, options.request, options.wait);
}

constexpr const char* examples = R"(  cidbus submit hash --input picture.jpg --wait
  cidbus submit process_content --input CID --param transform=resize --param width=320 --wait
  cidbus submit echo --param text=hello --delay 5m --retries 0 --key greeting-1
  cidbus submit --batch tasks.ndjson --wait --output ndjson
A batch is a task a line: {"type": "echo", "inputs": ["CID or path"], "params": {"text": "hello"},
  "priority": 5, "delay": "5m", "deadline": "1h", "time_limit": "30s", "retries": 3, "key": "…",
  "traceparent": "00-…"}; only type is needed. Answers come a line a task, in the order of the lines.
)";

}  // namespace

void add_submit_command(CommandRegistry& registry) {
  const auto options = std::make_shared<SubmitOptions>();  // shared by the options and the action
  CLI::App& app = registry.leaf(
      registry.root(),
      {"submit", "Submit a task, or a batch of them, and wait for the results if told to", examples},
      [options](Context& context) { return submit(context, *options); });
  RawTaskRequest& request = options->request;
  app.add_option("TYPE", request.type, "What to run: process_content, hash, echo, or what your workers offer")
      ->type_name("");
  const auto list = [&](const char* name, std::vector<std::string>& into, const char* text,
                        const char* type) {
    app.add_option(name, into, text)->type_name(type)->allow_extra_args(false);
  };
  list("--input", request.inputs, "A CID, or a file or folder to add first; may be given again", "CID|PATH");
  list("--param", options->parameters, "A parameter of the task; may be given again", "NAME=VALUE");
  app.add_option("--priority", request.priority, "0 to 9, 9 first")->type_name("N")->default_str("5");
  app.add_option("--delay", request.delay, "Not before this long from now")->type_name("D");
  app.add_option("--deadline", request.deadline, "Give the task up this long from now")->type_name("D");
  app.add_option("--time-limit", request.time_limit, "Of each attempt")->type_name("D");
  app.add_option("--retries", request.retries, "Attempts after the first")->type_name("N")->default_str("3");
  app.add_option("--key", request.key, "Submit only once under this key, however often it is tried")
      ->type_name("K")
      ->check(key_problem);
  app.add_option("--traceparent", request.traceparent,
                 "Trace that the task belongs to (W3C Trace Context); TRACEPARENT where this is not given")
      ->type_name("TEXT");
  app.add_option("--batch", options->batch, "Tasks from a file, a line each; - for standard input")
      ->type_name("FILE");
  app.add_flag("--wait", options->wait, "Wait for the result; exit code 1 if the task fails");
}

}  // namespace cidbus
