// Counts the words of files: adds each, submits a task on it, and prints what comes back.
#include <cidbus/client.h>

#include <iostream>

int fail(const std::string& why, int code) {
  std::cerr << why << '\n';
  return code;
}

int main(int argc, char** argv) {
  auto client = cidbus::Client::connect();
  if (!client) return fail(client.error().message, 69);
  std::vector<cidbus::Submission> submissions;
  for (int file = 1; file < argc; ++file) {
    const auto cid = client->add_path(argv[file]);
    if (!cid) return fail(cid.error().message, 65);
    const auto submission = client->submit({.type = "word_count", .inputs = {*cid}});
    if (!submission) return fail(submission.error().message, 1);
    submissions.push_back(*submission);
  }
  int code = 0;
  for (const auto& submission : submissions) {
    const auto task = submission.result();
    if (!task) return fail(task.error().message, 1);
    for (const auto& [name, value] : task->result.values) std::cout << name << ' ' << value << '\n';
    if (task->state != cidbus::TaskState::Completed) code = fail(task->error, 1);
  }
  return code;
}
