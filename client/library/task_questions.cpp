#include "client/library/task_questions.h"

#include <set>

#include "shared/core/attempt_history.h"

namespace cidbus {

Fault unknown_task(TaskId task) {
  return {
      FaultKind::NotFound,
      "task " + to_text(task) + " is not known: it never was, or it ended long ago; see 'cidbus task list'"};
}

Result<TaskRecord> show_task(const AskLeader& ask, RequestId request, TaskId task) {
  Result<TaskRecord> found = tl::unexpected(unknown_task(task));
  const Status asked = ask(TaskQuery{request, TaskQuery::Kind::Show, {task}}, [&](const Message& message) {
    const auto* infos = std::get_if<TaskInfos>(&message);
    if (infos == nullptr || infos->request != request) return false;
    if (!infos->tasks.empty()) found = make_task_record(infos->tasks[0]);
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

namespace {

Result<std::vector<AttemptRecord>> to_records(ByteView history) {
  std::vector<AttemptRecord> records;
  const auto attempts = decode_history(history);
  for (const PastAttempt& past : attempts.value_or(std::vector<PastAttempt>{})) {
    const AttemptLog log = decode_log(past.log).value_or(AttemptLog{});
    records.push_back({past.attempt, std::string(past.how), std::string(past.worker), std::string(log.ended),
                       std::string(past.error), std::string(log.output), std::string(log.errors),
                       past.started, past.ended});
  }
  if (!attempts) return fault(FaultKind::BadData, "the broker's history of the task is damaged");
  return records;
}

}  // namespace

Result<std::vector<AttemptRecord>> task_logs(const AskLeader& ask, RequestId request, TaskId task) {
  Result<std::vector<AttemptRecord>> found = tl::unexpected(unknown_task(task));
  const Status asked = ask(TaskQuery{request, TaskQuery::Kind::Logs, {task}}, [&](const Message& message) {
    const auto* infos = std::get_if<TaskInfos>(&message);
    if (infos == nullptr || infos->request != request) return false;
    if (!infos->tasks.empty()) found = to_records(infos->tasks[0].history);
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

Result<TaskPage> list_tasks(const AskLeader& ask, const TaskList& list) {
  TaskPage page;
  const Status asked = ask(list, [&](const Message& message) {
    const auto* infos = std::get_if<TaskInfos>(&message);
    if (infos == nullptr || infos->request != list.request) return false;
    for (const TaskInfo& info : infos->tasks) page.tasks.push_back(make_task_record(info));
    page.more = infos->more && !infos->tasks.empty();
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return page;
}

Result<CancelledTasks> cancel_tasks(const AskLeader& ask, RequestId request, std::span<const TaskId> tasks) {
  CancelledTasks answers;
  const Status asked = ask(Cancel{request, {tasks.begin(), tasks.end()}}, [&](const Message& message) {
    const auto* told = std::get_if<CancelAnswers>(&message);
    if (told == nullptr || told->request != request) return false;
    answers = told->answers;
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return answers;
}

Status wait_for_tasks(const AskLeader& ask, RequestId request, std::span<const TaskId> tasks,
                      const std::function<void(TaskId, const Result<TaskRecord>&)>& told) {
  std::set<TaskId> open(tasks.begin(), tasks.end());
  return ask(TaskQuery{request, TaskQuery::Kind::Wait, {tasks.begin(), tasks.end()}},
             [&](const Message& message) {
               const auto* infos = std::get_if<TaskInfos>(&message);
               if (infos == nullptr || infos->request != request) return false;
               for (const TaskInfo& info : infos->tasks) {
                 if (is_final(info.state) && open.erase(info.task) != 0)
                   told(info.task, make_task_record(info));
               }
               for (const TaskId task : infos->unknown) {
                 if (open.erase(task) != 0) told(task, tl::unexpected(unknown_task(task)));
               }
               return open.empty();
             });
}

}  // namespace cidbus
