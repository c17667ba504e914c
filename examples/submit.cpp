// Counts the words of files: adds each, submits a task on it, and prints what comes back.
#include <cidbus/client.h>

#include <iostream>

int main(int argc, char** argv) {
  auto client = cidbus::Client::connect();
  if (!client) return std::cerr << client.error().message << '\n', 69;
  std::vector<cidbus::Submission> submissions;
  for (int file = 1; file < argc; ++file) {
    const cidbus::Cid cid = client->add_path(argv[file]).value();
    submissions.push_back(client->submit({.type = "word_count", .inputs = {cid}}).value());
  }
  for (const auto& submission : submissions) {
    const cidbus::Task task = submission.result().value();
    for (const auto& [name, value] : task.result.values) std::cout << name << ' ' << value << '\n';
    if (task.state != cidbus::TaskState::Completed) std::cerr << task.error << '\n';
  }
}
