// A program on the client library: COUNT tasks of TYPE, numbered, handed in as fast as they are taken; prints
// a line for each callback: the number, and the number as the task answers it, or why it did not.
//
//   library_client TYPE COUNT
#include <cidbus/client.h>

#include <atomic>
#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::atomic<int> open = 0;  // outlives the client, whose callbacks count it down
  auto client = cidbus::Client::connect();
  if (!client) return std::cerr << client.error().message << '\n', 69;
  for (int number = 0; number < std::atoi(argv[2]); ++number) {
    ++open;
    const cidbus::TaskRequest request{.type = argv[1], .parameters = {{"number", std::to_string(number)}}};
    const auto submitted = client->submit(request, [&open, number](cidbus::Result<cidbus::Task> task) {
      const bool completed = task && task->state == cidbus::TaskState::Completed;
      std::cout << number << ' '
                << (completed ? task->result.values.at(0).second
                    : task    ? task->error
                              : task.error().message)
                << std::endl;
      if (--open == 0) open.notify_all();
    });
    if (!submitted) return std::cerr << submitted.error().message << '\n', 1;
  }
  for (int left = open; left != 0; left = open) open.wait(left);
  return 0;
}
