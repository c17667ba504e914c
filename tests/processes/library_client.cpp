// A program on the client library. As fast as they are taken it hands in COUNT tasks of TYPE, numbered, or
// adds COUNT small files; prints a line for each that is told: the number, and the number as the task answers
// it, the file's CID, or why there is none.
//
//   library_client submit TYPE COUNT [KEY-FILE]
//   library_client add COUNT [KEY-FILE]
#include <cidbus/client.h>

#include <atomic>
#include <cstdlib>
#include <iostream>

namespace {

std::string answer_of(const cidbus::Result<cidbus::Task>& task) {
  if (!task) return task.error().message;
  return task->state == cidbus::TaskState::Completed ? task->result.values.at(0).second : task->error;
}

int submit(const char* type, int count, const char* key) {
  std::atomic<int> open = 0;  // outlives the client, whose callbacks count it down
  auto client = cidbus::Client::connect({.key_file = key});
  if (!client) return std::cerr << client.error().message << '\n', 69;
  for (int number = 0; number < count; ++number) {
    ++open;
    const cidbus::TaskRequest request{.type = type, .parameters = {{"number", std::to_string(number)}}};
    const auto submitted = client->submit(request, [&open, number](cidbus::Result<cidbus::Task> task) {
      std::cout << number << ' ' << answer_of(task) << std::endl;
      if (--open == 0) open.notify_all();
    });
    if (!submitted) return std::cerr << submitted.error().message << '\n', 1;
  }
  for (int left = open; left != 0; left = open) open.wait(left);
  return 0;
}

int add(int count, const char* key) {
  auto client = cidbus::Client::connect({.key_file = key});
  if (!client) return std::cerr << client.error().message << '\n', 69;
  for (int number = 0; number < count; ++number) {
    const auto cid = client->add("file " + std::to_string(number));
    if (!cid) return std::cerr << cid.error().message << '\n', 1;
    const auto content = client->get(*cid);
    if (!content) return std::cerr << content.error().message << '\n', 1;
    std::cout << number << ' ' << cid->text() << ' ' << *content << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "submit" && (argc == 4 || argc == 5))
    return submit(argv[2], std::atoi(argv[3]), argc == 5 ? argv[4] : "");
  if (what == "add" && (argc == 3 || argc == 4)) return add(std::atoi(argv[2]), argc == 4 ? argv[3] : "");
  return 2;
}
