#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "client/command/json_writer.h"
#include "client/command/overdue.h"
#include "client/command/registry.h"
#include "client/command/task_logs.h"
#include "client/command/task_record.h"
#include "client/command/values.h"
#include "client/library/task_questions.h"
#include "shared/base/limits/messages.h"
#include "shared/content/quote.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

using TaskIds = std::vector<TaskId>;

Result<TaskIds> parse_tasks(const std::vector<std::string>& words) {
  TaskIds tasks;
  for (const std::string& word : words) {
    const auto task = parse_task(word);
    if (!task) return tl::unexpected(task.error());
    if (std::find(tasks.begin(), tasks.end(), *task) == tasks.end()) tasks.push_back(*task);
  }
  if (tasks.size() > limits::items_a_message) {
    return fault(FaultKind::BadUsage, "at most " + std::to_string(limits::items_a_message) +
                                          " tasks at a time; ask in several portions");
  }
  return tasks;
}

// For what the leader answers at once.
AskLeader soon(Context& context) {
  return [&context](const Message& question, const TakeAnswer& take) { return context.ask(question, take); };
}

// One task alone is an object in JSON, several are a list.
void print_one(Output& output, const TaskRecord& task) {
  switch (output.format()) {
    case Format::Table:
      return print_details(output, task);
    case Format::Quiet:
      return print_quiet(output, task);
    default:
      return output.line(to_json(task));
  }
}

Result<int> show(Context& context, const std::vector<std::string>& words) {
  const auto tasks = parse_tasks(words);
  if (!tasks) return tl::unexpected(tasks.error());
  const auto found = show_task(soon(context), context.next_request(), tasks->front());
  if (!found) return tl::unexpected(found.error());
  print_one(context.output(), *found);
  return 0;
}

Result<int> logs(Context& context, const std::vector<std::string>& words) {
  const auto tasks = parse_tasks(words);
  if (!tasks) return tl::unexpected(tasks.error());
  const auto found = task_logs(soon(context), context.next_request(), tasks->front());
  if (!found) return tl::unexpected(found.error());
  print_logs(context.output(), *found);
  return 0;
}

// Tells of each task as it becomes final; in `json`, of all at the end, in the order asked.
class Waiting {
 public:
  Waiting(Context& context, TaskIds tasks) : context_(context), asked_(std::move(tasks)), open_(asked_) {}

  void take(TaskId id, const Result<TaskRecord>& task) {
    std::erase(open_, id);
    if (!task) {
      failures_.push_back(task.error().message);
      return;
    }
    if (task->state != TaskState::Completed) failures_.push_back(failure_of(*task));
    if (asked_.size() > 1 && context_.output().format() == Format::Json)
      ended_.emplace(task->id, *task);
    else
      tell(*task);
  }

  // REQUIRES: not all have ended.
  [[nodiscard]] TaskId first_open() const { return open_.front(); }

  int end() {
    if (asked_.size() > 1 && context_.output().format() == Format::Json) {
      context_.output().open_list();
      for (const TaskId task : asked_) {
        const auto ended = ended_.find(task);
        if (ended != ended_.end()) context_.output().item(to_json(ended->second));
      }
      context_.output().close_list();
    }
    for (const std::string& failure : failures_) context_.complain(failure);
    return failures_.empty() ? 0 : 1;
  }

 private:
  void tell(const TaskRecord& task) {
    if (asked_.size() == 1)
      print_one(context_.output(), task);
    else if (context_.output().format() == Format::Table)
      context_.output().line(summary(context_.output(), task));
    else
      print_one(context_.output(), task);
    static_cast<void>(context_.output().flush());  // a failure is told at the end
  }

  Context& context_;
  const TaskIds asked_;
  TaskIds open_;  // of these, what has not ended
  std::map<TaskId, TaskRecord> ended_;
  std::vector<std::string> failures_;
};

Result<int> wait(Context& context, const std::vector<std::string>& words) {
  const auto tasks = parse_tasks(words);
  if (!tasks) return tl::unexpected(tasks.error());
  Waiting waiting(context, *tasks);
  const AskLeader ask = [&context](const Message& question, const TakeAnswer& take) {
    return context.ask_patiently(question, take);
  };
  const Status asked =
      wait_for_tasks(ask, context.next_request(), *tasks,
                     [&](TaskId id, const Result<TaskRecord>& task) { waiting.take(id, task); });
  if (!asked && asked.error().kind == FaultKind::TimedOut) {
    waiting.end();
    return tl::unexpected(overdue(context, waiting.first_open()));
  }
  if (!asked) return tl::unexpected(asked.error());
  return waiting.end();
}

struct ListOptions {
  std::string state;
  std::string type;
  std::uint32_t limit = 100;
};

std::vector<std::string> state_words() {
  std::vector<std::string> words;
  for (std::size_t state = 0; state < task_state_count; ++state)
    words.emplace_back(to_text(static_cast<TaskState>(state)));
  return words;
}

TaskList make_list(const ListOptions& options) {
  TaskList list;
  if (!options.state.empty()) list.state = parse_task_state(options.state);
  list.type = options.type;
  return list;
}

Result<int> list(Context& context, const ListOptions& options) {
  auto list = make_list(options);
  Output& output = context.output();
  std::uint32_t left = options.limit;
  bool more = true;
  bool first = true;
  output.open_list();
  while (left > 0 && more) {
    list.request = context.next_request();
    list.limit = std::min(left, static_cast<std::uint32_t>(limits::items_a_message));
    const auto page = list_tasks(soon(context), list);
    if (!page) return tl::unexpected(page.error());
    more = page->more;
    for (const TaskRecord& task : page->tasks) {
      if (output.is_json()) output.item(to_json(task));
      if (output.format() == Format::Quiet) output.line(to_text(task.id));
    }
    if (output.format() == Format::Table) print_table(output, page->tasks, first);
    first = false;
    left -= std::min(left, static_cast<std::uint32_t>(page->tasks.size()));
    if (!page->tasks.empty()) list.before = page->tasks.back().id;
  }
  output.close_list();
  const bool says_more = more && output.format() == Format::Table && context.environment().err_is_terminal;
  if (says_more) context.complain("there are more; --limit N shows N of them");
  return 0;
}

std::string_view to_text(CancelAnswer answer) {
  constexpr std::string_view names[] = {"cancelled", "final", "unknown"};
  return names[static_cast<std::size_t>(answer)];
}

void print_cancelled(Output& output, TaskId task, CancelAnswer answer) {
  JsonWriter json;
  json.open_object().name("id").string(to_text(task)).name("answer").string(to_text(answer)).close_object();
  if (output.is_json())
    output.item(json.text());
  else if (output.format() == Format::Table)
    output.line(to_text(task) + "  " + std::string(to_text(answer)));
  else if (answer == CancelAnswer::Cancelled)
    output.line(to_text(task));
}

Result<int> cancel(Context& context, const std::vector<std::string>& words) {
  const auto tasks = parse_tasks(words);
  if (!tasks) return tl::unexpected(tasks.error());
  const auto answers = cancel_tasks(soon(context), context.next_request(), *tasks);
  if (!answers) return tl::unexpected(answers.error());
  int code = 0;
  context.output().open_list();
  for (const auto& [task, answer] : *answers) {
    print_cancelled(context.output(), task, answer);
    if (answer == CancelAnswer::Cancelled) continue;
    code = 1;
    context.complain(answer == CancelAnswer::Unknown
                         ? unknown_task(task).message
                         : "task " + to_text(task) + " cannot be cancelled: it has ended already");
  }
  context.output().close_list();
  return code;
}

}  // namespace

void add_task_commands(CommandRegistry& registry) {
  CLI::App& group = registry.group("task", "Look at tasks, wait for them, cancel them");
  const auto words = std::make_shared<std::vector<std::string>>();  // shared by the options and the actions
  const auto options = std::make_shared<ListOptions>();             // likewise

  registry
      .leaf(group,
            {"show", "Show one task: what was asked, where it stands, what came of it",
             "  cidbus task show t4kq7\n  cidbus task show t4kq7 --output json\n"},
            [words](Context& context) { return show(context, *words); })
      .add_option("ID", *words, "The task's id")
      ->type_name("")
      ->required()
      ->expected(1);

  registry
      .leaf(group,
            {"wait", "Wait until tasks have ended, and show each",
             "  cidbus task wait t4kq7\n  cidbus task wait t4kq7 t4kq8 --timeout 5m --output ndjson\n"},
            [words](Context& context) { return wait(context, *words); })
      .add_option("ID", *words, "The tasks' ids")
      ->type_name("")
      ->required();

  registry
      .leaf(group,
            {"logs", "Show how the last attempts of a task ended, and the end of what they said",
             "  cidbus task logs t4kq7\n  cidbus task logs t4kq7 --output json\n"},
            [words](Context& context) { return logs(context, *words); })
      .add_option("ID", *words, "The task's id")
      ->type_name("")
      ->required()
      ->expected(1);

  CLI::App& lists = registry.leaf(group,
                                  {"list", "List tasks, the newest first",
                                   "  cidbus task list --state failed --limit 20\n"
                                   "  cidbus task list --type hash --output ndjson\n"},
                                  [options](Context& context) { return list(context, *options); });
  CLI::Option* const state = lists.add_option("--state", options->state, "Only tasks in this state");
  allow_only(*state->type_name("STATE"), state_words());
  lists.add_option("--type", options->type, "Only tasks of this type")->type_name("TYPE");
  lists.add_option("--limit", options->limit, "At most so many")
      ->type_name("N")
      ->default_str("100")
      ->check(CLI::Range(1U, 1'000'000U));

  registry
      .leaf(group,
            {"cancel", "Cancel tasks that have not ended",
             "  cidbus task cancel t4kq7\n  cidbus task list --state pending --output quiet | "
             "xargs cidbus task cancel\n"},
            [words](Context& context) { return cancel(context, *words); })
      .add_option("ID", *words, "The tasks' ids")
      ->type_name("")
      ->required();
}

}  // namespace cidbus
