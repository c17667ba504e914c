// A worker with a task type of its own: how many words a text has.
#include <cidbus/worker.h>

#include <sstream>

cidbus::Result<cidbus::TaskResult> count_words(cidbus::TaskRun& run) {
  const auto input = run.only_input();
  if (!input) return input.error();
  const auto text = run.read(*input);
  if (!text) return text.error();
  std::istringstream words(*text);
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return cidbus::TaskResult{.values = {{"words", std::to_string(count)}}};
}

int main() {
  cidbus::Worker worker({.name = "words", .data = "words-data", .slots = 2});
  worker.add({.name = "word_count"}, count_words).value();
  return worker.run_until_signalled();
}
