// A client that never stops, for tests that hurt brokers meanwhile: it keeps WINDOW echo tasks in flight, and
// beside them submits one after another as each is accepted, done or not, and tells when that was.
//
//   steady_client WINDOW        CIDBUS_BROKERS and CIDBUS_CLUSTER say where; the end of its input ends it
//
// Its output: a line "accepted SUBMITTED ACCEPTED" for each of the latter (nanoseconds of CLOCK_MONOTONIC),
// and at the end "submitted N told N twice N wrong N failed N same N": tasks that ended, those told twice,
// with an answer that is not theirs, not completed; and task ids that two of them share.
#include <cidbus/client.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace {

constexpr auto pause = std::chrono::microseconds(500);  // of each, so that the machine is loaded, not drowned

std::int64_t monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

struct Ledger {
  std::mutex lock;
  std::vector<std::uint8_t> told;  // times, by number
  std::set<std::string> ids;
  std::size_t twice = 0, wrong = 0, failed = 0, same = 0;
  std::atomic<int> open = 0;

  std::size_t begin() {
    const std::lock_guard hold(lock);
    told.push_back(0);
    return told.size() - 1;
  }
  void end(std::size_t number, const cidbus::Result<cidbus::Task>& task) {
    {
      const std::lock_guard hold(lock);
      if (++told[number] > 1) ++twice;
      if (!task || task->state != cidbus::TaskState::Completed) {
        ++failed;
      } else {
        if (task->result.values.at(0).second != std::to_string(number)) ++wrong;
        if (!ids.insert(task->id.text()).second) ++same;
      }
    }
    --open;
    open.notify_all();
  }
  std::size_t ended() {
    const std::lock_guard hold(lock);
    std::size_t count = 0;
    for (const std::uint8_t times : told) count += times > 0 ? 1 : 0;
    return count;
  }
};

cidbus::TaskRequest request_of(std::size_t number) {
  return {.type = "echo", .parameters = {{"number", std::to_string(number)}}};
}

void keep_window(cidbus::Client& client, Ledger& ledger, int window, const std::atomic<bool>& stopped) {
  while (!stopped) {
    for (int open = ledger.open; open >= window; open = ledger.open) ledger.open.wait(open);
    const std::size_t number = ledger.begin();
    ++ledger.open;
    const auto submitted =
        client.submit(request_of(number),
                      [&ledger, number](cidbus::Result<cidbus::Task> task) { ledger.end(number, task); });
    if (!submitted) ledger.end(number, submitted.error());
    std::this_thread::sleep_for(pause);
  }
}

// Waits for the results of submissions, in order, so that nobody else has to.
class Results {
 public:
  explicit Results(Ledger& ledger) : ledger_(ledger), thread_([this] { run(); }) {}
  ~Results() {
    add(0, std::nullopt);
    thread_.join();
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  void add(std::size_t number, std::optional<cidbus::Submission> submission) {
    const std::lock_guard hold(lock_);
    waiting_.emplace_back(number, std::move(submission));
    changed_.notify_one();
  }

 private:
  void run() {
    while (true) {
      std::unique_lock hold(lock_);
      changed_.wait(hold, [this] { return !waiting_.empty(); });
      const auto [number, submission] = std::move(waiting_.front());
      waiting_.pop_front();
      hold.unlock();
      if (!submission) return;
      ledger_.end(number, submission->result());
    }
  }

  Ledger& ledger_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::pair<std::size_t, std::optional<cidbus::Submission>>> waiting_;
  std::thread thread_;
};

void one_by_one(cidbus::Client& client, Ledger& ledger, const std::atomic<bool>& stopped) {
  Results results(ledger);
  while (!stopped) {
    const std::size_t number = ledger.begin();
    ++ledger.open;
    const std::int64_t begun = monotonic_now();
    auto submission = client.submit(request_of(number));
    const auto accepted =
        submission ? submission->accepted() : cidbus::Result<cidbus::TaskId>(submission.error());
    if (accepted) {
      std::cout << "accepted " << begun << ' ' << monotonic_now() << std::endl;
      results.add(number, std::move(*submission));
    } else {
      ledger.end(number, cidbus::Result<cidbus::Task>(accepted.error()));
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::atoi(argv[1]) < 1) return std::cerr << "steady_client WINDOW\n", 2;
  Ledger ledger;
  auto client = cidbus::Client::connect();
  if (!client) return std::cerr << client.error().message << '\n', 69;
  std::atomic<bool> stopped = false;
  std::thread many(keep_window, std::ref(*client), std::ref(ledger), std::atoi(argv[1]), std::cref(stopped));
  std::thread one(one_by_one, std::ref(*client), std::ref(ledger), std::cref(stopped));
  char ignored = 0;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  stopped = true;
  many.join();
  one.join();
  for (int open = ledger.open; open != 0; open = ledger.open) ledger.open.wait(open);
  std::cout << "submitted " << ledger.told.size() << " told " << ledger.ended() << " twice " << ledger.twice
            << " wrong " << ledger.wrong << " failed " << ledger.failed << " same " << ledger.same
            << std::endl;
  return 0;
}
