// A program on the worker library, with a type for each thing a handler may do:
//
//   number   answers its parameter `number`
//   throw    throws it as an exception
//   wait     half a second, then as number
//   hang     until it is cancelled, at 40 percent
//   deaf     until a file named by its parameter `until` is there, whatever it is told
//   say      logs its parameter `number`, and fails
//   shout    its one input, with an exclamation mark, as content
//   once     as number, and strict
//   counted  how many runs this handler object has seen
//
//   library_worker NAME DATA [KEY-FILE]
#include <cidbus/worker.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace {

using cidbus::Fault;
using cidbus::FaultKind;
using cidbus::Result;
using cidbus::TaskResult;
using cidbus::TaskRun;

Result<TaskResult> number(TaskRun& run) {
  return TaskResult{.values = {{"number", run.parameter("number").value_or("none")}}};
}

Result<TaskResult> say(TaskRun& run) {
  run.log("it was " + run.parameter("number").value_or("none"));
  return Fault{FaultKind::Failed, "no more to say"};
}

Result<TaskResult> wait(TaskRun& run) {
  if (run.sleep(std::chrono::milliseconds(500))) return Fault{FaultKind::TryAgain, "stopped"};
  return number(run);
}

Result<TaskResult> hang(TaskRun& run) {
  run.set_progress(0.4);
  while (!run.sleep(std::chrono::hours(1))) continue;
  return Fault{FaultKind::TryAgain, "stopped"};
}

Result<TaskResult> deaf(TaskRun& run) {
  while (!std::filesystem::exists(run.parameter("until").value_or("/")))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return TaskResult{};
}

Result<TaskResult> shout(TaskRun& run) {
  const auto input = run.only_input();
  if (!input) return input.error();
  const auto text = run.read(*input, 1000);
  if (!text) return text.error();
  const auto written = run.write(*text + "!");
  if (!written) return written.error();
  return TaskResult{.cids = {*written}};
}

class Counted : public cidbus::Handler {
 public:
  Result<TaskResult> run(TaskRun&) override {
    return TaskResult{.values = {{"runs", std::to_string(++runs_)}}};
  }

 private:
  std::atomic<int> runs_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  const std::string key_file = argc == 4 ? argv[3] : "";
  cidbus::Worker worker({.name = argv[1], .data = argv[2], .slots = 4, .key_file = key_file});
  worker.add({.name = "number"}, number).value();
  worker.add({.name = "once", .strict = true}, number).value();
  worker.add({.name = "wait"}, wait).value();
  worker.add({.name = "hang"}, hang).value();
  worker.add({.name = "deaf"}, deaf).value();
  worker.add({.name = "say"}, say).value();
  worker.add({.name = "shout", .deterministic = true}, shout).value();
  worker.add({.name = "counted"}, std::make_unique<Counted>()).value();
  worker
      .add({.name = "throw"},
           [](TaskRun& run) -> Result<TaskResult> {
             throw std::runtime_error(run.parameter("number").value_or("nothing"));
           })
      .value();
  return worker.run_until_signalled();
}
